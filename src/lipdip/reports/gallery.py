"""What a gallery is: an exhibit of pictures, with the runs that belong to it and which of their pictures it shows."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

from lipdip.reports.exhibit import Declared
from lipdip.reports.finished_run import FinishedRun


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
class WholeGrid:
    """What a grid has when nothing is missing.

    Args:
        series: by name, in order; one whose name goes on after that counts as well.
        optional: series that it may lack.
        places: how many pictures of each series.
        least: how many a series must have to be shown.
    """

    series: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    places: int = 1
    least: int = 1


@dataclass(frozen=True, kw_only=True)
class ComparedPictures:
    """Which runs stand in one grid.

    Args:
        within_grid: settings that may differ within a grid, by dotted name.
        within_series: those of them that may differ within a series.
        equal_sparsity: only tickets of equal sparsity.
        per_setting: one grid per setting and seed; else one for all.
    """

    within_grid: tuple[str, ...] = ("pruner.name", "pruner.scorer", "pruner.when")
    within_series: tuple[str, ...] = ()
    equal_sparsity: bool = False
    per_setting: bool = True


@dataclass(frozen=True, kw_only=True)
class Gallery(Declared):
    """A figure of the paper that is made of pictures.

    Args:
        note: how ours were chosen, and what stands below them.
        shots: what a run gives to it; where two are of one series and place, the sparser is shown.
        draws: pictures in a block, or a row for each series; each above its spectrum; or how the spectra differ.
    """

    note: str
    shots: Callable[[FinishedRun], Iterable[Shot]]
    whole: WholeGrid = field(default_factory=WholeGrid)
    compared: ComparedPictures = field(default_factory=ComparedPictures)
    draws: Literal["pictures", "rows", "spectra", "differences"] = "pictures"
