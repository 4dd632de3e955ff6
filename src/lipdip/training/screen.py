"""What a person sees while a run goes on: one line a round and, in a terminal, a bar below them."""

from typing import Any

import lightning as L
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from typing_extensions import override

from lipdip.core.records import Round
from lipdip.training.fitting import PriorFitting
from lipdip.training.record import Record


def line(row: Round, rounds: int, answer: str) -> str:
    """One round as one line."""
    head = f"round {row.round:2d}/{rounds - 1}  sparsity {row.sparsity:.3f}  loss {row.loss:.3e}"
    tail = f"  {row.seconds:.0f} s"
    if row.psnr_best is None:
        return head + tail
    best = f"best {answer} {row.psnr_best:.2f} dB at step {row.psnr_best_step}"
    score = f"  {best}, last output {row.psnr_last:.2f}"
    return head + score + tail + ("  matching" if row.matching and row.round else "")


class Screen(L.Callback):
    """Progress for people. Stands between ``Record``, whose rows it shows, and ``PruneAndRewind``.

    Args:
        console: where to.
        rounds: how many there will be.
    """

    def __init__(self, console: Console, record: Record, rounds: int) -> None:
        self._console = console
        self._record = record
        self._rounds = rounds
        self._progress = Progress(
            TextColumn("round {task.fields[round]} step {task.fields[step]}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f}%  {task.fields[score]}"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
            speed_estimate_period=120,
        )

    @override
    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, PriorFitting)
        for row in self._record.rounds:
            self._console.print(line(row, self._rounds, pl_module.settings.answer), highlight=False)
        total = self._rounds * pl_module.settings.steps
        self._task = self._progress.add_task(
            "", total=total, round=0, step=0, score="", completed=self._done(pl_module)
        )
        self._progress.start()

    def _done(self, fitting: PriorFitting) -> int:
        return fitting.round * fitting.settings.steps + fitting.scores.steps

    @override
    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        assert isinstance(pl_module, PriorFitting)
        loss, psnr = pl_module.scores.last()
        score = f"loss {loss:.2e}" if psnr is None else f"best {psnr:.2f} dB"
        step = f"{pl_module.scores.steps}/{pl_module.settings.steps}"
        number = f"{pl_module.round}/{self._rounds - 1}"
        self._progress.update(self._task, completed=self._done(pl_module), round=number, step=step, score=score)

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, PriorFitting)
        told = line(self._record.rounds[-1], self._rounds, pl_module.settings.answer)
        self._progress.console.print(told, highlight=False)

    @override
    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self._progress.stop()
