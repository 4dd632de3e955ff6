"""An exhibit with the runs that belong to it: the one place that knows that exhibits are lines or pictures."""

from collections.abc import Iterable

from lipdip.reports.averaging import drawn
from lipdip.reports.exhibit import Exhibit
from lipdip.reports.exhibit_tables import csv_of, markdown_of
from lipdip.reports.finished_run import FinishedRun
from lipdip.reports.gallery import Gallery
from lipdip.reports.grids import Arranged, arranged
from lipdip.reports.lines import Drawn

Filled = Drawn | Arranged


def filled(exhibit: Exhibit | Gallery, runs: Iterable[FinishedRun]) -> Filled:
    """The exhibit with those of the runs that belong to it."""
    return arranged(exhibit, runs) if isinstance(exhibit, Gallery) else drawn(exhibit, runs)


def tables(shown: Filled) -> dict[str, str]:
    """Its numbers, by the suffix of a file; a gallery may have none."""
    if isinstance(shown, Drawn):
        return {"csv": csv_of(shown), "md": markdown_of(shown)}
    from lipdip.reports import gallery_drawing  # here, because matplotlib takes a second to load

    power = gallery_drawing.power_table(shown)
    return {} if power is None else {"csv": power}


def figures(shown: Filled) -> dict[str, bytes]:
    """Its figure, by the suffix of a file."""
    from lipdip.reports import drawing, gallery_drawing

    if isinstance(shown, Drawn):
        return {"png": drawing.png(shown), "svg": drawing.svg(shown)}
    return {"png": gallery_drawing.png(shown), "svg": gallery_drawing.svg(shown)}


def panels(shown: Filled) -> list[bytes]:
    """Its panels as a PNG each."""
    from lipdip.reports import drawing, gallery_drawing

    return drawing.panels(shown) if isinstance(shown, Drawn) else gallery_drawing.panels(shown)
