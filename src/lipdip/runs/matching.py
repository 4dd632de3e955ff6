"""Which round is a run's answer: by the matching test, or by the fitting loss where there is no clean picture.

The matching test: does a sparse network restore no worse than the dense one under the same budget?
"""

from collections.abc import Sequence
from dataclasses import replace

from lipdip.runs.rising import rising
from lipdip.runs.rows import Round

RISES = 2  # rounds in a row after which the paper stops to prune where nobody has the clean picture


def judged(row: Round, dense: Round) -> Round:
    """``row`` with ``matching`` set: whether its score is no lower than the dense round's.

    ``matching`` stays None without a score (there is no clean image), or if ``dense`` is not a dense round (the
    run began with a ticket).
    """
    if row.score is None or dense.score is None or dense.sparsity > 0:
        return replace(row, matching=None)
    return replace(row, matching=row.score >= dense.score)


def most_sparse_matching(rounds: Sequence[Round]) -> Round | None:
    """The sparsest matching round, or None if no *sparse* network matches."""
    matching = [row for row in rounds if row.matching and row.sparsity > 0]
    return max(matching, key=lambda row: row.sparsity, default=None)


def answer(rounds: Sequence[Round]) -> Round | None:
    """The round that a run names: the most sparse matching one, or without scores the one that the loss chooses.

    That is the first round by which the fitting loss has risen twice in a row, or the last one (Appendix B and Fig. 13
    of the paper: "the matching subnetwork appears where the value of IMP loss continuously increases two or three
    times"). None: there is one round only, or there are scores, and no sparse network matches.
    """
    if len(rounds) < 2 or any(row.score is not None or row.matching is not None for row in rounds):
        return most_sparse_matching(rounds)
    chosen = rising([row.loss for row in rounds], RISES)
    return rounds[-1 if chosen is None else chosen]
