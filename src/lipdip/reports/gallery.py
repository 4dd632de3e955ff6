"""What a gallery is: an exhibit of pictures, with the runs that belong to it and which of their pictures it shows."""

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass
from typing import Literal

from lipdip.reports.exhibit import command
from lipdip.reports.finished_run import Run


@dataclass(frozen=True, kw_only=True)
class Shot:
    """One picture of one run.

    Args:
        series: who made it, such as a pruner.
        file: below ``images/``, without suffix.
        size: height and width; None where a measurement may have another than the picture.
        place: which of the series' pictures it is.
        score: in words.
        sparsity: of the network that made it; 0 for a dense one, and where no network did.
        shared: whether every run of the grid has the very same one.
    """

    series: str
    file: str
    size: tuple[int, int] | None
    place: str = ""
    score: str = ""
    sparsity: float = 0.0
    shared: bool = False


@dataclass(frozen=True, kw_only=True)
class Gallery:
    """A figure of the paper that is made of pictures. Those of one grid are of runs that agree in all but ``varies``.

    Args:
        name: as on the command line.
        title: a line.
        says: what the paper shows there and says about it.
        note: how ours were chosen, and what stands below them.
        wants: whether a run belongs to it.
        shots: what a run gives to it; where two are of one series and place, the sparser is shown.
        series: those that a whole grid has, in order; one whose name goes on after that counts as well.
        perhaps: series that a whole grid may lack.
        places: how many pictures of each series a whole grid has.
        least: how many a series must have to be shown.
        must: whether a grid with series of these names is worth showing.
        varies: the parts of a run's identity that may differ within a grid, by dotted name.
        across: those of them that may differ within a series.
        level: group only tickets of equal sparsity.
        apart: one grid per setting and seed.
        rows: whether the series stand below each other.
        draws: the pictures, each above its spectrum, or how the spectra differ.
        made_by: the experiment whose runs it shows, where that has another name.
        again: whether its runs use tickets that others of them found.
        sweeps: settings over which its experiment itself goes to fill one grid, so that no command may fix them.
        claims: whether the paper has a run's problem there; of one that it has not, nothing is missing.
    """

    name: str
    title: str
    says: str
    note: str
    wants: Callable[[Run], bool]
    shots: Callable[[Run], Iterable[Shot]]
    series: tuple[str, ...]
    perhaps: tuple[str, ...] = ()
    places: int = 1
    least: int = 1
    must: Callable[[Set[str]], bool] = bool
    varies: tuple[str, ...] = ("pruner.name", "pruner.scorer", "pruner.when")
    across: tuple[str, ...] = ()
    level: bool = False
    apart: bool = True
    rows: bool = False
    draws: Literal["pictures", "spectra", "differences"] = "pictures"
    made_by: str = ""
    again: bool = False
    sweeps: tuple[str, ...] = ()
    claims: Callable[[Run], bool] = lambda _: True

    @property
    def commands(self) -> str:
        """The command that makes its runs as the experiment has them."""
        return command(self.made_by or self.name, 1, self.again)
