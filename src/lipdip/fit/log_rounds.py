"""Rounds to the loggers that take them whole (W&B, TensorBoard), beside the run directory that holds them anyway."""

import io
import json
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

import lightning as L
import numpy as np
from PIL import Image
from typing_extensions import override

from lipdip.core.files import read_regular, write_whole
from lipdip.figures.png import to_uint8
from lipdip.fit.loggers import Curve, LoggedRound, Pictures, RoundLogger
from lipdip.fit.record import Record
from lipdip.fit.rounds import Rounds
from lipdip.runs.matching import most_sparse_matching
from lipdip.runs.rows import Round

LOGGED = "logged.json"  # in the run directory: how many rounds each logger has, so that none is logged twice


class LogRounds(L.Callback):
    """Logs each round when it ends: its curve, scores, layers, pictures and ticket. Stands after ``Record``.

    What the module and other callbacks log goes to the same loggers, and to all others, by Lightning's own way. Of
    rounds that were done before a logger was on, scores and tickets are logged first.

    Args:
        record: the rounds so far.
        directory: the run directory; None where there is none.
    """

    def __init__(self, record: Record, directory: Path | None = None) -> None:
        self._record = record
        self._directory = directory

    @override
    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds)
        for row in self._record.rounds:
            self._log(trainer, pl_module, row)

    @override
    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        assert isinstance(pl_module, Rounds)
        _go_on(trainer, _first_line(pl_module, pl_module.round) + pl_module.steps)

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds)
        if pl_module.done:
            pictures = {name: to_uint8(picture) for name, picture in pl_module.pictures().items()}
            self._log(trainer, pl_module, self._record.rounds[-1], pl_module.curve(), pictures)

    @override
    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds)
        rows, takers = self._record.rounds, _takers(trainer)
        halfway = pl_module.steps > 0 and not pl_module.done
        if not rows or not takers or halfway:
            return
        winner = most_sparse_matching(rows)
        finished = LoggedRound(
            row=rows[-1],
            line=_first_line(pl_module, rows[-1].round + 1),
            scores={} if winner is None else {"matching/round": winner.round, "matching/sparsity": winner.sparsity},
            pictures=self._comparison(pl_module),
        )
        for logger in takers:
            logger.log_round(finished)

    def _log(
        self,
        trainer: L.Trainer,
        module: Rounds,
        row: Round,
        curve: Curve = MappingProxyType({}),
        pictures: Pictures = MappingProxyType({}),
    ) -> None:
        """Log one round to the loggers that do not have it yet."""
        file = None if self._directory is None else self._directory / LOGGED
        logged = {} if file is None else _logged(file)
        lacking = [logger for logger in _takers(trainer) if logged.get(type(logger).__name__, 0) <= row.round]
        finished = LoggedRound(
            row=row,
            line=_first_line(module, row.round) + module.budget + 1,
            curve=curve,
            scores=self._scores(row),
            pictures=pictures,
            ticket=self._directory and self._directory / "tickets" / f"round_{row.round:02d}.safetensors",
        )
        for logger in lacking:
            logger.log_round(finished)
        if file is not None and lacking:
            now = {type(logger).__name__: row.round + 1 for logger in lacking}
            write_whole(file, json.dumps(logged | now) + "\n")
        _go_on(trainer, _first_line(module, row.round + 1))

    def _scores(self, row: Round) -> dict[str, float]:
        """A round's scores, those of each picture where there are several, and what is left of each layer."""
        scores = {f"round/{name}": value for name, value in asdict(row).items() if name != "steps"}
        for own in self._record.pictures:
            if own.round == row.round:
                left = {name: value for name, value in asdict(own).items() if name not in ("round", "sparsity")}
                scores |= {f"picture/{own.picture}/{name}": value for name, value in left.items()}
        for layer in self._record.layers:
            if layer.round == row.round:
                scores |= {f"density/{layer.layer}": layer.density, f"dead_channels/{layer.layer}": layer.dead_channels}
        return {name: float(value) for name, value in scores.items() if isinstance(value, int | float)}

    def _comparison(self, module: Rounds) -> Pictures:
        """A run's pictures side by side, where this kind has such a figure."""
        if self._directory is None:
            return {}
        png = module.comparison(self._directory / "images", self._record.rounds, self._record.pictures)
        if png is None:
            return {}
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            return {"comparison": np.asarray(image.convert("RGB"))}


def _logged(file: Path) -> dict[str, int]:
    """How many rounds each logger has; a file that does not say is as none."""
    try:
        loaded = json.loads(read_regular(file))
    except (OSError, ValueError, RecursionError):
        return {}
    counts = loaded.items() if isinstance(loaded, dict) else ()
    return {name: count for name, count in counts if type(count) is int}


def _takers(trainer: L.Trainer) -> list[RoundLogger]:
    return [logger for logger in trainer.loggers if isinstance(logger, RoundLogger)]


def _first_line(module: Rounds, number: int) -> int:
    """A round has a line for each step while it is going on, then one for each step of its curve, and its scores'."""
    return number * 2 * (module.budget + 2)


def _go_on(trainer: L.Trainer, line: int) -> None:
    for logger in _takers(trainer):
        logger.line = line
