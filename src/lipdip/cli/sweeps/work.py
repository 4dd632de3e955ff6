"""Doing one cell of a sweep: whatever happens in it is recorded, and stops no other cell."""

import os
import socket
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig
from rich.console import Console

from lipdip.cli.exit_codes import asked_to_stop, expected, in_one_line
from lipdip.cli.parent import end_with_parent
from lipdip.cli.sweeps.alike import all_failed_alike
from lipdip.cli.sweeps.sweep_cell import DONE, ELSEWHERE, FAILED, RUNNING, WAITING, SweepCell, SweepDirectory
from lipdip.core.errors import UserError
from lipdip.runs.directory import HeldError, ended_here, wait_until_free

if TYPE_CHECKING:
    from lipdip.fit.naming import Sweep

PATIENCE = 600.0  # seconds that a job in a cluster's queue waits for a run that another process holds

Configure = Callable[[], DictConfig]
Task = Callable[[DictConfig, Console | None, "Sweep | None"], Path]


def do(task: Task, configure: Configure, cell: SweepCell, sweep: SweepDirectory, patience: float = 0) -> SweepCell:
    """Do ``cell``, and write down how it goes.

    Args:
        task: does the run that a configuration describes, prints to a console, names its sweep to loggers,
            and gives the run directory.
        configure: gives this cell's configuration.
        cell: which one.
        sweep: where to write.
        patience: how many seconds to wait for a run that another process holds. A job of a cluster waits, since nobody
            looks at its cell again, and the file server may still count its old self as the run's holder.

    Returns:
        The cell as it ended: done, failed, waiting (so many failed alike that no other is begun), or, without
        patience, elsewhere: another process has the run.

    Raises:
        Stopped: if the process was asked to stop; the cell is then marked as waiting.
        UserError: if the cell's state cannot be written.
        OSError: if what its run prints cannot be.
    """
    end_with_parent()
    if all_failed_alike(sweep.cells(), sweep.stop_after):
        return cell
    ends = time.monotonic() + patience
    while (ended := _once(task, configure, cell, sweep)).status == ELSEWHERE and patience:
        if not wait_until_free(Path(ended.directory), ends - time.monotonic()):
            why = (
                f"another process still works on {ended.directory} after {patience:.0f} s; give the same command later"
            )
            ended = replace(ended, status=FAILED, reason=why)
            sweep.write(ended)
            break
    return ended


def _once(task: Task, configure: Configure, cell: SweepCell, sweep: SweepDirectory) -> SweepCell:
    host, pid = socket.gethostname(), os.getpid()
    cell = replace(cell, status=RUNNING, reason="", directory="", began=time.time(), host=host, pid=pid)
    sweep.write(cell)
    try:
        with sweep.log(cell).open("w") as log:
            ended = _attempt(task, configure, cell, sweep, Console(file=log, width=120))
        sweep.write(ended)
    except BaseException:
        with suppress(UserError):  # what went wrong first is what matters
            sweep.write(replace(cell, status=WAITING))
        raise
    return ended


def _attempt(task: Task, configure: Configure, cell: SweepCell, sweep: SweepDirectory, screen: Console) -> SweepCell:
    began = time.monotonic()
    try:
        directory = task(configure(), screen, sweep.sweep_of(cell))
        found = not ended_here(directory)
    except HeldError as held:
        return replace(cell, status=ELSEWHERE, directory=str(held.run.absolute()))
    except Exception as error:
        if asked_to_stop(error):
            raise
        if not expected(error):  # ours to repair, and no reason to stop the others
            screen.print(traceback.format_exc(), markup=False, highlight=False)
        return replace(cell, status=FAILED, reason=in_one_line(error))
    return replace(cell, status=DONE, directory=str(directory), seconds=0 if found else time.monotonic() - began)
