"""A gallery as a figure: its grids below each other, as pictures or as what these hold at each frequency."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase

from lipdip.figures.fourier import magnitudes, power_and_differences, radial_power
from lipdip.figures.picture_file import read_picture
from lipdip.figures.style import GREY, Part, alone, rendered, wrapped
from lipdip.reports.drawing import as_svg, light
from lipdip.reports.grids import ACROSS, PICTURES, Arranged, Grid, GridPicture, caption, remarks, shown
from lipdip.runs.csv_tables import table_of

_SIDE = 1.3  # inches of a picture
_PAIRS = (("IMP", "random"), ("IMP", "SNIP"), ("IMP", "clean"), ("random", "clean"))


@dataclass(frozen=True)
class Power:
    """One line of a table of power over frequency."""

    grid: str
    seed: int | None
    series: str
    cycles_per_pixel: float
    power: float
    run: str


def png(arranged: Arranged) -> bytes:
    """The figure as the bytes of a PNG; of photographs no colour is changed."""
    return light(rendered(_figure(arranged)), exact=arranged.exhibit.draws != "differences")


def svg(arranged: Arranged) -> bytes:
    """The figure as the bytes of an SVG, the same for the same runs."""
    return as_svg(_figure(arranged), arranged.exhibit.name)


def panels(arranged: Arranged) -> list[bytes]:
    """Each grid as the bytes of a PNG of its own, without title and note; as many as the figure has.

    Of photographs no colour is changed.
    """
    exact = arranged.exhibit.draws != "differences"
    return [light(rendered(alone(_part(arranged, grid))), exact=exact) for grid in shown(arranged)]


def power_table(arranged: Arranged) -> str | None:
    """The power of each picture over frequency as CSV; None where the gallery draws none."""
    return table_of(Power, _powers(arranged), inert=True) if arranged.exhibit.draws == "differences" else None


def _powers(arranged: Arranged) -> Iterator[Power]:
    for grid in arranged.panels:
        for (series, _), picture in grid.pictures.items():
            over, power = radial_power(read_picture(series, picture.path))
            for frequency, value in zip(over, power, strict=True):
                yield Power(grid.name, grid.seed, series, float(frequency), float(value), picture.run.path.name)


def _figure(arranged: Arranged) -> Figure:
    grids = shown(arranged)
    parts = [_part(arranged, grid) for grid in grids]
    width = max(part.size[0] for part in parts)
    heights = [part.size[1] + 0.4 for part in parts]
    note = wrapped(remarks(arranged), int(width * 14))
    figure = Figure(figsize=(width, sum(heights) + 0.25 * (note.count("\n") + 1)), layout="constrained")
    rooms = figure.subfigures(len(parts), 1, squeeze=False, height_ratios=heights)[:, 0]
    for grid, part, room in zip(grids, parts, rooms, strict=True):
        room.suptitle(wrapped(caption(grid), int(width * 11)), fontsize=10, fontweight="bold", x=0.01, ha="left")
        sides = [part.size[0], width - part.size[0]]  # a narrower one is no larger than in a figure of its own
        part.draw(room.subfigures(1, 2, width_ratios=sides)[0] if sides[1] else room)
    figure.supxlabel(note, fontsize=8.5)
    return figure


def _part(arranged: Arranged, grid: Grid) -> Part:
    draws = arranged.exhibit.draws
    if draws in ("pictures", "rows"):
        return _rows(grid) if draws == "rows" else _row(grid)
    paths: dict[str, Path] = {series: picture.path for (series, _), picture in grid.pictures.items()}
    if draws == "spectra":
        named = {_line(series, picture): picture.path for (series, _), picture in grid.pictures.items()}
        return magnitudes(named)
    return power_and_differences(paths, [pair for pair in _PAIRS if set(pair) <= set(paths)])


def _row(grid: Grid) -> Part:
    """A picture for each series, beside each other and then below."""
    pictures = [(series, grid.pictures[series, ""]) for series in grid.series][:PICTURES]
    across = min(len(pictures), ACROSS)
    down = -(-len(pictures) // across)

    def draw(figure: FigureBase) -> None:
        places = figure.subplots(down, across, squeeze=False).flat
        for axes, (series, picture) in zip(places, pictures, strict=False):
            _hang(axes, picture)
            axes.set_title(wrapped(series, 18), fontsize=8.5)
        for axes in places[len(pictures) :]:
            axes.set_visible(False)

    return Part((_SIDE * across, (_SIDE + (0.65 if any(_below(each) for _, each in pictures) else 0.3)) * down), draw)


def _rows(grid: Grid) -> Part:
    """A row for each series, with its name to the left; what is not there is said to be missing."""
    places = grid.places[:ACROSS]

    def draw(figure: FigureBase) -> None:
        rows = figure.subplots(len(grid.series), len(places), squeeze=False)
        for number, (series, row) in enumerate(zip(grid.series, rows, strict=True)):
            sparsities = {picture.shot.sparsity for (own, _), picture in grid.pictures.items() if own == series}
            for place, axes in zip(places, row, strict=True):
                picture = grid.pictures.get((series, place))
                _hang(axes, picture, with_sparsity=len(sparsities) > 1)
                if number == 0:
                    axes.set_title(place, fontsize=8.5)
            (sparsity, *others) = sparsities
            name = f"{series}, sparsity {sparsity:.3f}" if sparsity and not others else series
            row[0].set_ylabel(wrapped(name, 20), fontsize=8.5, rotation=0, ha="right", va="center", labelpad=8)

    return Part((_SIDE * len(places) + 1.7, (_SIDE + 0.25) * len(grid.series) + 0.2), draw)


def _hang(axes: Axes, picture: GridPicture | None, with_sparsity: bool = True) -> None:
    """One picture with its score below it; small ones keep their pixels."""
    axes.set(xticks=[], yticks=[])
    if picture is None:
        axes.text(0.5, 0.5, "missing", transform=axes.transAxes, ha="center", va="center", fontsize=8, color=GREY)
        axes.set_box_aspect(1)
        for spine in axes.spines.values():
            spine.set_color("#dddddd")
        return
    array = read_picture(picture.shot.file, picture.path)
    kept = "none" if max(array.shape) <= 160 else "antialiased"
    axes.imshow(array, cmap="gray", vmin=0, vmax=1, interpolation=kept)
    axes.set_xlabel("\n".join(_below(picture) if with_sparsity else [picture.shot.score]), fontsize=8)


def _below(picture: GridPicture) -> list[str]:
    sparsity = f"sparsity {picture.shot.sparsity:.3f}" if picture.shot.sparsity else ""
    return [words for words in (picture.shot.score, sparsity) if words]


def _line(series: str, picture: GridPicture) -> str:
    return ", ".join([series, *([picture.shot.score] if picture.shot.score else [])])
