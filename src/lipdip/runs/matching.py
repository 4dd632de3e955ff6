"""The matching test: does a sparse network restore no worse than the dense one under the same budget?"""

from collections.abc import Sequence
from dataclasses import replace

from lipdip.runs.rows import Round


def judged(row: Round, dense: Round) -> Round:
    """``row`` with ``matching`` set: whether its score is no lower than the dense round's.

    ``matching`` stays None without a score (there is no clean image), or if ``dense`` is not a dense round (the
    run began with a ticket).
    """
    if row.score is None or dense.score is None or dense.sparsity > 0:
        return replace(row, matching=None)
    return replace(row, matching=row.score >= dense.score)


def most_sparse_matching(rounds: Sequence[Round]) -> Round | None:
    """The answer of a run: the sparsest matching ticket, or None if no *sparse* network matches."""
    matching = [row for row in rounds if row.matching and row.sparsity > 0]
    return max(matching, key=lambda row: row.sparsity, default=None)
