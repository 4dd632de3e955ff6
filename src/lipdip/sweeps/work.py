"""Doing one cell: whatever happens in it is written down, and stops no other."""

import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from lipdip.core.errors import UserError
from lipdip.core.records import HeldError
from lipdip.sweeps.cell import DONE, ELSEWHERE, FAILED, RUNNING, Cell, SweepDirectory
from lipdip.training.autosave import Stopped

Task = Callable[[DictConfig, Console | None], Path]
Explain = Callable[[Exception], str]


def do(task: Task, cfg: DictConfig, cell: Cell, sweep: SweepDirectory, explain: Explain) -> Cell:
    """Do ``cell``, and write down how it goes.

    Args:
        task: does the run that a configuration describes, prints to a console, and gives the run directory.
        cfg: this cell's.
        cell: which one.
        sweep: where to write.
        explain: an error in one line.

    Returns:
        The cell as it ended: done, failed, or left to the process that is working on the same run.

    Raises:
        Stopped: if the process was asked to stop; the cell is then told of as waiting.
    """
    cell = replace(cell, status=RUNNING, began=time.time())
    sweep.write(cell)
    try:
        with sweep.log(cell).open("w") as log:
            ended = _attempt(task, cfg, cell, Console(file=log, width=120), explain)
    except BaseException:
        sweep.write(Cell(cell.number, cell.overrides))
        raise
    sweep.write(ended)
    return ended


def _attempt(task: Task, cfg: DictConfig, cell: Cell, screen: Console, explain: Explain) -> Cell:
    try:
        directory = task(cfg, screen)
    except HeldError:
        return replace(cell, status=ELSEWHERE)
    except Stopped:
        raise
    except (UserError, OSError, MemoryError) as error:
        return replace(cell, status=FAILED, reason=explain(error))
    except Exception as error:  # ours to repair, and no reason to stop the others
        screen.print(traceback.format_exc(), markup=False, highlight=False)
        return replace(cell, status=FAILED, reason=explain(error))
    before = (directory / "summary.json").stat().st_mtime < cell.began
    seconds = 0.0 if before else time.time() - cell.began
    return replace(cell, status=DONE, directory=str(directory), seconds=seconds)
