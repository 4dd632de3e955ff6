"""Settings' values: what is a number, and how the others are refused."""

import pytest

from lipdip.core.check import choice, flag, number


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf"), 2**63, 0, 2.0, -1])
def test_whole_numbers_are_refused_by_name(value):
    with pytest.raises(ValueError, match=r"^steps must be a whole number of at least 1, not "):
        number("steps", value, low=1, whole=True)


@pytest.mark.parametrize(
    ("bounds", "good", "bad"),
    [
        ({"low": 0, "high": 1}, (0, 1, 0.5), (-0.1, 1.1, "0.5", 10**400, -(10**400))),
        ({"above": 0, "below": 1}, (0.5, 1e-300), (0, 1, False)),
        ({"above": 0, "high": 1}, (1, 0.1), (0, 2)),
        ({"low": 0, "below": 1}, (0, 0.1), (1, -1)),
        ({"optional": True}, (None, -5), ("", float("nan"), float("-inf"))),
        ({}, (0, 2**62, -1e300), (None, 2**63, [1])),
    ],
)
def test_numbers_are_finite_and_in_their_range(bounds, good, bad):
    for value in good:
        number("x", value, **bounds)
    for value in bad:
        with pytest.raises(ValueError, match=r"^x must (be a number|lie between 0 and 1, both excluded)"):
            number("x", value, **bounds)


def test_words_and_flags_are_refused_by_name():
    choice("scope", "all", ("all", "inner"))
    choice("metric", None, ("psnr", None))
    for value in ("", None, True, 1, ["all"]):
        with pytest.raises(ValueError, match=r"^scope must be all or inner, not "):
            choice("scope", value, ("all", "inner"))
    flag("clip", False)
    flag("clip", None, optional=True)
    for value in (None, 0, "true"):
        with pytest.raises(ValueError, match=r"^clip must be true or false, not "):
            flag("clip", value)


def test_a_number_that_python_does_not_write_is_refused_too():
    with pytest.raises(ValueError, match=r"^x must be a number, not a number of thousands of digits"):
        number("x", 10**5000)
