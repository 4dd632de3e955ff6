"""At the end of a round: its row, curves, ticket and pictures go into the run directory."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import lightning as L
from typing_extensions import override

from lipdip.core.mask import Mask
from lipdip.core.records import CurvePoint, Round, RunDirectory
from lipdip.core.ticket import Ticket, weights_digest
from lipdip.figures.png import png
from lipdip.lottery.matching import judged
from lipdip.pruning.anatomy import Layer, anatomy
from lipdip.training.experiment import Experiment
from lipdip.training.fitting import PriorFitting


class Record(L.Callback):
    """Keeps the rounds and curves so far, and writes them. Stands before ``PruneAndRewind`` in the list of callbacks.

    Args:
        directory: where to.
        experiment: seed and provenance of the tickets.
    """

    def __init__(self, directory: RunDirectory, experiment: Experiment) -> None:
        self.rounds: list[Round] = []
        self.curves: list[CurvePoint] = []
        self.layers: list[Layer] = []
        self.ended: str | None = None  # why, where the ladder was not climbed to its end
        self._directory = directory
        self._seed = experiment.seed
        self._rewind_step = experiment.pruning.rewind_step
        self._provenance = experiment.provenance

    @override
    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, PriorFitting)
        problem = pl_module.problem
        if problem.x is not None:
            self._directory.write("images/clean.png", png(problem.x))
        self._directory.write("images/measured.png", png(problem.y))

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, PriorFitting)
        layers = anatomy(pl_module.network, pl_module.mask, pl_module.code, pl_module.round)
        self.layers += layers
        row = self._row(pl_module, layers)
        self.rounds.append(row)
        self.curves += pl_module.scores.points(row.round)
        ticket = self._ticket(pl_module, row)
        self._directory.write(f"tickets/round_{row.round:02d}.safetensors", ticket.to_bytes())
        restored = png(pl_module.scores.answer)
        kinds = {"dense": row.round == 0, "matching": row.matching and row.sparsity > 0, "last": True}
        for kind in (kind for kind, wanted in kinds.items() if wanted):
            self._directory.write(f"images/restored_{kind}.png", restored)
        self._directory.write_table("curves.csv", CurvePoint, self.curves)
        self._directory.write_table("layers.csv", Layer, self.layers)
        self._directory.write_table("rounds.csv", Round, self.rounds)

    def _row(self, fitting: PriorFitting, layers: Sequence[Layer]) -> Round:
        mask: Mask = fitting.mask
        row = Round(
            round=fitting.round,
            sparsity=mask.sparsity,
            kept_weights=mask.kept,
            weights_per_pixel=mask.kept / fitting.scores.answer.numel(),
            seconds=fitting.seconds,
            dead_channels=sum(layer.dead_channels for layer in layers),
            parameters_kept=sum(p.numel() for p in fitting.network.parameters()) - mask.total + mask.kept,
            flops=sum(layer.flops for layer in layers),
            flops_kept=sum(layer.flops_kept for layer in layers),
            **fitting.scores.final(),
        )
        return judged(row, self.rounds[0] if self.rounds else row)

    def _ticket(self, fitting: PriorFitting, row: Round) -> Ticket:
        # Times stay out: the same run gives the same bytes.
        scores = {name: value for name, value in asdict(row).items() if name != "seconds"}
        init = {"seed": self._seed, "sha256": weights_digest(fitting.initial), "rewind_step": self._rewind_step}
        return Ticket(fitting.mask, init, {"seed": self._seed}, {**self._provenance, "scores": scores})

    @override
    def state_dict(self) -> dict[str, Any]:
        tables: dict[str, list[Any]] = {"rounds": self.rounds, "curves": self.curves, "layers": self.layers}
        return {name: [asdict(row) for row in rows] for name, rows in tables.items()}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rounds = [Round(**row) for row in state_dict["rounds"]]
        self.curves = [CurvePoint(**point) for point in state_dict["curves"]]
        self.layers = [Layer(**layer) for layer in state_dict["layers"]]
