"""At the end of a round: its row, curves, ticket and pictures go into the run directory."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import lightning as L
from typing_extensions import override

from lipdip.figures.png import png
from lipdip.fit.experiment import Experiment
from lipdip.fit.rounds import Rounds
from lipdip.pruning.anatomy import Layer
from lipdip.runs.directory import RunDirectory
from lipdip.runs.matching import judged
from lipdip.runs.rows import Round
from lipdip.tickets.ticket_file import Ticket, tensor_digests


class Record(L.Callback):
    """Keeps the rounds and curves so far, and writes them. Stands before ``PruneAndRewind`` in the list of callbacks.

    Args:
        directory: where to.
        experiment: seed, origin and provenance of the tickets.
        tables: the kind of training's own.
    """

    def __init__(self, directory: RunDirectory, experiment: Experiment, tables: Mapping[str, type]) -> None:
        self._kinds = {**tables, "layers": Layer}
        self.rounds: list[Round] = []
        self.curves: list[Any] = []
        self.layers: list[Layer] = []
        self.pictures: list[Any] = []  # of a recovery, or where there are several
        self.ended: str | None = None  # why, where the ladder was not climbed to its end
        self._directory = directory
        self._experiment = experiment

    @override
    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds)
        for name, picture in pl_module.given().items():
            self._directory.write(f"images/{name}.png", png(picture))

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds)
        layers = pl_module.layers()
        self.layers += layers
        row = self._row(pl_module, layers)
        self.rounds.append(row)
        self.curves += pl_module.points()
        self.pictures += pl_module.picture_scores()
        self._directory.write(f"tickets/round_{row.round:02d}.safetensors", self._ticket(pl_module, row).to_bytes())
        for name, content in pl_module.artifacts().items():
            self._directory.write(name, content)
        first = "dense" if row.sparsity == 0 else "ticket"
        kinds = {first: row.round == 0, "matching": row.matching and row.sparsity > 0, "last": True}
        for name, picture in pl_module.restored().items():
            for kind in (kind for kind, wanted in kinds.items() if wanted):
                self._directory.write(f"images/{name}_{kind}.png", png(picture))
        for name, kept in self._kinds.items():
            if getattr(self, name):
                self._directory.write_table(f"{name}.csv", kept, getattr(self, name))

    def _row(self, fitting: Rounds, layers: Sequence[Layer]) -> Round:
        mask = fitting.mask
        row = fitting.row(
            round=fitting.round,
            sparsity=mask.sparsity,
            kept_weights=mask.kept,
            seconds=fitting.seconds,
            dead_channels=sum(layer.dead_channels for layer in layers),
            parameters_kept=sum(p.numel() for p in fitting.network.parameters()) - mask.total + mask.kept,
            flops=sum(layer.flops for layer in layers),
            flops_kept=sum(layer.flops_kept for layer in layers),
        )
        return judged(row, self.rounds[0] if self.rounds else row)

    def _ticket(self, fitting: Rounds, row: Round) -> Ticket:
        # Times stay out: the same run gives the same bytes.
        scores = {name: value for name, value in asdict(row).items() if name != "seconds"}
        origin, step = self._experiment.origin, fitting.pruning.rewind_step
        known = origin.whole and step == 0  # so that the weights need not be carried
        init = {
            "seed": fitting.seed if known and origin.pretrained is None else None,
            "stream": origin.stream,
            "rewind_step": step,
            "tensors": tensor_digests(fitting.rewound),
        }
        if origin.pretrained is not None:
            init["pretrained"] = dict(origin.pretrained)
        provenance = {**self._experiment.provenance, "scores": scores}
        ticket = Ticket(fitting.mask, origin.network, init, {"seed": fitting.seed}, provenance)
        return ticket if known else ticket.carrying(fitting.rewound)

    @override
    def state_dict(self) -> dict[str, Any]:
        return {name: [asdict(row) for row in getattr(self, name)] for name in self._kinds}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        for name, kind in self._kinds.items():
            setattr(self, name, [kind(**row) for row in state_dict[name]])
