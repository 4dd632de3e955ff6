"""From runs to lines: mean and spread over seeds, in panels within which everything else is the same."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from statistics import fmean

from lipdip.core.errors import UserError
from lipdip.figures.means import entry
from lipdip.reports.alike import Settings, alike, differences, distinctions, identity
from lipdip.reports.exhibit import Exhibit, Point
from lipdip.reports.finished_run import FinishedRun, title
from lipdip.reports.gather import Refused
from lipdip.reports.lines import Drawn, Line, Panel, Spot

PictureKey = tuple[str, str]  # digest, and name with size; both empty where a line is of one picture
Taken = tuple[FinishedRun, Point]
Slots = dict[tuple[int, PictureKey], Mapping[Hashable, Taken]]  # by seed and picture, the points by ``at``


def drawn(exhibit: Exhibit, runs: Iterable[FinishedRun]) -> Drawn:
    """Sort the runs that the exhibit wants into panels and lines."""
    refused: list[Refused] = []
    compared, pooled = exhibit.compared, bool(exhibit.whole.pictures)
    identities: dict[str, Settings] = {}
    taken: dict[tuple[str, str, str, str], list[tuple[FinishedRun, Point]]] = defaultdict(list)
    for run in filter(exhibit.wants, runs):
        try:
            points = list(exhibit.points(run))
        except UserError as error:
            refused.append(Refused(run.path, str(error), exhibit.name))
            continue
        whole = (_of_any_picture(run) if pooled else identity(run)).without(compared.within_line)
        setting, own = whole.without(compared.within_panel), whole.key
        identities |= {setting.key: setting, own: whole}
        for point in points:
            if point.y is not None:
                taken[setting.key, point.facet, point.series, own].append((run, point))
    panels: dict[tuple[str, str], list[tuple[Line, Settings]]] = defaultdict(list)
    for (setting_key, facet, series, own), pairs in taken.items():
        comparable = pairs if compared.any_degradation else _of_one_degradation(pairs)
        for line in _lines(series, comparable, pooled):
            panels[setting_key, facet].append((line, identities[own]))
    order = {facet: number for number, facet in enumerate(exhibit.axes.y)}
    made = [
        (_panel(facet, lines, exhibit.whole.series), identities[setting_key])
        for (setting_key, facet), lines in panels.items()
        if exhibit.show_if({line.series for line, _ in lines})
    ]
    named = sorted(_distinguished(made), key=lambda panel: (order.get(panel.facet, 0), panel.title))
    return Drawn(exhibit, tuple(named), tuple(refused))


def _of_one_degradation(pairs: Sequence[Taken]) -> Sequence[Taken]:
    """Without runs whose degradation follows the seed, where there are others: theirs is one degraded picture."""
    fixed = {run.at("task.seed") for run, _ in pairs if run.at("task.seed") != run.seed}
    return [(run, point) for run, point in pairs if not fixed or run.at("task.seed") in fixed]


def _of_any_picture(run: FinishedRun) -> Settings:
    """A run's settings without which picture it is of; the size that pictures were brought to stays."""
    return identity(run).without(("image.0.sha256", "image.0.shape")).with_(image__size=run.asked_size)


def _lines(series: str, pairs: Sequence[Taken], pooled: bool) -> Iterable[Line]:
    """Lines of runs that may be averaged; a seed, or with ``pooled`` a seed's picture, is never counted twice."""
    points: dict[Path, dict[Hashable, Taken]] = defaultdict(dict)
    for run, point in pairs:
        points[run.path][point.at] = (run, point)
    lines = [
        _line(series, layer, f"again, {number}" if number else "")
        for part in alike(list({run.path: run for run, _ in pairs}.values()))
        for number, layer in enumerate(_layers([(run, points[run.path]) for run in part], pooled))
    ]
    paths = [{run.path for run in line.runs} for line in lines]
    for line, own in zip(lines, paths, strict=True):
        if own and not any(own < other for other in paths):  # else a line of more seeds has all of it
            yield line


def _layers(runs: Iterable[tuple[FinishedRun, Mapping[Hashable, Taken]]], pooled: bool) -> list[Slots]:
    """Runs by seed and picture; one with other numbers than another of its seed and picture is in another layer.

    The longest come first, so that a run that ends earlier joins the one that it is the beginning of.
    """
    layers: list[Slots] = []
    for run, own in sorted(runs, key=lambda each: -len(each[1])):
        slot = (run.seed, _picture(run) if pooled else ("", ""))
        layer = next((layer for layer in layers if _agree(own, layer.get(slot, {}))), None)
        if layer is None:
            layer = {}
            layers.append(layer)
        layer[slot] = {**own, **layer.get(slot, {})}
    return layers


def _picture(run: FinishedRun) -> PictureKey:
    return str(run.at("image")[0].get("sha256")), run.pictures[0]


def _agree(own: Mapping[Hashable, Taken], other: Mapping[Hashable, Taken]) -> bool:
    return all((own[at][1].x, own[at][1].y) == (other[at][1].x, other[at][1].y) for at in own if at in other)


def _line(series: str, layer: Slots, note: str) -> Line:
    """Means over seeds, of each seed's mean over pictures; every mean is over the same pictures."""
    owned = {
        seed: {picture for other, picture in layer if other == seed} for seed in sorted({seed for seed, _ in layer})
    }
    pictures = _shared(list(owned.values()))
    spots: list[tuple[Spot, Mapping[int, float]]] = []  # each with its means by seed
    runs: dict[Path, FinishedRun] = {}
    for at in dict.fromkeys(at for own in layer.values() for at in own):
        slots = {seed: [layer.get((seed, picture), {}).get(at) for picture in pictures] for seed in owned}
        taken = {
            seed: whole
            for seed, several in slots.items()
            if len(whole := [each for each in several if each]) == len(pictures)
        }
        means = {seed: fmean(point.y for _, point in own if point.y is not None) for seed, own in taken.items()}
        found = entry(list(means.values()))
        if found is not None:
            own = {run.path: run for several in taken.values() for run, _ in several}
            names = tuple(path.name for path in own)
            x = fmean(point.x for several in taken.values() for _, point in several)
            spots.append((Spot(x, found, names), means))
            runs |= own
    spots.sort(key=lambda each: each[0].x)
    dense = next((means for spot, means in spots if spot.x == 0), {})
    paired = [
        replace(spot, gaps=tuple(means[seed] - dense[seed] for seed in means if seed in dense)) for spot, means in spots
    ]
    pooled = tuple(name for _, name in pictures if name)
    return Line(series, tuple(paired), tuple(runs.values()), note, pooled, tuple(_left_out(owned, pictures)))


def _shared(sets: Sequence[set[PictureKey]]) -> list[PictureKey]:
    """Of the sets of pictures that seeds have, the one over which most runs can be averaged."""
    runs = [len(own) * sum(own <= other for other in sets) for own in sets]
    return sorted(sets[runs.index(max(runs))], key=itemgetter(1))


def _left_out(owned: Mapping[int, set[PictureKey]], pictures: Sequence[PictureKey]) -> Iterable[str]:
    """Seeds that lack one of the pictures, and pictures that seeds have beyond them."""
    more: set[str] = set()
    for seed, own in owned.items():
        lacks = [picture[1] for picture in pictures if picture not in own]
        if lacks:
            yield f"seed {seed} is left out, because it lacks {', '.join(lacks)}"
        else:
            more |= {name for _, name in own.difference(pictures)}
    if more:
        yield f"left out, because other seeds lack them: {', '.join(sorted(more))}"


def _panel(facet: str, lines: Sequence[tuple[Line, Settings]], order: Sequence[str]) -> Panel:
    """Lines of one name get what differs between them."""
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


def _distinguished(panels: Sequence[tuple[Panel, Settings]]) -> Iterable[Panel]:
    """Panels of the same title get what differs between them."""
    notes = distinctions([(panel.title, panel.facet) for panel, _ in panels], [setting for _, setting in panels])
    for (panel, _), note in zip(panels, notes, strict=True):
        yield replace(panel, title=f"{panel.title}; {note}") if note else panel
