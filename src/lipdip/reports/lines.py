"""Lines in panels: what the tables, figures and lists of an exhibit are made from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lipdip.figures.means import Entry
from lipdip.reports.exhibit import Exhibit
from lipdip.reports.finished_run import FinishedRun
from lipdip.reports.gather import Refused

NOT_OVERFITTING = "not in the overfitting regime: the best step is the last"
_WITHIN = 0.045  # how far a place may lie from the column that shows it


@dataclass(frozen=True)
class Spot:
    """The mean over seeds at one ``x``; ``runs`` are the names of the averaged runs.

    ``gaps`` are what each seed's value differs from the same seed's at ``x`` 0, its dense network's; in seeds' order.
    """

    x: float
    entry: Entry
    runs: tuple[str, ...] = ()
    gaps: tuple[float, ...] = ()


@dataclass(frozen=True)
class Line:
    """One series of one configuration.

    Args:
        series: its name.
        spots: its means, by ``x``.
        runs: those that the means are of.
        note: what distinguishes it from others of the same name, as settings.
        pictures: where each mean is over a set of pictures: those of every mean, by name and size.
        left_out: which seeds and pictures are in no mean, and why.
    """

    series: str
    spots: tuple[Spot, ...]
    runs: tuple[FinishedRun, ...]
    note: str = ""
    pictures: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The series, and what distinguishes it from others of that name."""
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
    def runs(self) -> list[FinishedRun]:
        """All runs in it, each once."""
        return each_once(run for line in self.lines for run in line.runs)

    @property
    def regime(self) -> str:
        """A warning where dense networks do not overfit in their steps; else nothing."""
        dense = [run.rounds[0] for run in self.runs if run.rounds[0].sparsity == 0]
        rising = sum(row.still_rising for row in dense)
        return f"{NOT_OVERFITTING} in {rising} of {len(dense)} dense networks" if rising else ""

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
    def runs(self) -> list[FinishedRun]:
        """All runs in it, each once."""
        return each_once(run for panel in self.panels for run in panel.runs)


def each_once(runs: Iterable[FinishedRun]) -> list[FinishedRun]:
    """The runs, in order, without those that came before."""
    return list({run.path: run for run in runs}.values())


def near(line: Line, x: float, columns: Sequence[float]) -> Spot | None:
    """The line's spot for the column ``x``: nearest to it, within reach, and nearer to no other column."""
    spot = min(line.spots, key=lambda spot: abs(spot.x - x))
    return spot if in_column(x, spot.x, columns) else None


def in_column(x: float, place: float, columns: Sequence[float]) -> bool:
    """Whether a number at ``place`` belongs into the column ``x``."""
    return min(columns, key=lambda column: abs(place - column)) == x and abs(place - x) <= _WITHIN


def stated_by_paper(drawn: Drawn, panel: Panel, series: str) -> Mapping[float, float]:
    """The paper's numbers for a series, by ``x``; none where it has not the panel's problem."""
    paper = drawn.exhibit.paper
    return paper.stated(panel.facet, panel.task, series) if all(map(paper.has, panel.runs)) else {}


def start_of(drawn: Drawn, panel: Panel, line: Line) -> Line | None:
    """The line that has this one's number at sparsity 0, where there is exactly one."""
    name = drawn.exhibit.whole.starts(line.series)
    found = [other for other in panel.lines if other.series == name and other is not line and other.spots[0].x == 0]
    return found[0] if len(found) == 1 else None


def marked(drawn: Drawn, panel: Panel) -> dict[str, list[tuple[int, float]]]:
    """Where the exhibit's rules would stop the panel's runs: seed and ``x``, by the rule's name."""
    found = [(name, run.seed, x) for run in panel.runs for name, x in drawn.exhibit.axes.marks(run).items()]
    names = sorted({name for name, _, _ in found})
    return {name: sorted({(seed, x) for other, seed, x in found if other == name}) for name in names}
