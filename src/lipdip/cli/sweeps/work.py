"""Doing one cell: whatever happens in it is recorded, and stops no other cell."""

import os
import socket
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from lipdip.cli.sweeps.sweep_cell import DONE, ELSEWHERE, FAILED, RUNNING, Cell, SweepDirectory
from lipdip.core.errors import UserError
from lipdip.fit.autosave import Stopped
from lipdip.fit.naming import Sweep
from lipdip.runs.directory import HeldError, wait_until_free

PATIENCE = 600.0  # seconds that a job in a cluster's queue waits for a run that another process holds

Task = Callable[[DictConfig, Console | None, Sweep | None], Path]
Configure = Callable[[], DictConfig]
Explain = Callable[[Exception], str]


def do(task: Task, configure: Configure, cell: Cell, sweep: SweepDirectory, explain: Explain) -> Cell:
    """Do ``cell``, and write down how it goes.

    Args:
        task: does the run that a configuration describes, prints to a console, tells loggers of its sweep,
            and gives the run directory.
        configure: gives this cell's configuration.
        cell: which one.
        sweep: where to write.
        explain: an error in one line.

    Returns:
        The cell as it ended: done, failed, or elsewhere, if another process is working on the same run.

    Raises:
        Stopped: if the process was asked to stop; the cell is then marked as waiting.
        UserError: if the cell's state cannot be written.
        OSError: if what its run prints cannot be.
    """
    host, pid = socket.gethostname(), os.getpid()
    cell = replace(cell, status=RUNNING, reason="", directory="", began=time.time(), host=host, pid=pid)
    sweep.write(cell)
    try:
        with sweep.log(cell).open("w") as log:
            ended = _attempt(task, configure, cell, sweep, Console(file=log, width=120), explain)
        sweep.write(ended)
    except BaseException:
        with suppress(UserError):  # what went wrong first is what matters
            sweep.reset([cell])
        raise
    return ended


def do_queued(task: Task, configure: Configure, cell: Cell, sweep: SweepDirectory, explain: Explain) -> Cell:
    """``do`` in a job of a cluster, which waits for a run that another process holds, but not for ever.

    Nobody looks at its cell again; and a job that is queued again can begin while the file server still counts its
    old self as the run's holder.

    Returns:
        The cell as it ended: done or failed.

    Raises:
        Stopped: if the process was asked to stop; the cell is then marked as waiting.
        UserError: if the cell's state cannot be written, or the run's lock cannot be looked at.
        OSError: if what its run prints cannot be written.
    """
    ends = time.monotonic() + PATIENCE
    ended = do(task, configure, cell, sweep, explain)
    while ended.status == ELSEWHERE and wait_until_free(Path(ended.directory), ends - time.monotonic()):
        ended = do(task, configure, cell, sweep, explain)
    if ended.status == ELSEWHERE:
        why = f"another process still works on {ended.directory} after {PATIENCE:.0f} s; give the same command later"
        ended = replace(ended, status=FAILED, reason=why)
        sweep.write(ended)
    return ended


def _attempt(
    task: Task, configure: Configure, cell: Cell, sweep: SweepDirectory, screen: Console, explain: Explain
) -> Cell:
    began = time.monotonic()
    try:
        directory = task(configure(), screen, sweep.sweep_of(cell))
        before = (directory / "config.yaml").stat().st_mtime < sweep.written(cell)  # who does a run writes it first
    except HeldError as held:
        return replace(cell, status=ELSEWHERE, directory=str(held.run.absolute()))
    except Stopped:
        raise
    except (UserError, OSError, MemoryError) as error:
        return replace(cell, status=FAILED, reason=explain(error))
    except Exception as error:  # ours to repair, and no reason to stop the others
        screen.print(traceback.format_exc(), markup=False, highlight=False)
        return replace(cell, status=FAILED, reason=explain(error))
    seconds = 0.0 if before else time.monotonic() - began
    return replace(cell, status=DONE, directory=str(directory), seconds=seconds)
