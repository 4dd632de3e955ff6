"""Saves the state of a run every few seconds, and at SIGTERM or Ctrl-C, so that no work is lost."""

import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Checkpoint, Timer
from typing_extensions import override

from lipdip.fit.rounds import Rounds
from lipdip.fit.saved_state import seal
from lipdip.runs.directory import RunDirectory


class Stopped(Exception):
    """The run was asked to stop, has saved its state, and can go on later.

    Args:
        signum: the signal that asked; 0: a limit of the trainer's, such as ``max_time``.
        where: how far it had come.
    """

    def __init__(self, signum: int, where: str) -> None:
        super().__init__(signum, where)  # as given, so that it can pass between processes
        self.exit_code = 128 + signum if signum else 2

    @override
    def __str__(self) -> str:
        signum, where = self.args
        by = f"by {signal.Signals(signum).name} " if signum else "by the trainer's limits "
        return f"stopped {by}in {where}; everything is saved"


class Autosave(Checkpoint):
    """Saves the trainer's whole state between two batches, never at a round's end, so that no round ends twice.

    Used as a context manager it listens for SIGTERM and Ctrl-C: a fit under way stops after the next batch; what comes
    after the last one (pictures, the summary) is finished first. A fit that Lightning ends before its last
    step (``max_time``, ``max_steps``) is saved likewise; :attr:`stopped_by_trainer` is then true.

    Args:
        directory: the run's; the state goes to ``directory.checkpoint``.
        every: seconds between two savings.
        run: the run's name, which the state says.
    """

    def __init__(self, directory: RunDirectory, every: float, run: str) -> None:
        self._directory = directory
        self._run = run
        self._every = every
        self._signal: int | None = None
        self._before: dict[int, Any] = {}
        self.stopped_by_trainer = False

    def __enter__(self) -> "Autosave":
        self._listen()
        return self

    def _listen(self) -> None:
        if threading.current_thread() is threading.main_thread():  # no other may listen for signals
            for signum in (signal.SIGTERM, signal.SIGINT):
                before = signal.signal(signum, self._heard)
                self._before.setdefault(signum, before)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        for signum, handler in self._before.items():
            signal.signal(signum, handler)
        self._before.clear()
        if self._signal is not None and not isinstance(value, Stopped):
            raise Stopped(self._signal, "its last step" if value is None else "a run that failed") from value

    @override
    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self._saved = time.monotonic()
        self._listen()  # again, in place of Lightning's own handler, which would end a round without saving

    def _heard(self, signum: int, frame: FrameType | None) -> None:
        if self._signal is not None:  # asked twice: at once, with what was saved last
            os._exit(128 + signum)
        self._signal = signum

    @override
    def on_train_batch_end(self, trainer: L.Trainer, pl_module: L.LightningModule, *_: Any) -> None:
        assert isinstance(pl_module, Rounds)
        spent = 0 <= trainer.max_steps <= trainer.global_step
        last = pl_module.round + 1 >= (trainer.max_epochs or 1)
        self.stopped_by_trainer = (trainer.should_stop or spent) and not (last and pl_module.done)
        if self._signal is not None or self.stopped_by_trainer or time.monotonic() - self._saved >= self._every:
            self._save(trainer)
        if self._signal is not None:
            raise Stopped(self._signal, f"round {trainer.current_epoch}")

    @override
    def on_save_checkpoint(self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Leave out how much of ``max_time`` is spent: a command that goes on has its own time."""
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            if isinstance(callback, Timer):
                checkpoint["callbacks"].pop(callback.state_key, None)

    def _save(self, trainer: L.Trainer) -> None:
        def save(file: Path) -> None:
            trainer.save_checkpoint(file)
            seal(file, self._run)

        self._directory.write_checkpoint(save)
        self._saved = time.monotonic()
