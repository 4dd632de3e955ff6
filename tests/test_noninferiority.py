"""The matching test over seeds: it keeps its level, and names what is truly as good."""

import numpy as np
import pytest
from scipy import stats

from lipdip.runs.noninferiority import (
    FEWEST,
    MATCHING,
    NOT_MATCHING,
    NOT_TESTED,
    compare,
    compare_in_order,
)


def most_sparse(compared):
    return max((sparsity for sparsity, one in compared.items() if one.verdict == MATCHING), default=None)


ROUNDS = [1 - 0.8**number for number in range(1, 11)]


def _named(draw, truth, seeds=10, noise=0.1, margin=0.1):
    """The sparsity named in a simulated study whose tickets are truly ``truth`` dB better than dense."""
    return most_sparse(compare_in_order({at: truth + noise * draw.standard_normal(seeds) for at in ROUNDS}, margin))


def test_tickets_that_are_worse_by_the_margin_are_named_in_one_study_of_twenty():
    draw = np.random.default_rng(0)
    wrong = sum(_named(draw, -0.1) is not None for _ in range(2000)) / 2000
    assert wrong == pytest.approx(0.05, abs=0.015)  # 3 standard deviations of 2000 draws
    one_seed = sum(any(-0.1 + 0.1 * draw.standard_normal() >= 0 for _ in ROUNDS) for _ in range(2000)) / 2000
    assert one_seed > 0.6  # what taking any that reaches dense in one seed does


def test_tickets_that_are_as_good_are_named_to_the_end():
    draw = np.random.default_rng(1)
    assert sum(_named(draw, 0.0, noise=0.05) == ROUNDS[-1] for _ in range(200)) > 190


def test_the_bound_is_scipys():
    values = np.random.default_rng(2).standard_normal(7).tolist()
    found = compare(values, 1.0)
    test = stats.ttest_1samp(values, -1.0, alternative="greater")
    assert found.lower == pytest.approx(test.confidence_interval(0.95).low)
    assert (found.verdict == MATCHING) is bool(test.pvalue < 0.05)


def test_nothing_is_tested_with_few_seeds_or_after_the_first_failure():
    good, bad = [0.01, 0.0, -0.01, 0.02, 0.0], [-0.4, -0.5, -0.6, -0.5, -0.4]
    assert compare(good[: FEWEST - 1]).verdict == NOT_TESTED and compare(good[:1]).lower is None
    found = compare_in_order({0.8: good, 0.2: good, 0.5: bad})
    assert [one.verdict for one in found.values()] == [MATCHING, NOT_MATCHING, NOT_TESTED]
    assert most_sparse(found) == 0.2


@pytest.mark.parametrize(("values", "margin"), [([], 0.1), ([float("nan")] * 5, 0.1), ([0.1] * 5, -1)])
def test_values_that_make_no_sense(values, margin):
    with pytest.raises(ValueError, match=r"differences?|margin"):
        compare(values, margin)
