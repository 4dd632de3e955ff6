"""What an exhibit lacks, in words: series, sparsities, pictures, seeds; and the command that makes each."""

from collections.abc import Sequence
from dataclasses import dataclass

from lipdip.reports.commands import ladder_rate, remedy, rounds_to
from lipdip.reports.gallery import Gallery
from lipdip.reports.grids import Arranged, Grid
from lipdip.reports.lines import Drawn, Line, Panel, in_column, near

_MOST_ROUNDS = 200  # of a ladder; at 2% a round these go past every column


@dataclass(frozen=True)
class Lack:
    """What a panel lacks, and the command that makes it."""

    text: str
    command: str


def lacking(drawn: Drawn | Arranged) -> list[Lack]:
    """One for each panel that is not whole, or one for all where there is no panel."""
    exhibit = drawn.exhibit
    if not drawn.panels:
        return [Lack("everything: no run belongs to it", exhibit.commands)]
    lacks = []
    for panel in drawn.panels:
        found = _of_grid(drawn, panel) if isinstance(panel, Grid) else _of(drawn, panel)  # type: ignore[arg-type]
        if found and any(map(exhibit.paper.has, panel.runs)):
            seed = (panel.seed or 0) if isinstance(panel, Grid) else 0
            command = remedy(exhibit, panel.runs, _rounds(drawn, panel), seed)
            lacks.append(Lack(f"{panel.name}: {'; '.join(found)}", command))
    return lacks


def missing(drawn: Drawn | Arranged) -> list[str]:
    """What is lacking, in words."""
    return [lack.text for lack in lacking(drawn)]


def _rounds(drawn: Drawn | Arranged, panel: Panel | Grid) -> int | None:
    """How many rounds reach the exhibit's last column, or as far as the panel's longest runs; None: as it has them."""
    exhibit = drawn.exhibit
    longest = max(len(run.rounds) for run in panel.runs) - 1
    if isinstance(exhibit, Gallery):
        return longest if exhibit.compared.equal_sparsity else None
    if exhibit.making.two_stage and "pruner" in exhibit.making.sweeps:  # the script knows
        return None
    if any(run.at("pruner.sparsity") is not None for run in panel.runs):
        return None
    if not exhibit.axes.columns:
        return longest or None
    needed = [rounds_to(run, max(exhibit.axes.columns)) for run in panel.runs if not run.at("pruner.listed_twice")]
    return max((number for number in needed if number is not None), default=None)


def _of(drawn: Drawn, panel: Panel) -> list[str]:
    """What a panel of lines lacks."""
    whole = drawn.exhibit.whole
    absent = [name for name in whole.series if name not in {line.series for line in panel.lines}]
    lacks = [f"no {', '.join(absent)}"] if absent else []
    gaps = {line.name: _gaps(drawn, panel, line) for line in panel.lines}
    lacks += [
        f"{gap}: {', '.join(name for name in gaps if gaps[name] == gap)}"
        for gap in dict.fromkeys(filter(None, gaps.values()))
    ]
    wanted = whole.pictures.get(panel.facet, 0)
    fewer = [line for line in panel.lines if len(line.pictures) < wanted]
    lacks += [f"{line.name} has {len(line.pictures)} of {wanted} pictures" for line in fewer]
    lacks += [f"{line.name}: {left_out}" for line in panel.lines for left_out in line.left_out]
    fewest = {line.name: min(spot.entry.count for spot in line.spots) for line in panel.lines}
    for count in sorted({count for count in fewest.values() if count < whole.seeds}):
        lacks.append(f"{count} of {whole.seeds} seeds: {', '.join(name for name in fewest if fewest[name] == count)}")
    return lacks


def _of_grid(drawn: Arranged, grid: Grid) -> list[str]:
    """What a grid of pictures lacks."""
    whole = drawn.exhibit.whole
    wanted = [name for name in whole.series if name not in whole.optional]
    absent = [name for name in wanted if not any(own.startswith(name) for own in grid.series)]
    lacks = [f"no {', '.join(absent)}"] if absent else []
    for series in grid.series:
        gaps = [place for place in grid.places if (series, place) not in grid.pictures]
        lacks += [f"{series} has none of {', '.join(gaps)}"] if gaps else []
    few = f"{len(grid.places)} of {whole.places} numbers of steps"
    return [*lacks, few] if len(grid.places) < whole.places else lacks


def _gaps(drawn: Drawn, panel: Panel, line: Line) -> str:
    """Which columns a line does not reach. A dense network has one place; if it is shown, others need none there."""
    shown = drawn.exhibit.axes.columns
    if len(line.spots) == 1 or not shown:
        return ""
    dense = drawn.exhibit.whole.starts(line.series) in {other.series for other in panel.lines if other.spots[0].x == 0}
    gaps = [x for x in _reachable(line, shown) if near(line, x, shown) is None and not (x == 0 and dense)]
    if gaps and min(gaps) > line.spots[-1].x:
        rounds = rounds_to(line.runs[0], max(gaps))
        needs = "" if rounds is None else f" (needs pruner.rounds={rounds})"
        return f"nothing after {drawn.exhibit.axes.x} {line.spots[-1].x:.3f}{needs}"
    return f"nothing at {', '.join(f'{x:.3g}' for x in gaps)}" if gaps else ""


def _reachable(line: Line, shown: Sequence[float]) -> list[float]:
    """The columns that the line's rounds can fill: at 36% a round there is none near some of them."""
    rate = ladder_rate(line.runs[0])
    if rate is None:
        return list(shown)
    ladder = [1 - (1 - rate) ** number for number in range(_MOST_ROUNDS)]
    return [x for x in shown if any(in_column(x, place, shown) for place in ladder)]
