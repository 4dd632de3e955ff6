"""Rounds and curves to a logger (W&B, TensorBoard), beside the run directory that holds them anyway."""

import io
import json
from dataclasses import asdict
from pathlib import Path

import lightning as L
import numpy as np
from PIL import Image
from typing_extensions import override

from lipdip.core.files import write_whole
from lipdip.core.rows import Recovered, Restored, Round
from lipdip.figures.png import to_uint8
from lipdip.figures.run import comparison
from lipdip.lottery.matching import most_sparse_matching
from lipdip.training.loggers import FOUND, STEP, RoundLogger
from lipdip.training.record import Record
from lipdip.training.rounds import Rounds

LOGGED = "logged.json"  # in the run directory: which rounds each logger has, so that none is logged twice


class LogRounds(L.Callback):
    """Logs each round when it ends: its curve, scores, layers, pictures and ticket. Stands after ``Record``.

    Lines are numbered by round and step, so a line that is logged again after a crash has the same number.
    """

    def __init__(self, record: Record) -> None:
        self._record = record

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds) and trainer.logger is not None
        row, logger = self._record.rounds[-1], trainer.logger
        if not self._begins(trainer, f"round {row.round}"):
            return
        for step, curve in pl_module.curve().items():
            named = {f"curve/round_{row.round:02d}/{name}": value for name, value in curve.items()}
            logger.log_metrics({STEP: float(step), **named}, step=_line(pl_module, row, step))
        last = _line(pl_module, row, pl_module.budget + 1)
        if isinstance(logger, RoundLogger):
            pictures = {name: to_uint8(picture) for name, picture in pl_module.restored().items()}
            logger.log_pictures(pictures, row, last)
            logger.log_ticket(self._directory(trainer) / "tickets" / f"round_{row.round:02d}.safetensors", row)
        logger.log_metrics(self._scores(row), step=last)
        logger.save()
        self._ends(trainer, f"round {row.round}")

    def _scores(self, row: Round) -> dict[str, float]:
        """A round's scores, those of each picture where there are several, and what is left of each layer."""
        scores = {f"round/{name}": value for name, value in asdict(row).items()}
        for own in self._record.pictures:
            if own.round == row.round:
                values = {name: value for name, value in asdict(own).items() if not isinstance(value, str)}
                del values["round"], values["sparsity"]
                scores |= {f"picture/{own.picture}/{name}": value for name, value in values.items()}
        for layer in self._record.layers:
            if layer.round == row.round:
                scores |= {f"density/{layer.layer}": layer.density, f"dead_channels/{layer.layer}": layer.dead_channels}
        return {name: float(value) for name, value in scores.items() if value is not None}

    @override
    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds) and trainer.logger is not None
        rows, logger = self._record.rounds, trainer.logger
        if not rows or not self._begins(trainer, "end"):
            return
        line = _line(pl_module, rows[-1], pl_module.budget + 2)
        if isinstance(logger, RoundLogger) and isinstance(rows[-1], Restored | Recovered):
            drawn = Image.open(io.BytesIO(comparison(self._directory(trainer)))).convert("RGB")
            logger.log_pictures({"comparison": np.asarray(drawn)}, rows[-1], line)
        winner = most_sparse_matching(rows)
        found = {} if winner is None else {FOUND: float(winner.round), "matching/sparsity": winner.sparsity}
        logger.log_metrics(found, step=line)
        logger.save()
        self._ends(trainer, "end")

    def _directory(self, trainer: L.Trainer) -> Path:
        return Path(trainer.default_root_dir)

    def _logged(self, trainer: L.Trainer) -> dict[str, list[str]]:
        file = self._directory(trainer) / LOGGED
        logged: dict[str, list[str]] = json.loads(file.read_text()) if file.exists() else {}
        return logged

    def _begins(self, trainer: L.Trainer, part: str) -> bool:
        """Whether this logger does not have this part of the run yet."""
        return part not in self._logged(trainer).get(type(trainer.logger).__name__, [])

    def _ends(self, trainer: L.Trainer, part: str) -> None:
        logged = self._logged(trainer)
        logged.setdefault(type(trainer.logger).__name__, []).append(part)
        write_whole(self._directory(trainer) / LOGGED, json.dumps(logged) + "\n")


def _line(fitting: Rounds, row: Round, step: int) -> int:
    return row.round * (fitting.budget + 2) + step
