"""A sweep from its first run to its summary, in the process that started it."""

import logging
import os
import socket
from dataclasses import replace
from functools import partial
from math import inf
from pathlib import Path
from types import TracebackType

from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.sweeps.alike import all_failed_alike, with_twins
from lipdip.cli.sweeps.overview import Overview, counted, named
from lipdip.cli.sweeps.plan_callback import begin_with
from lipdip.cli.sweeps.sweep_cell import DONE, ELSEWHERE, FAILED, RUNNING, WAITING, SweepCell, SweepDirectory
from lipdip.cli.sweeps.work import Task, do
from lipdip.core.console import say, shortened
from lipdip.runs.directory import wait_until_free


class Session:
    """Shows progress of a sweep, finishes cells that its launcher left, and prints a summary.

    Does nothing for a single run.

    Args:
        task: what does a cell.
        screen: where to show it.
    """

    def __init__(self, task: Task, screen: Console) -> None:
        self._task = task
        self._screen = screen
        self._sweep: SweepDirectory | None = None
        self._overview: Overview | None = None
        self._queued = False
        self.foreign = False  # whether another sweeper than Hydra's own chooses the runs, which then have no plan
        self.undone = 0  # cells, once it has ended

    def __enter__(self) -> "Session":
        begin_with(self._begin)
        return self

    def _begin(self, sweep: SweepDirectory | None, queued: bool) -> None:
        if sweep is None:
            self.foreign = True
            _show_log(self._screen)
            return
        self._sweep, self._overview, self._queued = sweep, Overview(sweep, self._screen), queued
        self._overview.__enter__()

    @property
    def planned(self) -> bool:
        """Whether this is a sweep at all, and its plan is written."""
        return self._sweep is not None

    @property
    def _begun(self) -> bool:
        return self._sweep is not None and any(cell.status != WAITING for cell in self._sweep.cells())

    @property
    def rest(self) -> str:
        """What becomes of the cells, where the launcher gave up."""
        if self._queued:
            return "what is queued goes on"
        return "what is left is done here" if self._begun else "nothing is under way"

    def discarded(self) -> bool:
        """Forget a sweep that ended before any cell began: there is nothing to go on with.

        Returns:
            Whether there was one.
        """
        if self._sweep is None or self._overview is None or self._queued or self._begun:
            return False
        self._overview.__exit__(None, None, None)
        say(self._screen, counted(self._sweep.cells()))
        self._sweep.discard()
        self._sweep = None
        return True

    def finish(self) -> None:
        """Do the cells that are not done yet: another process had them, or their worker was killed.

        Does nothing for cluster launchers (their jobs may still be queued), or if no cell was started.

        Raises:
            Stopped: if the process was asked to stop.
            UserError: if the state of a cell cannot be written, or the lock of a run cannot be looked at.
        """
        if self._sweep is None or self._queued or not self._begun:
            return
        for cell in sorted(self._sweep.cells(), key=lambda cell: cell.status == ELSEWHERE):
            if cell.status == ELSEWHERE:
                wait_until_free(Path(cell.directory))
            if cell.status not in (DONE, FAILED):
                configure = partial(compose, *cell.overrides, own=cell.config_dir)
                do(self._task, configure, cell, self._sweep, patience=inf)

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        begin_with(None)
        if self._sweep is None or self._overview is None:
            return
        self._overview.__exit__(None, None, None)
        cells = with_twins([_left(cell) for cell in self._sweep.cells()])
        failed = [cell for cell in cells if cell.status == FAILED]
        self.undone = sum(cell.status != DONE for cell in cells)
        say(self._screen, counted(cells))
        for cell in failed:
            say(self._screen, f"FAILED {named(cell, cells)}: {cell.reason}")
            say(self._screen, f"  alone: {cell.command}")
        stop_after = self._sweep.stop_after
        if self.undone > len(failed) and all_failed_alike(cells, stop_after):
            say(
                self._screen,
                f"{len(failed)} failed alike, so the others were not begun (sweep.stop_after={stop_after})",
            )
        if self.undone > len(failed):
            say(self._screen, "To go on, give the same command: what is done is not done again")


def _show_log(screen: Console) -> None:
    """Show what a sweeper logs, such as the best settings: Hydra's own logging is off."""

    class Shown(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            say(screen, shortened(record.getMessage()))

    log = logging.getLogger("hydra_plugins")
    log.handlers, log.propagate = [Shown()], False
    log.setLevel(logging.INFO)


def _left(cell: SweepCell) -> SweepCell:
    """A cell at the end, when nothing runs any more that this process has begun."""
    own = (cell.host, cell.pid) == (socket.gethostname(), os.getpid())
    return replace(cell, status=WAITING) if cell.status == RUNNING and own else cell.now
