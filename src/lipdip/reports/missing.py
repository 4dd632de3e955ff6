"""What an exhibit lacks, in words: series, sparsities, pictures, seeds; and the command that makes each."""

from collections.abc import Sequence
from dataclasses import dataclass

from lipdip.reports.commands import ladder_rate, remedy, rounds_to
from lipdip.reports.gallery import Gallery
from lipdip.reports.grids import Arranged, Grid
from lipdip.reports.lines import Drawn, Line, Panel, fits, near

_MOST_ROUNDS = 200  # of a ladder; at 2% a round these go past every column


@dataclass(frozen=True)
class Lack:
    """What a panel lacks, and the command that makes it."""

    text: str
    command: str


def lacking(drawn: Drawn | Arranged) -> list[Lack]:
    """One for each panel that is not whole, or one for all where there is no panel."""
    if not drawn.panels:
        return [Lack("everything: no run belongs to it", drawn.exhibit.commands)]
    if isinstance(drawn, Arranged):
        seen = [(grid, _of_grid(drawn.exhibit, grid)) for grid in drawn.panels if _claimed(drawn, grid)]
        return [
            Lack(f"{grid.name}: {'; '.join(lacks)}", _grid_remedy(drawn.exhibit, grid)) for grid, lacks in seen if lacks
        ]
    told = [(panel, _of(drawn, panel)) for panel in drawn.panels if _claimed(drawn, panel)]
    return [
        Lack(f"{panel.name}: {'; '.join(lacks)}", remedy(drawn.exhibit, panel.runs, _rounds(drawn, panel)))
        for panel, lacks in told
        if lacks
    ]


def missing(drawn: Drawn | Arranged) -> list[str]:
    """What is lacking, in words."""
    return [lack.text for lack in lacking(drawn)]


def _claimed(drawn: Drawn | Arranged, panel: Panel | Grid) -> bool:
    return any(map(drawn.exhibit.claims, panel.runs))


def _grid_remedy(gallery: Gallery, grid: Grid) -> str:
    rounds = max(len(run.rounds) for run in grid.runs) - 1 if gallery.level else None
    return remedy(gallery, grid.runs, rounds, grid.seed or 0)


def _rounds(drawn: Drawn, panel: Panel) -> int | None:
    """How many rounds fill the exhibit's columns; without columns, as many as the panel's longest runs have."""
    if drawn.exhibit.again and "pruner" in drawn.exhibit.sweeps:  # the script knows
        return None
    if any(run.at("pruner.sparsity") is not None for run in panel.runs):
        return None
    columns = drawn.exhibit.columns
    if not columns:
        return max(len(run.rounds) for run in panel.runs) - 1 or None
    needed = [rounds_to(run, max(columns)) for run in panel.runs if run.at("pruner.listed_twice") is not True]
    return max((number for number in needed if number is not None), default=None)


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
    dense = drawn.exhibit.starts(line.series) in {other.series for other in panel.lines if other.spots[0].x == 0}
    gaps = [x for x in _reachable(line, shown) if near(line, x, shown) is None and not (x == 0 and dense)]
    if gaps and min(gaps) > line.spots[-1].x:
        rounds = rounds_to(line.runs[0], max(gaps))
        needs = "" if rounds is None else f" (needs pruner.rounds={rounds})"
        return f"nothing after {drawn.exhibit.x} {line.spots[-1].x:.3f}{needs}"
    return f"nothing at {', '.join(f'{x:.3g}' for x in gaps)}" if gaps else ""


def _reachable(line: Line, shown: Sequence[float]) -> list[float]:
    """The columns that the line's rounds can fill: at 36% a round there is none near some of them."""
    rate = ladder_rate(line.runs[0])
    if rate is None:
        return list(shown)
    ladder = [1 - (1 - rate) ** number for number in range(_MOST_ROUNDS)]
    return [x for x in shown if any(fits(x, place, shown) for place in ladder)]
