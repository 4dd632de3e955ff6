"""Choosing a round without a clean image, by the fitting loss (the paper's Appendix B, Fig. 13)."""

from collections.abc import Sequence


def rising(losses: Sequence[float], times: int) -> int | None:
    """The first round at which the final loss has risen ``times`` times in a row, or None if there is none.

    Raises:
        ValueError: if ``times`` is not a whole number of at least 1.
    """
    if isinstance(times, bool) or not isinstance(times, int) or times < 1:
        raise ValueError(f"stop must be how often in a row the loss may rise, at least 1, not {times!r}")
    rises = 0
    for number in range(1, len(losses)):
        rises = rises + 1 if losses[number] > losses[number - 1] else 0
        if rises == times:
            return number
    return None
