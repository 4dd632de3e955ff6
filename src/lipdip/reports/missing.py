"""What an exhibit lacks, in words: series, sparsities, pictures, seeds."""

import math

from lipdip.reports.gallery import Gallery
from lipdip.reports.grids import Arranged, Grid
from lipdip.reports.lines import Drawn, Line, Panel, near


def missing(drawn: Drawn | Arranged) -> list[str]:
    """A line for each panel that is not whole, or one for all where there is no panel."""
    if not drawn.panels:
        return ["everything: no run belongs to it"]
    if isinstance(drawn, Arranged):
        seen = [(grid, _of_grid(drawn.exhibit, grid)) for grid in drawn.panels]
        return [f"{grid.name}: {'; '.join(lacks)}" for grid, lacks in seen if lacks]
    told = [(panel, _of(drawn, panel)) for panel in drawn.panels]
    return [f"{panel.name}: {'; '.join(lacks)}" for panel, lacks in told if lacks]


def _of(drawn: Drawn, panel: Panel) -> list[str]:
    exhibit = drawn.exhibit
    absent = [name for name in exhibit.series if name not in {line.series for line in panel.lines}]
    told = [f"no {', '.join(absent)}"] if absent else []
    gaps = {line.name: _gaps(drawn, panel, line) for line in panel.lines}
    told += [
        f"{gap}: {', '.join(name for name in gaps if gaps[name] == gap)}"
        for gap in dict.fromkeys(filter(None, gaps.values()))
    ]
    wanted = exhibit.pooled.get(panel.facet, 0)
    told += [
        f"{line.name} has {len(line.pictures)} of {wanted} pictures"
        for line in panel.lines
        if len(line.pictures) < wanted
    ]
    told += [f"{line.name}: {left_out}" for line in panel.lines for left_out in line.left_out]
    fewest = {line.name: min(spot.entry.count for spot in line.spots) for line in panel.lines}
    for count in sorted({count for count in fewest.values() if count < exhibit.needs}):
        told.append(f"{count} of {exhibit.needs} seeds: {', '.join(name for name in fewest if fewest[name] == count)}")
    return told


def _of_grid(gallery: Gallery, grid: Grid) -> list[str]:
    wanted = [name for name in gallery.series if name not in gallery.perhaps]
    absent = [name for name in wanted if not any(own.startswith(name) for own in grid.series)]
    told = [f"no {', '.join(absent)}"] if absent else []
    for series in grid.series:
        gaps = [place for place in grid.places if (series, place) not in grid.pictures]
        told += [f"{series} has none of {', '.join(gaps)}"] if gaps else []
    few = f"{len(grid.places)} of {gallery.places} numbers of steps"
    return [*told, few] if len(grid.places) < gallery.places else told


def _gaps(drawn: Drawn, panel: Panel, line: Line) -> str:
    """Which columns a line does not reach. A dense network has one place; if it is shown, others need none there."""
    shown = drawn.exhibit.columns
    if len(line.spots) == 1 or not shown:
        return ""
    dense = drawn.exhibit.from_dense(line.series) and any(other.series == "dense" for other in panel.lines)
    gaps = [x for x in shown if near(line, x, shown) is None and not (x == 0 and dense)]
    if gaps and min(gaps) > line.spots[-1].x:
        return f"nothing after {drawn.exhibit.x} {line.spots[-1].x:.3f}{_further(line, max(gaps))}"
    return f"nothing at {', '.join(f'{x:.3g}' for x in gaps)}" if gaps else ""


def _further(line: Line, sparsity: float) -> str:
    """How many rounds would reach a sparsity, if its runs prune at one rate."""
    rate = line.runs[0].at("pruner.rate")
    if line.runs[0].at("pruner.sparsity") is not None or not isinstance(rate, float) or not 0 < rate < 1:
        return ""
    return f" (needs pruner.rounds={round(math.log(1 - sparsity) / math.log(1 - rate))})"
