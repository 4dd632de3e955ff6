"""What an exhibit is: which runs belong to it, which points they give, and what the paper says."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Set
from dataclasses import dataclass, field

from typing_extensions import override

from lipdip.reports.finished_run import FinishedRun
from lipdip.runs.rows import Round

LADDER = tuple(1 - 0.8**number for number in range(17))  # the paper's sparsities
BEST_PSNR = "best PSNR over the run in dB (oracle)"


@dataclass(frozen=True)
class Point:
    """One number of one run. Runs of one series are averaged at equal ``at``.

    ``facet`` separates numbers of different kinds, such as loss and PSNR; each kind has a panel of its own.
    """

    series: str
    at: Hashable
    x: float
    y: float | None
    facet: str = ""


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What the paper has to compare with.

    Args:
        numbers: by facet or task, and series, the value at each ``x``.
        on: what the numbers were measured on; empty where there are none.
        pictures: those that the numbers are of, by name and size or by size alone.
        has: whether it has a run's problem; of a problem that it has not, nothing is missing.
    """

    numbers: Mapping[tuple[str, str], Mapping[float, float]] = field(default_factory=dict)
    on: str = ""
    pictures: tuple[str, ...] = ()
    has: Callable[[FinishedRun], bool] = lambda _: True

    def stated(self, facet: str, task: str, series: str) -> Mapping[float, float]:
        """Its numbers for a series, by ``x``."""
        return self.numbers.get((facet, series), self.numbers.get((task, series), {}))


@dataclass(frozen=True, kw_only=True)
class Axes:
    """How points are drawn.

    Args:
        x: label of the horizontal axis, with unit.
        y: label of the vertical axis, with unit, by facet.
        logarithmic: ``x``, ``y``, or both.
        columns: of the table, values of ``x``; none: those that there are.
        marks: where rules would stop a run, at values of ``x``, by the rule's name.
    """

    x: str = "sparsity"
    y: Mapping[str, str] = field(default_factory=lambda: {"": BEST_PSNR})
    logarithmic: tuple[str, ...] = ()
    columns: tuple[float, ...] = ()
    marks: Callable[[FinishedRun], Mapping[str, float]] = lambda _: {}


@dataclass(frozen=True, kw_only=True)
class Whole:
    """What a panel has when nothing is missing.

    Args:
        series: by name, in order.
        seeds: how many.
        pictures: where numbers are means over the pictures of a set, how many pictures each facet has.
        starts: the series that has a series' number at sparsity 0 where it has none itself, by name.
    """

    series: tuple[str, ...]
    seeds: int = 3
    pictures: Mapping[str, int] = field(default_factory=dict)
    starts: Callable[[str], str] = lambda _: "dense"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """Which settings may differ, by dotted name; ``pruner`` is ``pruner.rate`` too.

    Args:
        within_panel: between the lines of a panel.
        within_line: even between the runs of a line, whose points then differ in ``at``.
        any_degradation: whether runs whose degradation follows the seed are shown beside runs of one degradation.
    """

    within_panel: tuple[str, ...] = ("pruner",)
    within_line: tuple[str, ...] = ()
    any_degradation: bool = False


@dataclass(frozen=True, kw_only=True)
class Making:
    """How an exhibit's runs are made.

    Args:
        experiment: of ``conf/experiment``; empty: it has the exhibit's name.
        two_stage: whether a script has to use the tickets that the experiment's runs found.
        sweeps: settings over which the experiment itself goes to fill one panel, so that no command may fix them.
        rounds: the setting that says how many rounds a run has.
    """

    experiment: str = ""
    two_stage: bool = False
    sweeps: tuple[str, ...] = ()
    rounds: str = "pruner.rounds"

    def command(self, name: str, seeds: int) -> str:
        """The command that makes the runs of the exhibit ``name``."""
        experiment = self.experiment or name
        more = f" 'seed=range(0,{seeds})'" if seeds > 1 else ""
        two_stage = f"python experiments/{experiment}.py{more}"
        return two_stage if self.two_stage else f"python -m lipdip.run -m experiment={experiment}{more}"


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What all exhibits have.

    Args:
        name: as on the command line; ``tableN`` shows its table first, any other its figure.
        place: among all exhibits; none: the number in its name, as in ``fig10``.
        title: a line.
        says: what the paper shows there and says about it; one or two sentences.
        wants: whether a run belongs to it.
        paper: what to compare with.
        making: how its runs are made.
        show_if: whether a panel with series of these names is worth showing.
    """

    name: str
    title: str
    says: str
    wants: Callable[[FinishedRun], bool]
    place: float | None = None
    paper: Paper = field(default_factory=Paper)
    making: Making = field(default_factory=Making)
    show_if: Callable[[Set[str]], bool] = bool

    @property
    def commands(self) -> str:
        """The command that makes its runs as the experiment has them."""
        return self.making.command(self.name, 1)


@dataclass(frozen=True, kw_only=True)
class Exhibit(Declared):
    """A figure or table of the paper, or one of ours; ``points`` is what a run gives to it."""

    points: Callable[[FinishedRun], Iterable[Point]]
    whole: Whole
    axes: Axes = field(default_factory=Axes)
    compared: Compared = field(default_factory=Compared)

    @property
    @override
    def commands(self) -> str:
        return self.making.command(self.name, self.whole.seeds)


@dataclass(frozen=True)
class NotDrawn:
    """An exhibit of the paper that this command does not draw, and why."""

    name: str
    title: str
    why: str


def over_rounds(
    series: Callable[[FinishedRun], str],
    y: Callable[[Round], float | None] = lambda row: row.headline_value,
    facet: str = "",
) -> Callable[[FinishedRun], Iterable[Point]]:
    """A point for each round, at its sparsity; rounds of tickets that another run found come in that run's order."""

    def points(run: FinishedRun) -> Iterable[Point]:
        start = run.origin("ticket.path") or run.origin("model.path")
        for row in run.rounds:
            yield Point(series(run), (None if start is None else start.round, row.round), row.sparsity, y(row), facet)

    return points
