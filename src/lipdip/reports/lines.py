"""From runs to lines: mean and spread over seeds, in panels within which everything else is the same."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from lipdip.core.errors import UserError
from lipdip.lottery.matrix import Entry, entry
from lipdip.reports.exhibit import Exhibit, Point
from lipdip.reports.gather import Refused
from lipdip.reports.identity import Identity, alike, differences, identity, key, told_apart, without
from lipdip.reports.runs import Run, title


@dataclass(frozen=True)
class Spot:
    """The mean over seeds at one ``x``; ``pictures`` that every seed has, at least."""

    x: float
    entry: Entry
    pictures: int = 1


@dataclass(frozen=True)
class Line:
    """One series of one configuration; ``note`` tells it from others of the same name, as settings."""

    series: str
    spots: tuple[Spot, ...]
    runs: tuple[Run, ...]
    note: str = ""

    @property
    def name(self) -> str:
        """The series, and what tells it from others of that name."""
        return f"{self.series} ({self.note})" if self.note else self.series

    @property
    def seeds(self) -> int:
        """How many seeds it is of, at most."""
        return max(spot.entry.count for spot in self.spots)


@dataclass(frozen=True)
class Panel:
    """Lines that may be compared: of one picture, task, network and fit, as far as the exhibit wants it."""

    task: str
    title: str
    facet: str
    lines: tuple[Line, ...]

    @property
    def name(self) -> str:
        """Facet and title."""
        return f"{self.facet}: {self.title}" if self.facet else self.title

    @property
    def runs(self) -> list[Run]:
        """All runs in it, each once."""
        return list({run.path: run for line in self.lines for run in line.runs}.values())

    @property
    def pictures(self) -> list[str]:
        """Names and sizes of its pictures, each once."""
        return list(dict.fromkeys(name for run in self.runs for name in run.pictures))


@dataclass(frozen=True)
class Drawn:
    """An exhibit with what there is of it; ``refused`` are runs whose points cannot be read."""

    exhibit: Exhibit
    panels: tuple[Panel, ...]
    refused: tuple[Refused, ...] = ()

    @property
    def runs(self) -> list[Run]:
        """All runs in it, each once."""
        return list({run.path: run for panel in self.panels for run in panel.runs}.values())


def near(line: Line, x: float, columns: Sequence[float], within: float = 0.045) -> Spot | None:
    """The line's spot for the column ``x``: nearest to it, within reach, and nearer to no other column."""
    spot = min(line.spots, key=lambda spot: abs(spot.x - x))
    taken = min(columns, key=lambda column: abs(spot.x - column))
    return spot if taken == x and abs(spot.x - x) <= within else None


def marked(drawn: Drawn, panel: Panel) -> dict[str, list[tuple[int, float]]]:
    """Where the exhibit's rules would stop the panel's runs: seed and ``x``, by the rule's name."""
    found: dict[str, set[tuple[int, float]]] = {}
    for run in panel.runs:
        for name, x in drawn.exhibit.marks(run).items():
            found.setdefault(name, set()).add((run.seed, x))
    return {name: sorted(found[name]) for name in sorted(found)}


def drawn(exhibit: Exhibit, runs: Iterable[Run]) -> Drawn:
    """Sort the runs that the exhibit wants into panels and lines."""
    refused: list[Refused] = []
    identities: dict[str, Identity] = {}
    taken: dict[tuple[str, str, str, str], list[tuple[Run, Point]]] = defaultdict(list)
    for run in filter(exhibit.wants, runs):
        try:
            points = list(exhibit.points(run))
        except UserError as error:
            refused.append(Refused(run.path, str(error)))
            continue
        whole = without(identity(run), ("image",) if exhibit.pooled else ())
        whole = without(whole, exhibit.merges)
        setting, own = without(whole, exhibit.varies), key(whole)
        identities |= {key(setting): setting, own: whole}
        for point in points:
            if point.y is not None:
                taken[key(setting), point.facet, point.series, own].append((run, point))
    panels: dict[tuple[str, str], list[tuple[Line, Identity]]] = defaultdict(list)
    for (setting_key, facet, series, own), pairs in taken.items():
        for line in _lines(series, pairs, bool(exhibit.pooled)):
            panels[setting_key, facet].append((line, identities[own]))
    order = {facet: number for number, facet in enumerate(exhibit.y)}
    made = [
        (_panel(facet, lines, exhibit.series), identities[setting_key])
        for (setting_key, facet), lines in panels.items()
        if exhibit.must({line.series for line, _ in lines})
    ]
    panels_told = sorted(_told_apart(made), key=lambda panel: (order.get(panel.facet, 0), panel.title))
    return Drawn(exhibit, tuple(panels_told), tuple(refused))


def _lines(series: str, pairs: Sequence[tuple[Run, Point]], pooled: bool) -> Iterable[Line]:
    """Lines of runs that may be averaged; a seed, or with ``pooled`` a seed's picture, is never counted twice."""
    for part in alike(list({run.path: run for run, _ in pairs}.values())):
        paths = {run.path for run in part}
        layers: list[dict[Hashable, dict[tuple[int, str], tuple[Run, Point]]]] = []
        for run, point in pairs:
            if run.path in paths:
                slot = (run.seed, run.pictures[0] if pooled else "")
                if any(_same(point, layer.get(point.at, {}).get(slot)) for layer in layers):
                    continue  # the dense round of runs that only go on differently
                free = next((layer for layer in layers if slot not in layer.get(point.at, {})), None)
                if free is None:
                    free = {}
                    layers.append(free)
                free.setdefault(point.at, {})[slot] = (run, point)
        for number, layer in enumerate(layers):
            spots = sorted((_spot(taken) for taken in layer.values()), key=lambda spot: spot.x)
            most = max(spot.pictures for spot in spots)
            spots = [spot for spot in spots if spot.pictures == most]  # means over other pictures are no like with like
            runs = {run.path: run for taken in layer.values() for run, _ in taken.values()}
            yield Line(series, tuple(spots), tuple(runs.values()), f"again, {number}" if number else "")


def _same(point: Point, taken: tuple[Run, Point] | None) -> bool:
    return taken is not None and (point.x, point.y) == (taken[1].x, taken[1].y)


def _spot(taken: Mapping[tuple[int, str], tuple[Run, Point]]) -> Spot:
    """The mean over seeds, of each seed's mean over pictures where there are several."""
    seeds: dict[int, list[float]] = defaultdict(list)
    for (seed, _), (_, point) in taken.items():
        assert point.y is not None
        seeds[seed].append(point.y)
    found = entry([fmean(values) for values in seeds.values()])
    assert found is not None
    fewest = min(len(values) for values in seeds.values())
    return Spot(fmean(point.x for _, point in taken.values()), found, fewest)


def _panel(facet: str, lines: Sequence[tuple[Line, Identity]], order: Sequence[str]) -> Panel:
    """Lines of one name are told apart by what differs between them."""
    named: list[Line] = []
    for series in sorted({line.series for line, _ in lines}, key=lambda name: _place(name, order)):
        same = [(line, whole) for line, whole in lines if line.series == series]
        notes = differences([whole for _, whole in same])
        seeds = [_seeds(line, [other for other, _ in same]) for line, _ in same]
        for (line, _), note, more in zip(same, notes, seeds, strict=True):
            parts = [part for part in (note, more, line.note) if part]
            named.append(replace(line, note=", ".join(parts) if len(same) > 1 else ""))
    runs = [run for line in named for run in line.runs]
    return Panel(str(runs[0].at("task.name")), title(runs), facet, tuple(named))


def _seeds(line: Line, same: Sequence[Line]) -> str:
    """The seed of the degradation, where lines of one name differ in it."""
    own = {run.at("task.seed") for run in line.runs}
    if all({run.at("task.seed") for run in other.runs} == own for other in same):
        return ""
    return f"task.seed={min(own)}" if len(own) == 1 else "task.seed=seed"


def _place(name: str, order: Sequence[str]) -> tuple[int, str]:
    return (order.index(name) if name in order else len(order), name)


def _told_apart(panels: Sequence[tuple[Panel, Identity]]) -> Iterable[Panel]:
    """Panels of the same title get what differs between them."""
    notes = told_apart([(panel.title, panel.facet) for panel, _ in panels], [setting for _, setting in panels])
    for (panel, _), note in zip(panels, notes, strict=True):
        yield replace(panel, title=f"{panel.title}; {note}") if note else panel
