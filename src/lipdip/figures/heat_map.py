"""A table of means as colours, with every number in its cell."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from lipdip.figures.style import DIVERGING, GREY, SEQUENTIAL, rendered, wrapped

Cells = Sequence[Sequence[float | None]]


def colour_range(values: Sequence[float], diverging: bool) -> tuple[float, float]:
    """The values at both ends of the colours: as far below 0 as above when ``diverging``, never equal."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    if diverging:
        high = max(abs(low), abs(high))
        low = -high
    return (low, high) if low < high else (low - 1, high + 1)


def text_colour(background: tuple[float, float, float]) -> str:
    """Black or white, whichever has the higher contrast on an RGB colour in [0, 1] (WCAG 2.1, relative luminance)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in background]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "black" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "white"


def decimals_for(values: Sequence[float]) -> int:
    """Decimals to write: two, but two digits of the greatest value where it is small, none where it is thousands."""
    greatest = max(map(abs, values), default=0.0)
    if 0 < greatest < 0.1:
        return 1 - math.floor(math.log10(greatest))
    return 2 if greatest < 1000 else 0


def cell_text(mean: float, spread: float | None, decimals: int, signed: bool) -> str:
    """``+0.31`` above ``± 0.05``; without a spread the mean alone."""
    rounded = round(mean, decimals) or 0.0  # never -0
    number = f"{rounded:{'+' if signed and rounded else ''}.{decimals}f}".replace("-", "\N{MINUS SIGN}")
    return number if spread is None else f"{number}\n± {spread:.{decimals}f}"


def heat_map(
    mean: Cells,
    spread: Cells,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    unit: str,
    diverging: bool = True,
) -> bytes:
    """A PNG of a table: each cell coloured by its mean, with mean and spread written in it.

    Args:
        mean: ``len(rows)`` rows of ``len(columns)`` means; None where there is none, which is hatched.
        spread: of the same shape; None where there is none.
        rows: the rows' labels, from the top.
        columns: the columns' labels, from the left.
        title: stands above.
        unit: what the numbers are, at the colour bar.
        diverging: whether 0 is neutral (differences); otherwise colours run from the least to the greatest mean.

    Raises:
        ValueError: if there is no cell, or the shapes do not fit together.
    """
    for cells in (mean, spread):
        if not rows or not columns or [len(row) for row in cells] != [len(columns)] * len(rows):
            raise ValueError(f"a heat map of {len(rows)} rows and {len(columns)} columns needs as many cells")
    known = [value for row in mean for value in row if value is not None and math.isfinite(value)]
    colours = ScalarMappable(Normalize(*colour_range(known, diverging)), DIVERGING if diverging else SEQUENTIAL)
    decimals = decimals_for(known)
    beside = 0.085 * max((len(line) for row in rows for line in wrapped(row, 28).splitlines()), default=0)
    width, height = beside + len(columns) + 1.3, 0.6 * len(rows) + 1.5
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.subplots()
    for i, row in enumerate(mean):
        for j, value in enumerate(row):
            if value is None or not math.isfinite(value):
                _draw_empty(axes, i, j, "missing" if value is None else f"{value}")
                continue
            red, green, blue, _ = colours.to_rgba(np.array(value))
            axes.add_patch(Rectangle((j, i), 1, 1, facecolor=(red, green, blue), edgecolor="white"))
            text = cell_text(value, spread[i][j], decimals, signed=diverging)
            colour = text_colour((red, green, blue))
            axes.text(j + 0.5, i + 0.5, text, ha="center", va="center", fontsize=9, color=colour)
    _draw_labels(axes, rows, columns)
    figure.suptitle(wrapped(title, int(width * 11)), fontsize=11)
    bar = figure.colorbar(colours, ax=axes, pad=0.02, aspect=25)
    bar.set_label(wrapped(unit, int(height * 11)), fontsize=9, labelpad=6)
    bar.ax.tick_params(labelsize=8)
    return rendered(figure)


def _draw_empty(axes: Axes, row: int, column: int, text: str) -> None:
    axes.add_patch(Rectangle((column, row), 1, 1, facecolor="white", edgecolor="#cccccc", hatch="////", linewidth=0))
    axes.add_patch(Rectangle((column, row), 1, 1, fill=False, edgecolor="white"))
    box = {"facecolor": "white", "edgecolor": "none", "pad": 2}
    axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=8, color=GREY, bbox=box)


def _draw_labels(axes: Axes, rows: Sequence[str], columns: Sequence[str]) -> None:
    axes.set_xlim(0, len(columns))
    axes.set_ylim(len(rows), 0)
    across, down = [wrapped(column, 12) for column in columns], [wrapped(row, 28) for row in rows]
    turned = any(len(line) > 12 for column in across for line in column.splitlines())
    ends: dict[str, Any] = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if turned else {}
    axes.set_xticks([j + 0.5 for j in range(len(columns))], across, fontsize=9, **ends)
    axes.set_yticks([i + 0.5 for i in range(len(rows))], down, fontsize=9)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
