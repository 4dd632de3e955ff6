"""The progress of a sweep: how many cells are done, which are running, which failed, and the time left."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from lipdip.cli.sweeps.alike import with_twins
from lipdip.cli.sweeps.sweep_cell import DONE, ELSEWHERE, FAILED, RUNNING, WAITING, SweepCell, SweepDirectory
from lipdip.core.console import count, printable, say, span
from lipdip.core.errors import UserError

LOOK = 0.5  # seconds between two looks at the cells
SHOWN = 12  # running cells that are named


class Overview:
    """A thread that looks at the cells: on a terminal one live picture, elsewhere a line for each cell that ends.

    Args:
        sweep: whose plan is written.
        screen: where to show it.
    """

    def __init__(self, sweep: SweepDirectory, screen: Console) -> None:
        self._sweep = sweep
        self._screen = screen
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._reported: set[int] = set()
        self._seen: list[SweepCell] = []

    def __enter__(self) -> "Overview":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        if not self._over.wait(LOOK):  # a refused command line is all that is said of a sweep
            say(self._screen, f"{count(len(self._look()), 'run')}; what each prints is in {self._sweep.path}/logs")
        if not self._screen.is_terminal:
            while not self._over.wait(LOOK):
                self._tell(self._look())
            self._tell(self._look())
            return
        with Live(console=self._screen, auto_refresh=False, transient=True) as live:
            while not self._over.wait(LOOK):
                live.update(picture(self._look(), self._screen.height), refresh=True)

    def _look(self) -> list[SweepCell]:
        """The cells now, or as they were at the last look where they cannot be read."""
        with suppress(UserError, OSError):
            self._seen = with_twins([cell.now for cell in self._sweep.cells()])
        return self._seen

    def _tell(self, cells: Sequence[SweepCell]) -> None:
        for cell in cells:
            if cell.status in (DONE, FAILED) and cell.number not in self._reported:
                self._reported.add(cell.number)
                took = f"done in {span(cell.seconds)}" if cell.seconds else cell.reason or "was done already"
                how = f"FAILED: {cell.reason}" if cell.status == FAILED else took
                say(self._screen, f"{len(self._reported)} of {len(cells)}  {named(cell, cells)}: {how}")


def picture(cells: Sequence[SweepCell], height: int = 25) -> Group:
    """The whole sweep in at most ``height`` lines: of the cells that failed, the newest that fit."""
    lines = [_one_line(counted(cells), "bold")]
    running = [cell for cell in cells if cell.status == RUNNING]
    spans = {cell: span(_running_for(cell)) for cell in running[:SHOWN]}
    lines += [_one_line(f"  running  {named(cell, cells)}, {span}") for cell, span in spans.items()]
    if len(running) > SHOWN:
        lines.append(_one_line(f"  and {len(running) - SHOWN} more"))
    failed = sorted((cell for cell in cells if cell.status == FAILED), key=lambda cell: cell.began)
    newest = failed[-max(height - len(lines) - 1, 1) :]  # and a line for the cursor
    lines += [_one_line(f"  failed   {named(cell, cells)}: {cell.reason}", "red") for cell in newest]
    return Group(*lines)


def _one_line(text: str, style: str = "") -> Text:
    return Text(printable(" ".join(text.splitlines())), style, no_wrap=True, overflow="ellipsis")


def counted(cells: Sequence[SweepCell]) -> str:
    """How many cells are in which state, and the time left where it can be estimated."""
    parts = [f"{_count(cells, DONE)} of {len(cells)} done"]
    names = {RUNNING: "running", FAILED: "failed", ELSEWHERE: "in another process", WAITING: "waiting"}
    parts += [f"{_count(cells, status)} {name}" for status, name in names.items() if _count(cells, status)]
    left, about = seconds_left(cells), "at most" if _count(cells, ELSEWHERE) else "about"
    return ", ".join(parts) + ("" if left is None else f"; {about} {span(left)} left")


def seconds_left(cells: Sequence[SweepCell]) -> float | None:
    """Estimated from the mean of the cells done in this sweep; None before the first of them, and when none is left."""
    took = [cell.seconds for cell in cells if cell.status == DONE and cell.seconds > 0]
    running = [cell for cell in cells if cell.status == RUNNING]
    if not took or not (running or _count(cells, WAITING)):
        return None
    mean = sum(took) / len(took)
    rest = sum(max(mean - _running_for(cell), 0) for cell in running) + mean * _count(cells, WAITING)
    return rest / max(len(running), 1)


def named(cell: SweepCell, cells: Sequence[SweepCell]) -> str:
    """The overrides that distinguish a cell from the others."""
    if len(cells) == 1:
        return "the only cell"
    common = set(cell.overrides).intersection(*(other.overrides for other in cells))
    return " ".join(override for override in cell.overrides if override not in common) or f"cell {cell.number}"


def _running_for(cell: SweepCell) -> float:
    """Seconds; its machine's clock may be ahead of this one's."""
    return max(time.time() - cell.began, 0.0)


def _count(cells: Sequence[SweepCell], status: str) -> int:
    return sum(cell.status == status for cell in cells)
