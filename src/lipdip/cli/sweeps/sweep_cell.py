"""The cells of a sweep, each in a small file of its own that every process can write and read."""

import json
import os
import shlex
import shutil
import socket
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lipdip.core.errors import UserError
from lipdip.core.files import read_regular, write_whole

if TYPE_CHECKING:
    from lipdip.fit.naming import Sweep

WAITING, RUNNING, DONE, FAILED, ELSEWHERE = "waiting", "running", "done", "failed", "elsewhere"
_READS, _PAUSE = 3, 0.1  # attempts at a file that another process may be replacing, and seconds between two of them


@dataclass(frozen=True)
class SweepCell:
    """One run of a sweep.

    Args:
        number: its place in the sweep, from 0.
        overrides: the Hydra overrides of this run.
        status: waiting, running, done, failed, or elsewhere: another process is working on this very run.
        reason: why it failed, in one line.
        directory: its run directory, once that is known.
        began: seconds since the epoch.
        seconds: duration in seconds; 0 if this process did not do it.
        host: the machine that works on it; empty while it is waiting.
        pid: the process there; 0 while it is waiting.
        config_dir: the user's own configuration directory (``--config-dir``), if any.
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
    config_dir: str = ""

    @property
    def abandoned(self) -> bool:
        """Whether it is said to be running, but by a process of this machine that is no longer there."""
        return self.status == RUNNING and self.host == socket.gethostname() and not _alive(self.pid)

    @property
    def now(self) -> "SweepCell":
        """As it is: its file may still say what a process was doing that has finished, or is gone."""
        if self.status == ELSEWHERE and (Path(self.directory) / "summary.json").exists():
            return replace(self, status=DONE, reason="done by another process")
        return replace(self, status=WAITING) if self.abandoned else self

    @property
    def command(self) -> str:
        """What to type to do it alone."""
        own = ["--config-dir", self.config_dir] if self.config_dir else []
        return shlex.join(["python", "-m", "lipdip.run", *own, *self.overrides])


class SweepDirectory:
    """The files of one sweep: ``sweep.json`` lists its cells, ``cells/`` holds their states, ``logs/`` what they print.

    Args:
        path: the directory; made when the plan is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._planned: list[SweepCell] | None = None
        self._stop_after = 0

    def begin(self, cells: Sequence[Sequence[str]], config_dir: str = "", stop_after: int = 0) -> None:
        """Write the plan; what an earlier sweep left in the same directory is removed.

        Args:
            cells: the overrides of each cell.
            config_dir: the user's own configuration directory, if any.
            stop_after: how many cells must fail alike for the others not to be begun; 0: however many.

        Raises:
            UserError: if it cannot be written.
        """
        for folder in ("cells", "logs"):
            shutil.rmtree(self.path / folder, ignore_errors=True)
        plan = {"cells": [[*cell] for cell in cells], "config_dir": config_dir, "stop_after": stop_after}
        self._write("sweep.json", json.dumps(plan, indent=1))

    def discard(self) -> None:
        """Remove it, and the folders around it that are then empty."""
        shutil.rmtree(self.path, ignore_errors=True)
        for folder in (self.path.parent, self.path.parent.parent):
            with suppress(OSError):
                folder.rmdir()

    def planned(self) -> list[SweepCell]:
        """All cells as they were before any began.

        Raises:
            UserError: if there is no plan, or it cannot be read.
        """
        if self._planned is None:
            plan = _read(self.path / "sweep.json")
            own = plan.get("config_dir", "")
            self._stop_after = int(plan.get("stop_after", 0))
            self._planned = [
                SweepCell(number, tuple(overrides), host="", pid=0, config_dir=own)
                for number, overrides in enumerate(plan["cells"])
            ]
        return self._planned

    def cells(self) -> list[SweepCell]:
        """All cells, in order; one that has not begun is waiting, and so is one whose file cannot be read.

        Raises:
            UserError: if there is no plan, or it cannot be read.
        """
        return [self._now(cell) for cell in self.planned()]

    @property
    def stop_after(self) -> int:
        """How many cells must fail alike for the others not to be begun; 0: however many.

        Raises:
            UserError: if there is no plan, or it cannot be read.
        """
        self.planned()
        return self._stop_after

    def write(self, cell: SweepCell) -> None:
        """Write down a cell's state.

        Raises:
            UserError: if it cannot be written.
        """
        self._write(_file(cell), json.dumps(asdict(cell)))

    def sweep_of(self, cell: SweepCell) -> "Sweep":
        """What loggers record of the sweep: the experiment, else the hash of the plan, and what is varied.

        Raises:
            UserError: if there is no plan, or it cannot be read.
        """
        from lipdip.fit.naming import Sweep  # here, because it loads torch

        experiments = [own.partition("=")[2] for own in cell.overrides if own.startswith("experiment=")]
        values: dict[str, set[str]] = {}
        for override in (own for planned in self.planned() for own in planned.overrides):
            name, _, value = override.lstrip("+").partition("=")
            values.setdefault(name, set()).add(value)
        varied = tuple(name for name, several in values.items() if len(several) > 1)
        return Sweep(experiments[0] if experiments else self.path.parent.name, varied)

    def log(self, cell: SweepCell) -> Path:
        """The file for what a cell's run prints, in a folder that exists."""
        file = self.path / "logs" / f"{cell.number:05d}.txt"
        file.parent.mkdir(parents=True, exist_ok=True)
        return file

    def _now(self, planned: SweepCell) -> SweepCell:
        if not (self.path / _file(planned)).exists():
            return planned
        try:
            cell = SweepCell(**_read(self.path / _file(planned)))
        except (UserError, TypeError):
            return planned
        return replace(cell, overrides=tuple(cell.overrides))

    def _write(self, name: str, content: str) -> None:
        file = self.path / name
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot write to {self.path}: {error.strerror or error}") from None
        write_whole(file, content + "\n")


def _file(cell: SweepCell) -> str:
    return f"cells/{cell.number:05d}.json"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _read(file: Path) -> dict[str, Any]:
    """A JSON file; a network file system may show one for a moment as missing or cut off while it is replaced."""
    for attempt in range(1, _READS + 1):
        try:
            loaded: dict[str, Any] = dict(json.loads(read_regular(file)))
            return loaded
        except (OSError, ValueError, TypeError, RecursionError) as error:
            if attempt == _READS:
                raise UserError(f"cannot read {file}: {error}") from None
            time.sleep(_PAUSE)
    raise AssertionError
