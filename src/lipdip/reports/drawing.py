"""An exhibit as a figure: a panel for each setting, a line for each series, a band of one standard deviation."""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from lipdip.figures.style import GREY, RED, line_style, rendered, saved, wrapped
from lipdip.reports.lines import Drawn, Line, Panel, Spot, in_column, marked, stated_by_paper

_ACROSS, _MOST = 3, 24  # panels beside each other, and in one figure


def png(drawn: Drawn) -> bytes:
    """The figure as the bytes of a PNG."""
    return light(rendered(_figure(drawn, drawn.panels)))


def svg(drawn: Drawn) -> bytes:
    """The figure as the bytes of an SVG, the same for the same runs."""
    return as_svg(_figure(drawn, drawn.panels), drawn.exhibit.name)


def as_svg(figure: Figure, salt: str) -> bytes:
    """The bytes of an SVG, the same for the same figure and ``salt``, of which its anchors are made."""
    with matplotlib.rc_context({"svg.hashsalt": salt}):
        return saved(figure, format="svg", metadata={"Date": None, "Creator": None})


def panels(drawn: Drawn) -> list[bytes]:
    """Each panel as the bytes of a PNG of its own, in the exhibit's order and colours."""
    return [light(rendered(_figure(drawn, [panel]))) for panel in drawn.panels]


def light(png: bytes, *, exact: bool = False) -> bytes:
    """A PNG of at most 256 colours, a third as large; lines and bands keep theirs, smoothed edges need not.

    With ``exact`` nothing is changed where a picture has more. Pillow alone either keeps all colours, at three times
    the size, or shifts those of lines: its search for the nearest colour of a palette looks at six bits of eight.
    """
    out = io.BytesIO()
    with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
        whole = image.convert("RGB")
    if whole.getcolors(256) is not None:  # each colour then gets a place of its own
        few = whole.quantize(256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    elif exact:
        return png
    else:
        few = _with_frequent(whole.quantize(192, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE), whole)
    few.save(out, format="PNG", optimize=True)
    return out.getvalue()


def _with_frequent(few: Image.Image, whole: Image.Image) -> Image.Image:
    """``few``, a picture of at most 192 colours, with the 64 most frequent ones of ``whole`` as they were."""
    codes = np.asarray(whole, np.int64) @ (65536, 256, 1)
    known, counts = np.unique(codes, return_counts=True)
    kept = np.sort(known[np.argsort(counts)[-64:]])
    place = np.searchsorted(kept, codes).clip(max=len(kept) - 1)
    pixels = np.where(kept[place] == codes, 192 + place, np.asarray(few)).astype(np.uint8)
    others = (few.getpalette() or [])[: 3 * 192]
    made = Image.fromarray(pixels).convert("P")
    made.putpalette(
        [*others, *[0] * (3 * 192 - len(others)), *kept.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 1:].flat]
    )
    return made


def _figure(drawn: Drawn, some: Sequence[Panel]) -> Figure:
    shown = some[:_MOST]
    across = min(len(shown), _ACROSS)
    down = -(-len(shown) // across)
    left_out = len(some) - len(shown)
    heights = [3.3 + 0.17 * max(map(_entries, shown[row * across : (row + 1) * across])) for row in range(down)]
    figure = Figure(figsize=(4.6 * across, sum(heights) + 0.3 * bool(left_out)), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False, height_ratios=heights)
    order = list(
        dict.fromkeys([*drawn.exhibit.whole.series, *(line.series for panel in drawn.panels for line in panel.lines)])
    )
    for axes, panel in zip(grid.flat, shown, strict=False):
        _draw(axes, drawn, panel, order)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    if left_out:
        figure.supxlabel(f"the first {len(shown)} of {len(some)} panels; the table has all", fontsize=9)
    return figure


def _entries(panel: Panel) -> int:
    """About how many lines a panel's legend has, with one for each rule and one for the paper's values."""
    return sum(1 + len(line.name) // 38 for line in panel.lines) + 2


def _draw(axes: Axes, drawn: Drawn, panel: Panel, order: list[str]) -> None:
    own = drawn.exhibit.axes
    unit = wrapped(own.y.get(panel.facet, ""), 34)
    one_unit = len(set(own.y.values())) < len(own.y)  # which then does not distinguish facets
    axes.set_title(wrapped(panel.name if one_unit else panel.title, 52), fontsize=9)
    axes.tick_params(labelsize=8)
    axes.grid(alpha=0.25)
    if panel.regime:
        warning = wrapped(panel.regime, 52)
        axes.text(0.5, 0.99, warning, color=RED, fontsize=7, ha="center", va="top", transform=axes.transAxes)
    if all(len(line.spots) == 1 for line in panel.lines):
        _dots(axes, drawn, panel, order)
        axes.set_xlabel(unit, fontsize=9)
        return
    label: str | None = "x: the paper's, in its series' colour"
    for line, style in _styled(panel, order):
        _line(axes, line, style)
        stated = stated_by_paper(drawn, panel, line.series)
        if stated:
            axes.plot(list(stated), list(stated.values()), "x", color=style["color"], markersize=6, label=label)
            label = None
    axes.set_xlabel(own.x, fontsize=9)
    axes.set_ylabel(unit, fontsize=9)
    if "x" in own.logarithmic:
        axes.set_xscale("log")
    if "y" in own.logarithmic:
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.7 * min(spot.entry.mean for line in panel.lines for spot in line.spots))
    _mark(axes, drawn, panel)
    if all(spot.x == int(spot.x) for line in panel.lines for spot in line.spots) and "x" not in own.logarithmic:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.17))  # below, where it covers no curve


def _mark(axes: Axes, drawn: Drawn, panel: Panel) -> None:
    """Where a rule would stop: an upright line for each place, with the seeds that stop there."""
    for number, (name, places) in enumerate(marked(drawn, panel).items()):
        style: dict[str, Any] = {"color": GREY, "linewidth": 1.0, "linestyle": (":", "--")[number % 2]}
        for first, x in enumerate(sorted({x for _, x in places})):
            axes.axvline(x, label=None if first else f"{name}; seeds at the line", **style)
            seeds = ", ".join(str(seed) for seed, place in places if place == x)
            across: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "ha": "center", "va": "top"}
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
            axes.text(x, 0.98 - 0.06 * (number % 2), seeds, fontsize=6.5, bbox=box, **across)


def _line(axes: Axes, line: Line, style: Mapping[str, Any]) -> None:
    """Means with a band of one standard deviation, pale where fewer seeds are left; a dense network is a level."""
    counts = {spot.entry.count for spot in line.spots}
    seeds = f"n={min(counts)}" if len(counts) == 1 else f"n={min(counts)} to {max(counts)}, pale below {max(counts)}"
    name = wrapped(f"{line.name}, {seeds}", 44)
    if len(line.spots) == 1:
        _alone(axes, line.spots[0], name, style)
        return
    x, mean = [spot.x for spot in line.spots], [spot.entry.mean for spot in line.spots]
    whole = [spot.entry.mean if spot.entry.count == line.seeds else math.nan for spot in line.spots]
    drawn = {"marker": "o", "markersize": 3, "linewidth": 1.3, **style}
    drawn |= {"marker": None} if len(x) >= 30 else {}
    if len(counts) > 1:
        axes.plot(x, mean, **drawn, alpha=0.35)
    axes.plot(x, whole, label=name, **drawn)
    spread = [spot.entry.spread or 0 for spot in line.spots]
    axes.fill_between(x, np.subtract(mean, spread), np.add(mean, spread), color=style["color"], alpha=0.15, linewidth=0)


def _alone(axes: Axes, spot: Spot, name: str, style: Mapping[str, Any]) -> None:
    """A dense network as a dotted level, a ticket as a mark at its sparsity; marks differ where dashes do."""
    if spot.x == 0:
        axes.axhline(spot.entry.mean, label=name, linewidth=1.2, color=style["color"], linestyle=":")
    else:
        mark = {"--": "s", ":": "^", "-.": "D"}.get(style["linestyle"], "o")
        bar: dict[str, Any] = {"fmt": mark, "markersize": 4, "color": style["color"], "capsize": 2}
        axes.errorbar([spot.x], [spot.entry.mean], yerr=[spot.entry.spread or 0], label=name, **bar)


def _dots(axes: Axes, drawn: Drawn, panel: Panel, order: list[str]) -> None:
    """Where each line is one number: a dot for each, with its spread, its name above, and a cross for the paper's."""
    across = axes.get_yaxis_transform()
    for number, (line, style) in enumerate(_styled(panel, order)):
        entry, sparsity = line.spots[0].entry, line.spots[0].x
        axes.errorbar([entry.mean], [-number], xerr=[entry.spread or 0], fmt="o", color=style["color"], markersize=5)
        name = f"{line.name}, n={line.seeds}, sparsity {sparsity:.3f}"
        stated = stated_by_paper(drawn, panel, line.series)
        theirs = [value for x, value in stated.items() if in_column(x, sparsity, [*stated])]
        if theirs:
            axes.plot(theirs, [-number], "x", color=style["color"], markersize=6)
            name += f"; x: the paper's {theirs[0]:g}"
        axes.text(0.01, 0.2 - number, wrapped(name, 76), transform=across, fontsize=6.5, va="bottom")
    axes.set_yticks([])
    axes.set_ylim(0.6 - len(panel.lines), 0.9)


def _styled(panel: Panel, order: list[str]) -> Iterator[tuple[Line, dict[str, Any]]]:
    """Each line with its colour, which is its series' throughout; lines of one series differ in dashes and marks."""
    again: dict[str, int] = {}
    for line in panel.lines:
        style = line_style(order.index(line.series))
        number = again[line.series] = again.get(line.series, -1) + 1
        own = {"linestyle": ("-", "--", ":", "-.")[number % 4], "marker": "os^D"[number % 4]}
        yield line, {**style, **own} if number else style
