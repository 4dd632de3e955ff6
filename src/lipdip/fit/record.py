"""At the end of a round: its row, curves, ticket and pictures, kept as values, and written if there is a directory."""

import io
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import lightning as L
import numpy as np
from torch import Tensor
from typing_extensions import override

from lipdip.figures.png import png
from lipdip.fit.experiment import Experiment
from lipdip.fit.rounds import Rounds
from lipdip.pruning.anatomy import Layer
from lipdip.runs.directory import RunDirectory
from lipdip.runs.matching import answer, judged
from lipdip.runs.rows import Round
from lipdip.tickets.ticket_file import Ticket, tensor_digests


class Record(L.Callback):
    """Keeps what each finished round was, and writes it.

    Args:
        experiment: seed, origin and provenance of the tickets.
        directory: where to write; None: everything stays in memory.
    """

    def __init__(self, experiment: Experiment, directory: RunDirectory | None = None) -> None:
        self._kinds = {**experiment.module.tables, "layers": Layer}
        self.rounds: list[Round] = []
        self.curves: list[Any] = []
        self.layers: list[Layer] = []
        self.pictures: list[Any] = []  # of a recovery, or where there are several
        self.images: dict[str, Tensor] = {}  # by name: what was given, and the latest of each kind that was restored
        self.tickets: list[Ticket] = []  # without a directory
        self._directory = directory
        self._experiment = experiment

    @override
    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds)
        for name, picture in pl_module.given_pictures().items():
            self._keep(name, picture)

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds)
        if not pl_module.done:  # stopped in the middle
            return
        row = pl_module.finished_row()
        row = judged(row, self.rounds[0] if self.rounds else row)
        self.rounds.append(row)
        self.layers += pl_module.layers()
        self.curves += pl_module.points()
        self.pictures += pl_module.picture_scores()
        self._keep_ticket(self._ticket(pl_module, row), row)
        first = "dense" if row.sparsity == 0 else "ticket"
        kinds = {first: row.round == 0, "matching": row.matching and row.sparsity > 0, "last": True}
        if row.score is None and len(self._experiment.kept) > 1:
            kinds["answer"] = answer(self.rounds) is row  # so far: the loss may choose no later round
        for name, picture in pl_module.pictures().items():
            for kind in (kind for kind, wanted in kinds.items() if wanted):
                self._keep(f"{name}_{kind}", picture, exact=True)
        if self._directory is not None:
            for name, content in pl_module.artifacts().items():
                self._directory.write(name, content)
            for name, kept in self._kinds.items():
                if getattr(self, name):
                    self._directory.write_table(f"{name}.csv", kept, getattr(self, name))

    def _keep(self, name: str, picture: Tensor, exact: bool = False) -> None:
        """Keep a picture (1, C, H, W); on disk as a PNG, and with ``exact`` as float32 beside it."""
        self.images[name] = picture.detach().float().cpu()
        if self._directory is not None:
            self._directory.write(f"images/{name}.png", png(picture))
            if exact:
                numbers = io.BytesIO()
                np.save(numbers, self.images[name].numpy(), allow_pickle=False)
                self._directory.write(f"images/{name}.npy", numbers.getvalue())

    def _keep_ticket(self, ticket: Ticket, row: Round) -> None:
        if self._directory is None:
            self.tickets.append(ticket)
        else:
            self._directory.write(f"tickets/round_{row.round:02d}.safetensors", ticket.to_bytes())

    def _ticket(self, module: Rounds, row: Round) -> Ticket:
        # Times stay out: the same run gives the same bytes.
        scores = {name: value for name, value in asdict(row).items() if name != "seconds"}
        origin, step = self._experiment.origin, module.rewind_step
        known = origin.redrawable and step == 0  # so that the weights need not be carried
        init: dict[str, Any] = {
            "seed": module.seed if known and origin.pretrained is None else None,
            "stream": origin.stream,
            "rewind_step": step,
            "tensors": tensor_digests(module.rewound),
        }
        if origin.pretrained is not None:
            init["pretrained"] = dict(origin.pretrained)
        provenance = {**self._experiment.provenance, "scores": scores}
        ticket = Ticket(module.mask.to("cpu"), origin.network, init, {"seed": module.seed}, provenance)
        return ticket if known else ticket.carrying(module.rewound)

    @override
    def state_dict(self) -> dict[str, Any]:
        state: dict[str, Any] = {name: [asdict(row) for row in getattr(self, name)] for name in self._kinds}
        return {**state, "written": {} if self._directory is None else dict(self._directory.written)}

    @override
    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        for name, kind in self._kinds.items():
            setattr(self, name, [kind(**row) for row in state_dict[name]])
        if self._directory is not None:  # what this process wrote already is newer
            self._directory.written = {**state_dict["written"], **self._directory.written}
