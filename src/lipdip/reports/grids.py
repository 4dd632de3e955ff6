"""From runs to grids of pictures: each of one seed, of runs that agree in all that the gallery does not compare."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lipdip.core.console import count
from lipdip.core.errors import UserError
from lipdip.figures.picture_file import read_picture
from lipdip.figures.run_figures import networks_own
from lipdip.reports.alike import Settings, differences, distinctions, identity, other_seeds
from lipdip.reports.finished_run import FinishedRun, title
from lipdip.reports.gallery import Gallery, Shot
from lipdip.reports.gather import Refused

ACROSS, PICTURES, _GRIDS = 8, 40, 8  # beside each other, in one grid, and grids in one figure


@dataclass(frozen=True)
class GridPicture:
    """A run's picture."""

    run: FinishedRun
    shot: Shot

    @property
    def path(self) -> Path:
        """Where it lies: of a restored picture that has the data's own values, the network's, of which scores are."""
        images = self.run.path / "images"
        network = images / f"{networks_own(self.shot.file)}.png"
        return network if network.is_file() else images / f"{self.shot.file}.png"


@dataclass(frozen=True)
class Grid:
    """Pictures that may be compared, by series and place; ``seed`` is None where it makes no difference."""

    name: str
    seed: int | None
    series: tuple[str, ...]
    places: tuple[str, ...]
    pictures: Mapping[tuple[str, str], GridPicture]

    @property
    def runs(self) -> list[FinishedRun]:
        """All runs in it, each once."""
        return list({picture.run.path: picture.run for picture in self.pictures.values()}.values())


@dataclass(frozen=True)
class Arranged:
    """A gallery with what there is of it; ``refused`` are runs whose pictures cannot be shown."""

    exhibit: Gallery
    panels: tuple[Grid, ...]
    refused: tuple[Refused, ...] = ()

    @property
    def runs(self) -> list[FinishedRun]:
        """All runs in it, each once."""
        return list({run.path: run for grid in self.panels for run in grid.runs}.values())


def arranged(gallery: Gallery, runs: Iterable[FinishedRun]) -> Arranged:
    """Sort the pictures that the gallery wants into grids; where one cannot be read, its run is left out of all."""
    refused: list[Refused] = []
    taken: list[GridPicture] = []
    for run in filter(gallery.wants, runs):
        try:
            taken += [GridPicture(run, shot) for shot in gallery.shots(run)]
        except UserError as error:
            refused.append(Refused(run.path, str(error), gallery.name))
    sound: set[Path] = set()
    while True:
        grids = _grids(gallery, taken)
        bad: dict[Path, Refused] = {}
        for picture in (each for grid in grids for each in grid.pictures.values() if each.path not in sound):
            try:
                _check(picture)
                sound.add(picture.path)
            except UserError as error:
                bad.setdefault(picture.run.path, Refused(picture.run.path, str(error), gallery.name))
        if not bad:
            return Arranged(gallery, tuple(grids), tuple(refused))
        refused += bad.values()
        taken = [picture for picture in taken if picture.run.path not in bad]


def shown(arranged: Arranged) -> Sequence[Grid]:
    """The grids that a figure has room for."""
    return arranged.panels[:_GRIDS]


def caption(grid: Grid) -> str:
    """A grid's setting and seed."""
    return grid.name if grid.seed is None else f"{grid.name}; seed {grid.seed}"


def remarks(arranged: Arranged) -> str:
    """What has to be known to look at it: how pictures were chosen, and what there is no room for."""
    left_out = len(arranged.panels) - len(shown(arranged))
    others = "; ".join(dict.fromkeys(grid.name for grid in arranged.panels[_GRIDS:]))
    more = f" The first {_GRIDS} of {len(arranged.panels)} grids; not shown: {others}." if left_out else ""
    most, counts = (ACROSS, "places") if arranged.exhibit.draws == "rows" else (PICTURES, "series")
    fullest = max((len(getattr(grid, counts)) for grid in arranged.panels), default=0)
    cut = f" The first {most} of {fullest} pictures." if fullest > most else ""
    one_seed = " Each setting is shown for one seed: the smallest of those that have most pictures."
    return f"{arranged.exhibit.note}{one_seed if arranged.exhibit.compared.per_setting else ''}{more}{cut}"


def _check(picture: GridPicture) -> None:
    shape = read_picture(picture.shot.file, picture.path).shape[:2]
    if picture.shot.size not in (None, shape):
        (height, width), expected = shape, "x".join(map(str, picture.shot.size or ()))
        raise UserError(f"images/{picture.shot.file}.png is {height}x{width}, and its summary says {expected}")


def _grids(gallery: Gallery, taken: Sequence[GridPicture]) -> list[Grid]:
    """A grid for each setting, of the seed that has most pictures; of several such seeds, the smallest."""
    settings: dict[str, Settings] = {}
    groups: dict[str, dict[tuple[int, int], list[GridPicture]]] = defaultdict(lambda: defaultdict(list))
    for picture in taken:
        setting = _setting(gallery, picture.run)
        settings[setting.key] = setting
        seeds = (picture.run.seed, picture.run.at("task.seed") or 0) if gallery.compared.per_setting else (0, 0)
        groups[setting.key][seeds].append(picture)
    made: list[tuple[Grid, Settings]] = []
    for own, seeded in groups.items():
        grids = [_grid(gallery, seeded[seeds]) for seeds in sorted(seeded)]
        fullest = max(grids, key=lambda grid: len(grid.pictures))
        if fullest.pictures and gallery.show_if(set(fullest.series)):
            made.append((fullest, settings[own]))
    notes = distinctions([grid.name for grid, _ in made], [setting for _, setting in made])
    named = [
        replace(grid, name=f"{grid.name}; {note}" if note else grid.name)
        for (grid, _), note in zip(made, notes, strict=True)
    ]
    return sorted(named, key=lambda grid: grid.name)


def _setting(gallery: Gallery, run: FinishedRun) -> Settings:
    if not gallery.compared.per_setting:
        return Settings({}, {})
    setting = identity(run).without(gallery.compared.within_grid)
    return setting.with_(sparsity=f"{run.rounds[-1].sparsity:.3f}") if gallery.compared.equal_sparsity else setting


def _grid(gallery: Gallery, pictures: Sequence[GridPicture]) -> Grid:
    """The pictures by series and place; series of one name but of other settings get what differs between them."""
    wholes: dict[tuple[str, str], Settings] = {}
    cells: dict[tuple[str, str], dict[str, GridPicture]] = defaultdict(dict)
    for picture in pictures:
        shot, whole = picture.shot, Settings({}, {})
        if not shot.shared:
            whole = identity(picture.run).without(gallery.compared.within_series)
            whole = replace(whole, asked={**whole.asked, **dict(other_seeds(picture.run))})
        own = (shot.series, whole.key)
        there = cells[own].get(shot.place)
        if there is None or shot.sparsity > there.shot.sparsity:
            cells[own][shot.place] = picture
        wholes[own] = whole
    kept = sorted(
        (own for own in cells if len(cells[own]) >= gallery.whole.least),
        key=lambda own: _order(gallery, next(iter(cells[own].values())).shot),
    )
    names: list[str] = []
    for own in kept:
        same = [other for other in kept if other[0] == own[0]]
        note = differences([wholes[other] for other in same])[same.index(own)]
        names.append(f"{own[0]} ({note})" if len(same) > 1 else own[0])
    found = {
        (name, place): picture for name, own in zip(names, kept, strict=True) for place, picture in cells[own].items()
    }
    places = sorted({place for _, place in found}, key=_number)
    runs = [picture.run for picture in found.values()]
    about = "" if not runs else title(runs) if gallery.compared.per_setting else count(len(names), "picture")
    if gallery.compared.equal_sparsity and runs:
        about += f", tickets at sparsity {runs[0].rounds[-1].sparsity:.3f}"
    seed = runs[0].seed if runs and gallery.compared.per_setting else None
    return Grid(about, seed, tuple(names), tuple(places), found)


def _order(gallery: Gallery, shot: Shot) -> tuple[int, int, str]:
    """As the gallery has them, then by size and name."""
    order, name, (height, width) = gallery.whole.series, shot.series, shot.size or (0, 0)
    near = (number for number, wanted in enumerate(order) if name.startswith(wanted))
    return (order.index(name) if name in order else next(near, len(order)), -height * width, name)


def _number(place: str) -> tuple[int, str]:
    """Places that begin with a number in its order, others by name."""
    first = place.split()[0].replace(",", "") if place else ""
    return (int(first) if first.isdecimal() else 0, place)
