"""An exhibit with the runs that belong to it: the one place that knows that exhibits are lines or pictures."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any

from lipdip.core.errors import UserError
from lipdip.reports.averaging import drawn
from lipdip.reports.exhibit import Exhibit
from lipdip.reports.exhibit_tables import csv_of, markdown_of
from lipdip.reports.finished_run import FinishedRun
from lipdip.reports.gallery import Gallery
from lipdip.reports.gather import Refused
from lipdip.reports.grids import Arranged, arranged
from lipdip.reports.lines import Drawn
from lipdip.reports.missing import lacking

Filled = Drawn | Arranged


def filled(exhibit: Exhibit | Gallery, runs: Iterable[FinishedRun]) -> Filled:
    """The exhibit with those of the runs that belong to it; one that cannot be shown is left out alone."""
    runs = tuple(runs)
    try:
        return _shown(exhibit, runs)
    except UserError:
        raise
    except Exception:  # strangers' runs may hold anything
        sound, odd = _sorted_out(exhibit, runs)
    shown = _shown(exhibit, sound)
    return replace(shown, refused=(*shown.refused, *odd))


def _shown(exhibit: Exhibit | Gallery, runs: Sequence[FinishedRun]) -> Filled:
    """The exhibit, once its numbers and what it lacks could be put in words."""
    shown: Filled = arranged(exhibit, runs) if isinstance(exhibit, Gallery) else drawn(exhibit, runs)
    if isinstance(shown, Drawn):
        tables(shown)
    lacking(shown)
    return shown


def _sorted_out(exhibit: Exhibit | Gallery, runs: Sequence[FinishedRun]) -> tuple[list[FinishedRun], list[Refused]]:
    """The runs that can be shown together, and the others, each with its reason."""
    sound: list[FinishedRun] = []
    odd: list[Refused] = []
    for run in runs:
        try:
            _shown(exhibit, [run])
            _shown(exhibit, [*sound, run])
        except Exception as error:
            why = f"damaged: it cannot be shown ({type(error).__name__}: {error})"
            odd.append(Refused(run.path, why, exhibit.name))
        else:
            sound.append(run)
    return sound, odd


def tables(shown: Filled) -> dict[str, str]:
    """Its numbers, by the suffix of a file; a gallery may have none."""
    if isinstance(shown, Drawn):
        return {"csv": csv_of(shown), "md": markdown_of(shown)}
    power = _drawer(shown).power_table(shown)
    return {} if power is None else {"csv": power}


def figures(shown: Filled) -> dict[str, bytes]:
    """Its figure, by the suffix of a file."""
    drawer = _drawer(shown)
    return {"png": drawer.png(shown), "svg": drawer.svg(shown)}


def panels(shown: Filled) -> list[bytes]:
    """Its panels as a PNG each."""
    pictures: list[bytes] = _drawer(shown).panels(shown)
    return pictures


def _drawer(shown: Filled) -> Any:
    """The module that draws it; loaded here, because matplotlib takes a second."""
    return import_module(f"lipdip.reports.{'drawing' if isinstance(shown, Drawn) else 'gallery_drawing'}")
