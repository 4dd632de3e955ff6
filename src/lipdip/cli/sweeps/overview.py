"""The progress of a sweep: how many cells are done, which are running, which failed, and the time left."""

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from lipdip.cli.sweeps.sweep_cell import DONE, ELSEWHERE, FAILED, RUNNING, WAITING, Cell, SweepDirectory
from lipdip.core.errors import UserError
from lipdip.figures.terminal import count, say, span

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
        self._told: set[int] = set()
        self._seen: list[Cell] = []

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
                live.update(picture(self._look(), self._screen.height, self._sweep.shared), refresh=True)

    def _look(self) -> list[Cell]:
        """The cells now, or as they were at the last look where they cannot be read."""
        with suppress(UserError, OSError):
            self._seen = [cell.now for cell in self._sweep.cells()]
        return self._seen

    def _tell(self, cells: Sequence[Cell]) -> None:
        for cell in cells:
            if cell.status in (DONE, FAILED) and cell.number not in self._told:
                self._told.add(cell.number)
                how = f"FAILED: {cell.reason}" if cell.status == FAILED else self._took(cell)
                head = f"{len(self._told)} of {len(cells)}"
                say(self._screen, f"{head}  {named(cell, cells)}: {how}")

    def _took(self, cell: Cell) -> str:
        if cell.seconds:
            return f"done in {span(cell.seconds)}"
        return "done by another process" if self._sweep.since(cell) else "was done already"


def picture(cells: Sequence[Cell], height: int = 25, shared: bool = False) -> Group:
    """The whole sweep at one look, a line for each cell: of those that failed the newest that fit on the screen.

    Args:
        cells: all of them.
        height: of the screen, in lines.
        shared: whether other processes work on the sweep too.
    """
    lines = [_one_line(counted(cells, shared), "bold")]
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
    return Text(" ".join(text.splitlines()), style, no_wrap=True, overflow="ellipsis")


def counted(cells: Sequence[Cell], shared: bool = False) -> str:
    """How many cells are in which state, and the time left where it can be estimated.

    Args:
        cells: all of them.
        shared: whether other processes work on the sweep too; the time left is then what it is without them.
    """
    parts = [f"{_count(cells, DONE)} of {len(cells)} done"]
    names = {RUNNING: "running", FAILED: "failed", ELSEWHERE: "in another process", WAITING: "waiting"}
    parts += [f"{_count(cells, status)} {name}" for status, name in names.items() if _count(cells, status)]
    left, about = seconds_left(cells), "at most" if shared or _count(cells, ELSEWHERE) else "about"
    return ", ".join(parts) + ("" if left is None else f"; {about} {span(left)} left")


def seconds_left(cells: Sequence[Cell]) -> float | None:
    """Estimated from the mean of the cells done in this sweep; None before the first of them, and when none is left."""
    took = [cell.seconds for cell in cells if cell.status == DONE and cell.seconds > 0]
    running = [cell for cell in cells if cell.status == RUNNING]
    if not took or not (running or _count(cells, WAITING)):
        return None
    mean = sum(took) / len(took)
    rest = sum(max(mean - _running_for(cell), 0) for cell in running) + mean * _count(cells, WAITING)
    return rest / max(len(running), 1)


def named(cell: Cell, cells: Sequence[Cell]) -> str:
    """The overrides that tell a cell from the others."""
    if len(cells) == 1:
        return "the only cell"
    common = set(cell.overrides).intersection(*(other.overrides for other in cells))
    return " ".join(override for override in cell.overrides if override not in common) or f"cell {cell.number}"


def _running_for(cell: Cell) -> float:
    """Seconds; its machine's clock may be ahead of this one's."""
    return max(time.time() - cell.began, 0.0)


def _count(cells: Sequence[Cell], status: str) -> int:
    return sum(cell.status == status for cell in cells)
