"""What a person sees while a run goes on: one line a round and, in a terminal, a bar below them."""

import time
from typing import Any

import lightning as L
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from typing_extensions import override

from lipdip.fit.record import Record
from lipdip.fit.rounds import Rounds
from lipdip.runs.rows import Round

_PAUSE = 0.2  # seconds between two looks at the scores, which wait for the device


def line(row: Round, rounds: int, scores: str) -> str:
    """One round as one line, with its scores in words."""
    head = f"round {row.round:2d}/{rounds - 1}  sparsity {row.sparsity:.3f}  loss {row.loss:.3e}"
    matching = "matching" if row.matching and row.round else ""
    return "  ".join(part for part in (head, scores, f"{row.seconds:.0f} s", matching) if part)


class Screen(L.Callback):
    """Progress for people. Stands after ``Record``, whose rows it shows.

    Args:
        console: where to.
        record: the rounds so far.
        rounds: how many there will be.
    """

    def __init__(self, console: Console, record: Record, rounds: int) -> None:
        self._console = console
        self._record = record
        self._rounds = rounds
        self._shown = 0.0
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
        assert isinstance(pl_module, Rounds)
        for row in self._record.rounds:
            self._console.print(line(row, self._rounds, pl_module.describe(row)), highlight=False)
        total = self._rounds * pl_module.budget
        self._task = self._progress.add_task(
            "", total=total, round=0, step=0, score="", completed=self._done(pl_module)
        )
        self._progress.start()

    def _done(self, fitting: Rounds) -> int:
        return fitting.round * fitting.budget + fitting.steps

    @override
    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        assert isinstance(pl_module, Rounds)
        if self._progress.disable or time.monotonic() - self._shown < _PAUSE:
            return
        self._shown = time.monotonic()
        score = pl_module.reading()[1]
        step = f"{pl_module.steps}/{pl_module.budget}"
        number = f"{pl_module.round}/{self._rounds - 1}"
        self._progress.update(self._task, completed=self._done(pl_module), round=number, step=step, score=score)

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds)
        if not pl_module.done:
            return
        row = self._record.rounds[-1]
        self._progress.console.print(line(row, self._rounds, pl_module.describe(row)), highlight=False)

    @override
    def on_exception(self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException) -> None:
        self._progress.stop()  # else the terminal's cursor stays hidden: Lightning tears down only what ended well

    @override
    def teardown(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        self._progress.stop()
