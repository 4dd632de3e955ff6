"""A transfer matrix: how tickets and controls do on problems, as means and spreads over repetitions."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

DENSE = "dense"


@dataclass(frozen=True)
class MatrixCell:
    """One fit.

    ``start`` is its row of the matrix; ``problem`` its column. ``score`` is PSNR in dB (an oracle's best
    over the run) or accuracy, as ``unit`` says, and None while the fit is missing. ``run`` names its run directory.
    """

    start: str
    problem: str
    seed: int
    repetition: int
    sparsity: float | None = None
    score: float | None = None
    unit: str = ""
    run: str = ""


@dataclass(frozen=True)
class Entry:
    """Mean, sample standard deviation (None for a single fit), and the number of fits."""

    mean: float
    spread: float | None
    count: int


def entry(values: Sequence[float]) -> Entry | None:
    """The values' mean and spread, or None without values."""
    if not values:
        return None
    return Entry(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None, len(values))


def scores(cells: Sequence[MatrixCell], start: str, problem: str) -> Entry | None:
    """Mean and spread of the scores of one cell of the matrix."""
    found = [cell.score for cell in cells if (cell.start, cell.problem) == (start, problem) and cell.score is not None]
    return entry(found)


def gains(cells: Sequence[MatrixCell], start: str, problem: str) -> Entry | None:
    """Mean and spread of the difference from the dense network with the same seed on the same problem."""
    dense = {
        cell.seed: cell.score
        for cell in cells
        if (cell.start, cell.problem) == (DENSE, problem) and cell.score is not None
    }
    mine = [cell for cell in cells if (cell.start, cell.problem) == (start, problem) and cell.score is not None]
    return entry([float(cell.score or 0) - dense[cell.seed] for cell in mine if cell.seed in dense])
