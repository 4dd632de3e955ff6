"""Rounds and curves to a logger (W&B, TensorBoard), beside the run directory that holds them anyway."""

from dataclasses import asdict

import lightning as L
from typing_extensions import override

from lipdip.training.record import Record
from lipdip.training.rounds import Rounds


class LogRounds(L.Callback):
    """Logs each round when it ends: its curve over all optimisation steps, then its row. Stands after ``Record``."""

    def __init__(self, record: Record) -> None:
        self._record = record

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds) and trainer.logger is not None
        row, budget = self._record.rounds[-1], pl_module.budget
        for step, curve in pl_module.curve().items():
            named = {f"curve/{name}": value for name, value in curve.items()}
            trainer.logger.log_metrics(named, step=row.round * budget + step)
        scores = {f"round/{name}": float(value) for name, value in asdict(row).items() if value is not None}
        trainer.logger.log_metrics(scores, step=(row.round + 1) * budget)
        trainer.logger.save()
