"""Names of layers, short enough for a terminal and a figure, and still telling every layer from every other."""

from collections.abc import Sequence
from itertools import groupby

_ENDING = ".weight"


def short(names: Sequence[str]) -> list[str]:
    """The names without the ending that all share, and ``below.below.below`` as ``below*3``."""
    if any("*" in name for name in names):  # where a star is a name's own, nothing is shortened
        return list(names)
    ending = _ENDING if all(name.endswith(_ENDING) for name in names) else ""
    return [".".join(_runs(name.removesuffix(ending).split("."))) for name in names]


def legend(names: Sequence[str]) -> str:
    """What :func:`short` did to these names, in words; empty where it did nothing."""
    shortened = short(names)
    if shortened == list(names):
        return ""
    ends = [f"all names end in {_ENDING}"] if all(name.endswith(_ENDING) for name in names) else []
    stars = ["below*3 is below.below.below"] if any("*" in name for name in shortened) else []
    return "; ".join([*stars, *ends])


def _runs(parts: Sequence[str]) -> list[str]:
    counted = [(part, len(list(run))) for part, run in groupby(parts)]
    return [
        f"{part}*{count}" if count > 1 and part.isidentifier() else ".".join([part] * count) for part, count in counted
    ]
