"""What an exhibit lacks, in words: series, sparsities, pictures, seeds."""

from lipdip.reports.lines import Drawn, Line, Panel, near


def missing(drawn: Drawn) -> list[str]:
    """A line for each panel that is not whole, or one for all where there is no panel."""
    if not drawn.panels:
        return ["all of it: no run belongs to it"]
    told = [(panel, _of(drawn, panel)) for panel in drawn.panels]
    return [f"{panel.name}: {'; '.join(lacks)}" for panel, lacks in told if lacks]


def _of(drawn: Drawn, panel: Panel) -> list[str]:
    exhibit = drawn.exhibit
    absent = [name for name in exhibit.series if name not in {line.series for line in panel.lines}]
    told = [f"no {', '.join(absent)}"] if absent else []
    told += [gap for line in panel.lines if (gap := _gaps(drawn, panel, line))]
    wanted = exhibit.pooled.get(panel.facet, 1)
    told += [
        f"{line.name} has {line.spots[0].pictures} of {wanted} pictures"
        for line in panel.lines
        if line.spots[0].pictures < wanted
    ]
    fewest = {line.name: min(spot.entry.count for spot in line.spots) for line in panel.lines}
    for count in sorted({count for count in fewest.values() if count < exhibit.needs}):
        told.append(f"{count} of {exhibit.needs} seeds: {', '.join(name for name in fewest if fewest[name] == count)}")
    return told


def _gaps(drawn: Drawn, panel: Panel, line: Line) -> str:
    """Which columns a line does not reach; a dense network has but one place, and where it is shown others need not."""
    shown = drawn.exhibit.columns
    if len(line.spots) == 1 or not shown:
        return ""
    dense = drawn.exhibit.from_dense(line.series) and any(other.series == "dense" for other in panel.lines)
    gaps = [x for x in shown if near(line, x, shown) is None and not (x == 0 and dense)]
    if gaps and min(gaps) > line.spots[-1].x:
        return f"{line.name} ends at {drawn.exhibit.x} {line.spots[-1].x:.3f}"
    return f"{line.name} has nothing at {', '.join(f'{x:.3g}' for x in gaps)}" if gaps else ""
