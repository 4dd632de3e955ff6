"""What an exhibit is: which runs belong to it, which points they give, and what the paper says."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Literal

from lipdip.reports.finished_run import Run
from lipdip.runs.rows import Recovered, Restored, Round

LADDER = tuple(1 - 0.8**number for number in range(17))  # the paper's sparsities


@dataclass(frozen=True)
class Point:
    """One number of one run. Runs of one series are averaged at equal ``at``.

    ``facet`` tells numbers of different kinds apart, such as loss and PSNR; each kind has a panel of its own.
    """

    series: str
    at: Hashable
    x: float
    y: float | None
    facet: str = ""


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """A figure or table of the paper, or one of ours.

    Args:
        name: as on the command line.
        title: a line.
        kind: what the page shows first.
        says: what the paper shows there and says about it; one or two sentences.
        paper_on: what the paper's numbers were measured on; empty where it states none.
        published: the pictures that the paper's numbers are of, by name and size or by size alone.
        wants: whether a run belongs to it.
        points: what a run gives to it.
        series: those that a whole exhibit has, by name.
        must: whether a panel with series of these names is worth showing.
        varies: the parts of a run's identity that may differ within a panel, by dotted name.
        x: label of the horizontal axis, with unit.
        y: label of the vertical axis, with unit, by facet.
        logarithmic: ``x``, ``y``, or both.
        columns: of the table, values of ``x``; none: those that there are.
        paper: the paper's numbers: by facet or task, and series, the value at each ``x``.
        needs: seeds that a whole exhibit has.
        pooled: where numbers are means over the pictures of a set, how many pictures each facet has.
        merges: the parts of a run's identity that may differ even within a line, whose points differ in ``at``.
        starts: the series that has a series' number at sparsity 0 where it has none itself, by name.
        again: whether runs of it use tickets that others of them found.
        marks: where rules would stop a run, at values of ``x``, by the rule's name.
        sweeps: settings over which its experiment itself goes to fill one panel, so that no command may fix them.
        claims: whether the paper has a run's problem there; of one that it has not, nothing is missing.
        any_degradation: whether runs whose degradation follows the seed are shown beside runs of one degradation.
    """

    name: str
    title: str
    kind: Literal["figure", "table"]
    says: str
    wants: Callable[[Run], bool]
    points: Callable[[Run], Iterable[Point]]
    series: tuple[str, ...]
    must: Callable[[Set[str]], bool] = bool
    varies: tuple[str, ...] = ("pruner",)
    x: str = "sparsity"
    y: Mapping[str, str] = field(default_factory=lambda: {"": "best PSNR over the run in dB (oracle)"})
    logarithmic: tuple[str, ...] = ()
    columns: tuple[float, ...] = ()
    paper: Mapping[tuple[str, str], Mapping[float, float]] = field(default_factory=dict)
    paper_on: str = ""
    published: tuple[str, ...] = ()
    needs: int = 3
    pooled: Mapping[str, int] = field(default_factory=dict)
    merges: tuple[str, ...] = ()
    starts: Callable[[str], str] = lambda _: "dense"
    again: bool = False
    marks: Callable[[Run], Mapping[str, float]] = lambda _: {}
    sweeps: tuple[str, ...] = ()
    claims: Callable[[Run], bool] = lambda _: True
    any_degradation: bool = False

    @property
    def commands(self) -> str:
        """The command that makes its runs as the experiment has them."""
        return command(self.name, self.needs, self.again)

    def stated(self, facet: str, task: str, series: str) -> Mapping[float, float]:
        """The paper's numbers for a series, by ``x``."""
        return self.paper.get((facet, series), self.paper.get((task, series), {}))


@dataclass(frozen=True)
class NotDrawn:
    """An exhibit of the paper that this command does not draw, and why."""

    name: str
    title: str
    why: str


def command(name: str, seeds: int, again: bool) -> str:
    """The command that makes an exhibit's runs: one sweep, or a script that then uses the tickets found."""
    more = f" 'seed=range(0,{seeds})'" if seeds > 1 else ""
    return f"python experiments/{name}.py{more}" if again else f"python -m lipdip.run -m experiment={name}{more}"


def best(row: Round) -> float | None:
    """The score that the exhibit is about: best PSNR in dB, or a recovery's MSE."""
    if isinstance(row, Recovered):
        return row.mse
    return row.psnr_best if isinstance(row, Restored) else row.score


def over_rounds(
    series: Callable[[Run], str], y: Callable[[Round], float | None] = best, facet: str = ""
) -> Callable[[Run], Iterable[Point]]:
    """A point for each round, at its sparsity; rounds of tickets that another run found come in that run's order."""

    def points(run: Run) -> Iterable[Point]:
        start = run.origin("ticket.path") or run.origin("model.path")
        for row in run.rounds:
            yield Point(series(run), (None if start is None else start.round, row.round), row.sparsity, y(row), facet)

    return points
