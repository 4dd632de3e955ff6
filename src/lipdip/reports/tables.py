"""An exhibit as numbers: cells beside the paper's, as CSV and as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lipdip.core.tables import table_of
from lipdip.figures import markdown
from lipdip.reports.lines import Drawn, Line, Panel, Spot, marked, near
from lipdip.reports.missing import missing

KINDS = {"ours": "", "paper": ": the paper's", "difference": ": difference"}
_WIDEST = 9  # columns, where the exhibit names none


@dataclass(frozen=True)
class Cell:
    """One line of an exhibit's CSV; ``x`` is where the number is, ``column`` where the table shows it."""

    exhibit: str
    panel: str
    series: str
    column: float
    x: float | None
    mean: float | None
    spread: float | None
    seeds: int
    paper: float | None
    difference: float | None
    unit: str
    runs: str


@dataclass(frozen=True)
class Row:
    """A row of a panel's table, as texts; ``kind`` is ``ours``, ``paper`` or ``difference``."""

    name: str
    kind: str
    entries: tuple[str, ...]


def columns(drawn: Drawn, panel: Panel) -> tuple[float, ...]:
    """Where the table of a panel shows numbers: the exhibit's own columns that hold something, or some of all."""
    if drawn.exhibit.columns:
        own = drawn.exhibit.columns
        stated = {x for line in panel.lines for x in _paper(drawn, panel, line.series)}
        return tuple(x for x in own if x in stated or any(near(line, x, own) for line in panel.lines))
    there = sorted({round(spot.x, 3) for line in panel.lines for spot in line.spots})
    if len(there) <= _WIDEST:
        return tuple(there)
    return tuple(there[round(number * (len(there) - 1) / (_WIDEST - 1))] for number in range(_WIDEST))


def cells(drawn: Drawn) -> Iterator[Cell]:
    """Every number of the tables, with the paper's beside it; what is missing has a row without numbers."""
    for panel in drawn.panels:
        shown = columns(drawn, panel)
        for line in panel.lines:
            stated = _paper(drawn, panel, line.series)
            runs = " ".join(run.path.name for run in line.runs)
            for x in shown:
                spot, told = _spot(drawn, line, x, shown), stated.get(x)
                yield Cell(
                    drawn.exhibit.name,
                    panel.name,
                    line.name,
                    x,
                    None if spot is None else spot.x,
                    None if spot is None else spot.entry.mean,
                    None if spot is None else spot.entry.spread,
                    0 if spot is None else spot.entry.count,
                    told,
                    None if spot is None or told is None else spot.entry.mean - told,
                    drawn.exhibit.y.get(panel.facet, ""),
                    runs if spot is not None else "",
                )


def csv_of(drawn: Drawn) -> str:
    """The cells as CSV."""
    return table_of(Cell, cells(drawn))


def rows(drawn: Drawn, panel: Panel) -> list[Row]:
    """A panel's table: mean and spread, below them the paper's value and the difference from it.

    The number of seeds stands beside the name; in the cells, where they are of different numbers.
    """
    exhibit, shown, found = drawn.exhibit, columns(drawn, panel), []
    dense = any(line.series == "dense" for line in panel.lines)
    for line in panel.lines:
        spots = [_spot(drawn, line, x, shown) for x in shown]
        counts = {spot.entry.count for spot in line.spots}
        name = f"{line.name}, n={min(counts)}" if len(counts) == 1 else line.name
        texts = [
            _entry(spot, x, line, dense and exhibit.from_dense(line.series))
            for spot, x in zip(spots, shown, strict=True)
        ]
        found.append(Row(name, "ours", tuple(texts)))
        stated = _paper(drawn, panel, line.series)
        if stated:
            told = tuple(number(stated[x]) if x in stated else "" for x in shown)
            apart = tuple(
                f"{spot.entry.mean - stated[x]:+{_digits(stated[x])}}" if spot is not None and x in stated else ""
                for spot, x in zip(spots, shown, strict=True)
            )
            found += [Row(line.name, "paper", told), Row(line.name, "difference", apart)]
    return found


def markdown_of(drawn: Drawn) -> str:
    """All tables of an exhibit, with what has to be known to read them."""
    exhibit = drawn.exhibit
    parts = [f"# {exhibit.name}: {exhibit.title}\n", f"The paper: {exhibit.says}\n"]
    for panel in drawn.panels:
        unit = exhibit.y.get(panel.facet, "")
        parts.append(f"## {panel.name}\n")
        parts.append(f"{unit}, over {exhibit.x}: mean ± standard deviation over n seeds.\n")
        header = [label(x) for x in columns(drawn, panel)]
        parts.append(
            markdown.table(header, {f"{row.name}{KINDS[row.kind]}": row.entries for row in rows(drawn, panel)})
        )
        parts += [f"{note}\n" for note in notes(drawn, panel)]
    lacks = missing(drawn)
    if lacks:
        listed = "\n".join(f"- {line}" for line in lacks)
        parts.append(f"## Missing\n\n{listed}\n\n`{exhibit.commands}` makes what is missing.\n")
    return "\n".join(parts)


def notes(drawn: Drawn, panel: Panel) -> list[str]:
    """What a reader of a panel has to know: hardware, and whether the paper's numbers may be compared."""
    hardware = sorted({str(run.summary.get("hardware", "unknown")) for run in panel.runs})
    told = [f"On {'; '.join(hardware)}."]
    for name, places in marked(drawn, panel).items():
        told.append(f"{name.capitalize()}: {', '.join(f'at {label(x)} (seed {seed})' for seed, x in places)}.")
    if any(_paper(drawn, panel, line.series) for line in panel.lines):
        told.append(f"The paper's numbers: {drawn.exhibit.paper_on}. {_comparable(drawn, panel)}")
    return told


def number(value: float) -> str:
    """A number with the digits that its size deserves."""
    return f"{value:{_digits(value)}}"


def label(x: float) -> str:
    """A value of ``x``: a sparsity, or a count."""
    return f"{x:,.0f}" if x > 1 else f"{x:.3f}".rstrip("0").rstrip(".")


def _digits(value: float) -> str:
    size = abs(value)
    return ".2e" if 0 < size < 1e-3 else ".4f" if size < 1 else ".2f" if size < 1000 else ",.0f"


def _entry(spot: Spot | None, x: float, line: Line, dense: bool) -> str:
    if spot is None:
        if len(line.spots) == 1:  # a dense network, or one ticket, which has no other place
            return ""
        return "dense" if x == 0 and dense else "missing"
    digits = _digits(spot.entry.mean)
    spread = "" if spot.entry.spread is None else f" ± {spot.entry.spread:{digits}}"
    more = [f"n={spot.entry.count}"] if len({each.entry.count for each in line.spots}) > 1 else []
    more += [f"at {label(spot.x)}"] if x <= 1 and abs(spot.x - x) > 0.006 else []
    told = f" ({', '.join(more)})" if more else ""
    return f"{spot.entry.mean:{digits}}{spread}{told}"


def _spot(drawn: Drawn, line: Line, x: float, shown: Sequence[float]) -> Spot | None:
    if drawn.exhibit.columns:
        return near(line, x, drawn.exhibit.columns)
    return next((spot for spot in line.spots if round(spot.x, 3) == x), None)


def _paper(drawn: Drawn, panel: Panel, series: str) -> Mapping[float, float]:
    return drawn.exhibit.stated(panel.facet, panel.task, series)


def _comparable(drawn: Drawn, panel: Panel) -> str:
    """Whether ours were measured as the paper's, as far as the runs tell."""
    protocols = sorted({str(run.given("protocol.name")) for run in panel.runs})
    apart = [f"protocol={name}" for name in protocols if name != "paper"]
    wanted = drawn.exhibit.published
    others = [name for name in panel.pictures if wanted and name not in wanted and name.split()[-1] not in wanted]
    apart += [*others[:2], *([f"and {len(others) - 2} more"] if len(others) > 2 else [])]
    apart += _shrunk(panel)
    return f"Ours differ ({', '.join(apart)}): no like with like." if apart else "Ours have that setting."


def _shrunk(panel: Panel) -> list[str]:
    """Settings of size that differ from the protocol's, given by hand."""
    told = []
    for name, published in (("fit.steps", "task.published.steps"),):
        values = {run.at(name) for run in panel.runs if run.at(name) != run.given(published)}
        told += [f"{name}={each}" for each in sorted(values, key=str)]
    return told
