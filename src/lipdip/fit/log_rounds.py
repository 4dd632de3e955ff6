"""Rounds and curves to a logger (W&B, TensorBoard), beside the run directory that holds them anyway."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
from PIL import Image
from rich.console import Console
from typing_extensions import override

from lipdip.core.files import write_whole
from lipdip.figures.png import to_uint8
from lipdip.figures.run_figures import comparison
from lipdip.fit.loggers import FOUND, STEP, Pictures, RoundLogger
from lipdip.fit.record import Record
from lipdip.fit.rounds import Rounds
from lipdip.runs.matching import most_sparse_matching
from lipdip.runs.rows import Recovered, Restored, Round

Curve = Mapping[int, Mapping[str, float]]  # by step, values by name
_SCORES = ("loss", "psnr", "psnr_ema", "ssim", "accuracy", "generator_loss", "distance", "objective", "mse")
LOGGED = "logged.json"  # in the run directory: which rounds each logger has, so that none is logged twice


class LogRounds(L.Callback):
    """Logs each round when it ends: its curve, scores, layers, pictures and ticket. Stands after ``Record``.

    Lines are numbered by round and step, so a line that is logged again after a crash has the same number. Rounds that
    were done before the logger was on are logged first, but for their pictures, which nobody has kept.

    Args:
        record: the rounds so far.
        console: where to say which rounds come too late for the logger.
    """

    def __init__(self, record: Record, console: Console) -> None:
        self._record = record
        self._console = console

    @override
    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds)
        begun = [self._begins(trainer, f"round {row.round}") for row in self._record.rounds]
        lacking = [row for row, lacks in zip(self._record.rounds, begun, strict=True) if lacks]
        if lacking and not all(begun[lacking[0].round :]):  # a logger takes lines in their order only
            names = ", ".join(str(row.round) for row in lacking)
            self._console.print(f"note: the logger was off in round {names}, which it cannot be told now")
            return
        for row in lacking:
            self._log(trainer, pl_module, row, _curve(self._record.curves, row.round, pl_module.budget), {})

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds)
        row = self._record.rounds[-1]
        if self._begins(trainer, f"round {row.round}"):
            pictures = {name: to_uint8(picture) for name, picture in pl_module.restored().items()}
            self._log(trainer, pl_module, row, pl_module.curve(), pictures)

    def _log(self, trainer: L.Trainer, fitting: Rounds, row: Round, curve: Curve, pictures: Pictures) -> None:
        """One round."""
        logger = trainer.logger
        assert logger is not None
        for step, values in curve.items():
            named = {f"curve/round_{row.round:02d}/{name}": value for name, value in values.items()}
            logger.log_metrics({STEP: float(step), **named}, step=_line(fitting, row, step))
        last = _line(fitting, row, fitting.budget + 1)
        if isinstance(logger, RoundLogger):
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


def _curve(rows: Sequence[Any], number: int, budget: int) -> Curve:
    """A round's rows of ``curves.csv`` as :meth:`Rounds.curve` gave them when it ended."""
    own = [asdict(row) for row in rows if row.round == number]
    several = len({row.get("picture") for row in own}) > 1
    epochs = max((row.get("epoch", 1) for row in own), default=1)
    curve: dict[int, dict[str, float]] = {}
    for row in own:
        prefix = f"{row['picture']}/" if several else ""
        values = {prefix + name: row[name] for name in _SCORES if row.get(name) is not None}
        curve.setdefault(row["step"] if "step" in row else row["epoch"] * budget // epochs, {}).update(values)
    return curve
