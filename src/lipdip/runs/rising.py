"""Choosing a round without a clean image, by the fitting loss (the paper's Appendix B, Fig. 13)."""

from collections.abc import Sequence

from lipdip.core.check import STEPS, number


def rising(losses: Sequence[float], times: int) -> int | None:
    """The first round at which the final loss has risen ``times`` times in a row, or None if there is none.

    Raises:
        ValueError: if ``times`` is not a whole number of at least 1.
    """
    number("stop", times, low=1, most=STEPS, whole=True)
    rises = 0
    for place in range(1, len(losses)):
        rises = rises + 1 if losses[place] > losses[place - 1] else 0
        if rises == times:
            return place
    return None
