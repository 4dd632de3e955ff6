"""Cells of a sweep that have something in common: all fail for one reason, or two are the same run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lipdip.cli.sweeps.sweep_cell import DONE, FAILED, SweepCell
from lipdip.core.check import STEPS, number


def check_stop_after(value: object) -> None:
    """Refuse a ``sweep.stop_after`` that counts nothing.

    Raises:
        ValueError: if it is neither null nor a whole number of at least 0.
    """
    number("stop_after", value, low=0, most=STEPS, whole=True, optional=True)


def all_failed_alike(cells: Sequence[SweepCell], stop_after: int) -> bool:
    """Whether at least ``stop_after`` cells have failed for the same reason, and none has ended otherwise.

    Args:
        cells: of the sweep, as they are.
        stop_after: how many must have; 0: it never is so.
    """
    reasons = [cell.reason for cell in cells if cell.status == FAILED]
    done = any(cell.status == DONE for cell in cells)
    return bool(stop_after) and len(reasons) >= stop_after and len(set(reasons)) == 1 and not done


def with_twins(cells: Sequence[SweepCell]) -> list[SweepCell]:
    """The cells; one that found its run done by another cell of this sweep says so."""
    first: dict[Path, SweepCell] = {}
    for cell in sorted(cells, key=lambda cell: (not cell.seconds, cell.number)):  # who did a run comes first
        if cell.directory and cell.status == DONE:
            first.setdefault(Path(cell.directory).absolute(), cell)
    told = []
    for cell in cells:
        twin = first.get(Path(cell.directory).absolute(), cell) if cell.status == DONE and cell.directory else cell
        told.append(cell if twin is cell else replace(cell, reason=f"the same run as cell {twin.number}"))
    return told
