"""Over several seeds: is a ticket as good as the dense network, up to a margin?

Within a seed a ticket and its dense network share everything but the mask, so that their scores are compared in pairs.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lipdip.core.check import number

FEWEST = 5  # seeds; with fewer the interval is too wide to say anything
LEVEL = 0.95
MARGIN = 0.1  # dB
MATCHING, NOT_MATCHING, NOT_TESTED = "matching", "not matching", "not tested"


@dataclass(frozen=True)
class Comparison:
    """The paired differences at one sparsity.

    Args:
        mean: of ticket minus dense, over seeds.
        lower: the one-sided 95% lower bound of the mean (Student's t); None with fewer than two seeds.
        count: of seeds.
        verdict: ``matching``, ``not matching`` or ``not tested``.
    """

    mean: float
    lower: float | None
    count: int
    verdict: str


def compare(differences: Sequence[float], margin: float = MARGIN) -> Comparison:
    """Test whether a ticket is not inferior to the dense network by more than ``margin``.

    It is *matching* if the lower bound of its mean difference is above ``-margin``.

    Args:
        differences: ticket minus dense, one for each seed.
        margin: in the score's unit (dB).

    Raises:
        ValueError: without differences, with endless ones, or on a negative margin.

    Source: Walker & Nowacki, "Understanding equivalence and noninferiority testing", J Gen Intern Med 2011.

    Example:
        >>> compare([-0.02, 0.01, -0.03, 0.0, -0.01]).verdict
        'matching'
    """
    number("margin", margin, low=0)
    if not len(differences):
        raise ValueError("differences must not be empty")
    for one in differences:
        number("difference", one)
    count, mean = len(differences), statistics.fmean(differences)
    if count < 2:
        return Comparison(mean, None, count, NOT_TESTED)
    from scipy.stats import t  # takes half a second to import

    lower = mean - float(t.ppf(LEVEL, count - 1)) * statistics.stdev(differences) / math.sqrt(count)
    verdict = NOT_TESTED if count < FEWEST else MATCHING if lower > -margin else NOT_MATCHING
    return Comparison(mean, lower, count, verdict)


def compare_in_order(differences: Mapping[float, Sequence[float]], margin: float = MARGIN) -> dict[float, Comparison]:
    """:func:`compare` from the dense end upwards, to the first sparsity that does not match; later ones are untested.

    In this order no correction for many tests is needed: the chance that any sparsity is wrongly called matching stays
    at 5%. Taking the most sparse of all that pass by themselves would not keep it (a winner's curse).

    Args:
        differences: ticket minus dense for each seed, by sparsity.
        margin: as for :func:`compare`.

    Source: Maurer, Hothorn & Lehmacher, "Multiple comparisons in drug clinical trials and preclinical assays:
    a-priori ordered hypotheses", 1995.
    """
    found: dict[float, Comparison] = {}
    going = True
    for sparsity in sorted(differences):
        one = compare(differences[sparsity], margin)
        found[sparsity] = one if going else Comparison(one.mean, one.lower, one.count, NOT_TESTED)
        going = going and one.verdict == MATCHING
    return found
