"""Checking the values of settings: finite numbers in their range, one of several words, true or false."""

import math
from collections.abc import Collection
from typing import Any

STEPS = 10**9  # the most of anything that is counted off one by one, or recorded
FEATURES = 10**5  # the most of anything that a tensor has along one axis
SCALES = 30  # the most halvings: 2**30 pixels are a side that nothing can hold
LARGE = 1e15  # the most of a rate, a weight or a deviation: its square and its products stay finite in float32
_BEYOND = 2**63  # whole numbers from here on fit no tensor and no loop that would end


def number(
    name: str,
    value: object,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    above: float | None = None,
    below: float | None = None,
    most: float = math.inf,
    whole: bool = False,
    optional: bool = False,
) -> None:
    """Refuse a setting that is no finite number in its range.

    A boolean is not a number, and neither is a whole number of 64 bits or more.

    Args:
        name: of the setting, as its user writes it.
        value: of the setting.
        low: the smallest value that is allowed.
        high: the largest one.
        above: a bound that is itself not allowed; instead of ``low``.
        below: a bound that is itself not allowed; instead of ``high``.
        most: what no machine can do more of, such as :data:`STEPS`; named only where it is exceeded.
        whole: whether it must be a whole number.
        optional: whether None is allowed too.

    Raises:
        ValueError: for any other value.

    Example:
        >>> number("steps", 1200, low=1, whole=True)
        >>> number("rate", 1.5, above=0, below=1)
        Traceback (most recent call last):
        ValueError: rate must lie between 0 and 1, both excluded, not 1.5
    """
    if value is None and optional:
        return
    if isinstance(value, int if whole else int | float) and not isinstance(value, bool):
        held = abs(value) < (_BEYOND if isinstance(value, int) else math.inf)
        if held and low <= value <= high and (above is None or value > above) and (below is None or value < below):
            if value > most:
                raise ValueError(
                    f"{name} must be at most {most:g}, not {shown(value)}: more would overflow any machine"
                )
            return
    if above is not None and below is not None:
        what = f"lie between {above} and {below}, both excluded{' (or null)' * optional}"
    else:
        what = f"be a {'whole ' * whole}number{_range(low, high, above, below)}{' or null' * optional}"
    raise ValueError(f"{name} must {what}, not {shown(value)}")


def choice(name: str, value: object, allowed: Collection[Any]) -> None:
    """Refuse a setting that is none of the ``allowed`` values.

    Raises:
        ValueError: if it is none of them; None is written as ``null``.

    Example:
        >>> choice("scope", "outer", ("all", "inner"))
        Traceback (most recent call last):
        ValueError: scope must be all or inner, not 'outer'
    """
    if not any(type(value) is type(one) and value == one for one in allowed):
        *others, last = ["null" if one is None else str(one) for one in allowed]
        raise ValueError(f"{name} must be {', '.join(others)}{' or ' * bool(others)}{last}, not {shown(value)}")


def flag(name: str, value: object, *, optional: bool = False) -> None:
    """Refuse a setting that is neither true nor false; nor None, unless it is ``optional``.

    Raises:
        ValueError: for any other value.

    Example:
        >>> flag("clip", "yes")
        Traceback (most recent call last):
        ValueError: clip must be true or false, not 'yes'
    """
    if not (isinstance(value, bool) or (optional and value is None)):
        raise ValueError(f"{name} must be {'true, false or null' if optional else 'true or false'}, not {shown(value)}")


def shown(value: object) -> str:
    """A value as an error message shows it, whatever its size."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no number of more than 4300 digits
        return "a number of thousands of digits"
    return text if len(text) <= 100 else f"{text[:100]}..."


def _range(low: float, high: float, above: float | None, below: float | None) -> str:
    if low > -math.inf and high < math.inf:
        return f" from {low} to {high}"
    lower = f"above {above}" if above is not None else f"of at least {low}" if low > -math.inf else ""
    upper = f"below {below}" if below is not None else f"at most {high}" if high < math.inf else ""
    return " " + " and ".join(filter(None, (lower, upper))) if lower or upper else ""
