"""The cells of a sweep, each in a small file of its own that every process can write and read."""

import json
import os
import shlex
import socket
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from lipdip.core.files import write_whole

WAITING, RUNNING, DONE, FAILED, ELSEWHERE = "waiting", "running", "done", "failed", "elsewhere"


@dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Args:
        number: its place in the sweep, from 0.
        overrides: what the command line of this run alone has.
        status: waiting, running, done, failed, or elsewhere: another process is working on this very run.
        reason: why it failed, in one line.
        directory: its run directory, once that is known.
        began: seconds since the epoch.
        seconds: that it took; 0 where it had been finished before.
        host: which machine works on it.
        pid: which process there.
    """

    number: int
    overrides: tuple[str, ...]
    status: str = WAITING
    reason: str = ""
    directory: str = ""
    began: float = 0.0
    seconds: float = 0.0
    host: str = field(default_factory=socket.gethostname)
    pid: int = field(default_factory=os.getpid)

    @property
    def command(self) -> str:
        """What to type to do it alone."""
        return shlex.join(["python", "-m", "lipdip.run", *self.overrides])


class SweepDirectory:
    """Where a sweep's cells are told of: ``sweep.json`` has the plan, ``cells/`` how each goes, ``logs/`` its screen.

    Args:
        path: the directory; made when the plan is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def begin(self, cells: Sequence[Sequence[str]]) -> None:
        """Write the plan: the overrides of each cell."""
        (self.path / "cells").mkdir(parents=True, exist_ok=True)
        write_whole(self.path / "sweep.json", json.dumps({"cells": [list(cell) for cell in cells]}, indent=1) + "\n")

    def plan(self) -> list[list[str]]:
        """The overrides of each cell."""
        cells: list[list[str]] = json.loads((self.path / "sweep.json").read_text())["cells"]
        return cells

    def write(self, cell: Cell) -> None:
        """Say how a cell goes."""
        (self.path / "cells").mkdir(parents=True, exist_ok=True)
        write_whole(self.path / "cells" / f"{cell.number:05d}.json", json.dumps(asdict(cell)) + "\n")

    def cells(self) -> list[Cell]:
        """All of them, in order; what nobody has begun is waiting."""
        plan = self.plan()
        told = {cell.number: cell for cell in map(_read, sorted((self.path / "cells").glob("*.json")))}
        return [told.get(number, Cell(number, tuple(own), host="", pid=0)) for number, own in enumerate(plan)]

    def log(self, cell: Cell) -> Path:
        """The file that has what a cell's run printed."""
        file = self.path / "logs" / f"{cell.number:05d}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        return file


def _read(file: Path) -> Cell:
    cell = Cell(**json.loads(file.read_text()))
    return replace(cell, overrides=tuple(cell.overrides))
