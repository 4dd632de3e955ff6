"""The matching test: does a sparse network restore no worse than the dense one under the same budget?"""

from collections.abc import Sequence
from dataclasses import replace

from lipdip.core.records import Round


def judged(row: Round, dense: Round) -> Round:
    """``row`` with ``matching`` decided: its ``psnr_best`` is no lower than the dense round's.

    Without a clean image there is no such score, and ``matching`` stays None.
    """
    if row.psnr_best is None or dense.psnr_best is None:
        return replace(row, matching=None)
    return replace(row, matching=row.psnr_best >= dense.psnr_best)


def most_sparse_matching(rounds: Sequence[Round]) -> Round | None:
    """The answer of a run: the sparsest matching ticket, or None where no *sparse* network matches."""
    matching = [row for row in rounds if row.matching and row.sparsity > 0]
    return max(matching, key=lambda row: row.sparsity, default=None)
