"""An exhibit as numbers: cells beside the paper's, as CSV and as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from statistics import fmean

from lipdip.core.console import printable
from lipdip.figures import markdown
from lipdip.reports.comparability import comparability
from lipdip.reports.lines import Drawn, Line, Panel, Spot, marked, near, start_of, stated_by_paper
from lipdip.reports.missing import lacking
from lipdip.runs.csv_tables import table_of
from lipdip.runs.noninferiority import FEWEST, LEVEL, MARGIN, NOT_TESTED, Comparison, compare_in_order

KINDS = {"ours": "", "dense": ": against dense", "paper": ": the paper's", "difference": ": difference"}
_TEST = (
    "Against dense: mean of the difference from the same seed's dense network, "
    f"with the one-sided {LEVEL:.0%} lower bound; "
    f"matching where that is above -{MARGIN} dB, tested from the lowest sparsity up to the first that does not match."
)
_WIDEST, _NEARLY = 9, 0.005  # columns, where the exhibit names none; and how far places of one column may lie apart


@dataclass(frozen=True)
class TableCell:
    """One line of an exhibit's CSV; ``x`` is where the number is, ``column`` where the table shows it.

    ``gap`` is the mean over seeds of the difference from the same seed's dense network, ``gap_lower`` its
    lower bound, and ``verdict`` that of the matching test (:mod:`lipdip.runs.noninferiority`). ``regime`` warns where
    the panel's dense networks do not overfit.
    """

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
    gap: float | None = None
    gap_lower: float | None = None
    verdict: str = ""
    regime: str = ""


@dataclass(frozen=True)
class TableRow:
    """A row of a panel's table, as texts; ``kind`` is one of ``KINDS``."""

    name: str
    kind: str
    entries: tuple[str, ...]


@dataclass(frozen=True)
class TableColumn:
    """A column of a panel's table: the spot of each line, in the panel's order, or None where a line has none."""

    x: float
    spots: tuple[Spot | None, ...]


def columns(drawn: Drawn, panel: Panel) -> list[TableColumn]:
    """Where the table of a panel shows numbers: the exhibit's own columns that hold something, or some of all."""
    if drawn.exhibit.axes.columns:
        return _own(drawn, panel)
    found = _merged(panel, ())
    if len(found) <= _WIDEST:
        return found
    return [found[round(number * (len(found) - 1) / (_WIDEST - 1))] for number in range(_WIDEST)]


def every(drawn: Drawn, panel: Panel) -> list[TableColumn]:
    """All numbers of a panel: the exhibit's own columns, and the places that these leave out."""
    own = _own(drawn, panel)
    return sorted([*own, *_merged(panel, own)], key=lambda column: column.x)


def _own(drawn: Drawn, panel: Panel) -> list[TableColumn]:
    """The exhibit's own columns that hold a number, of ours or of the paper."""
    own = drawn.exhibit.axes.columns
    stated = {x for line in panel.lines for x in stated_by_paper(drawn, panel, line.series)}
    columns = [TableColumn(x, tuple(near(line, x, own) for line in panel.lines)) for x in own]
    return [column for column in columns if column.x in stated or any(column.spots)]


def _merged(panel: Panel, shown: Sequence[TableColumn]) -> list[TableColumn]:
    """All places that are not shown; those nearly equal are one column, unless a line has two of them."""
    spots = [
        (spot.x, number, spot)
        for number, line in enumerate(panel.lines)
        for spot in line.spots
        if not any(column.spots[number] is spot for column in shown)
    ]
    groups: list[dict[int, Spot]] = []
    first = 0.0
    for x, number, spot in sorted(spots, key=itemgetter(0, 1)):
        if not groups or number in groups[-1] or x - first > _NEARLY:
            groups.append({})
            first = x
        groups[-1][number] = spot
    numbers = range(len(panel.lines))
    return [
        TableColumn(round(fmean(spot.x for spot in group.values()), 3), tuple(group.get(number) for number in numbers))
        for group in groups
    ]


def cells(drawn: Drawn, panel: Panel, columns: Sequence[TableColumn]) -> list[list[TableCell]]:
    """The numbers of some columns, line by line, with the paper's beside them; what is missing has no number."""
    return [[_cell(drawn, panel, place, column) for column in columns] for place in range(len(panel.lines))]


def _cell(drawn: Drawn, panel: Panel, place: int, column: TableColumn) -> TableCell:
    line, spot = panel.lines[place], column.spots[place]
    theirs = stated_by_paper(drawn, panel, line.series).get(column.x)
    compared = _compared(drawn, panel, line, column.x, spot)
    entry = None if spot is None else spot.entry
    tested = None if spot is None else _tested(drawn, panel, line).get(spot.x)
    return TableCell(
        exhibit=drawn.exhibit.name,
        panel=panel.name,
        series=line.name,
        column=column.x,
        x=None if spot is None else spot.x,
        mean=None if entry is None else entry.mean,
        spread=None if entry is None else entry.spread,
        seeds=0 if entry is None else entry.count,
        paper=theirs,
        difference=None if compared is None or theirs is None else compared - theirs,
        unit=drawn.exhibit.axes.y.get(panel.facet, ""),
        runs="" if spot is None else " ".join(spot.runs),
        gap=None if tested is None else tested.mean,
        gap_lower=None if tested is None else tested.lower,
        verdict="" if tested is None else tested.verdict,
        regime=panel.regime,
    )


def _tested(drawn: Drawn, panel: Panel, line: Line) -> dict[float, Comparison]:
    """The matching test of a line's tickets, by sparsity; empty where there is no dense network, or no PSNR."""
    if drawn.exhibit.axes.x != "sparsity" or "PSNR" not in drawn.exhibit.axes.y.get(panel.facet, ""):
        return {}
    return compare_in_order({spot.x: spot.gaps for spot in line.spots if spot.x > 0 and spot.gaps})


def csv_of(drawn: Drawn) -> str:
    """Every number of the tables as CSV."""
    lines = (line for panel in drawn.panels for line in cells(drawn, panel, every(drawn, panel)))
    return table_of(TableCell, (cell for line in lines for cell in line), inert=True)


def rows(drawn: Drawn, panel: Panel) -> list[TableRow]:
    """A panel's table: mean and spread, below them the paper's value and the difference from it.

    The number of seeds stands beside the name; in the cells, where they are of different numbers.
    """
    found = []
    for line, own in zip(panel.lines, cells(drawn, panel, columns(drawn, panel)), strict=True):
        counts = {spot.entry.count for spot in line.spots}
        name = f"{line.name}, n={min(counts)}" if len(counts) == 1 else line.name
        found.append(TableRow(name, "ours", tuple(_entry(drawn, panel, line, cell) for cell in own)))
        if any(cell.gap is not None for cell in own):
            found.append(TableRow(line.name, "dense", tuple(map(_against_dense, own))))
        if stated_by_paper(drawn, panel, line.series):
            theirs = tuple("" if cell.paper is None else number(cell.paper) for cell in own)
            found += [TableRow(line.name, "paper", theirs), TableRow(line.name, "difference", tuple(map(_apart, own)))]
    return found


def _against_dense(cell: TableCell) -> str:
    if cell.gap is None:
        return ""
    bound = "" if cell.gap_lower is None else f", at least {cell.gap_lower:+.2f}"
    return f"{cell.gap:+.2f}{bound} ({cell.verdict})" if cell.verdict != NOT_TESTED else f"{cell.gap:+.2f}{bound}"


def _apart(cell: TableCell) -> str:
    return "" if cell.difference is None or cell.paper is None else f"{cell.difference:+{_digits(cell.paper)}}"


def _compared(drawn: Drawn, panel: Panel, line: Line, x: float, spot: Spot | None) -> float | None:
    """Our value to compare with the paper's; at sparsity 0, the dense run's where the line starts from it."""
    if spot is not None or x != 0:
        return None if spot is None else spot.entry.mean
    start = start_of(drawn, panel, line)
    return None if start is None else start.spots[0].entry.mean


def markdown_of(drawn: Drawn) -> str:
    """All tables of an exhibit, with what has to be known to read them."""
    exhibit = drawn.exhibit
    parts = [f"# {exhibit.name}: {exhibit.title}\n", f"The paper: {exhibit.says}\n"]
    for panel in drawn.panels:
        unit = exhibit.axes.y.get(panel.facet, "")
        parts.append(f"## {markdown.text(panel.name)}\n")
        if panel.regime:
            parts.append(f"**{panel.regime.capitalize()}.** Scores say how far the steps get, not what overfits.\n")
        parts.append(f"{unit}, over {exhibit.axes.x}: mean ± standard deviation over n seeds.\n")
        header = [label(column.x) for column in columns(drawn, panel)]
        body = {f"{row.name}{KINDS[row.kind]}": row.entries for row in rows(drawn, panel)}
        parts.append(markdown.table(header, body, exhibit.axes.x))
        parts += [f"{markdown.text(note)}\n" for note in notes(drawn, panel)]
    lacks = lacking(drawn)
    if lacks:
        listed = "\n".join(f"- {markdown.text(lack.text)}\n\n      {printable(lack.command)}\n" for lack in lacks)
        parts.append(f"## Missing\n\nBelow each, the command that makes it.\n\n{listed}")
    return "\n".join(parts)


def notes(drawn: Drawn, panel: Panel) -> list[str]:
    """What a reader of a panel has to know: hardware, versions, and whether the paper's numbers may be compared."""
    hardware = sorted({run.hardware for run in panel.runs})
    said = [f"On {'; '.join(hardware)}."]
    mixed = {run.versions for line in panel.lines if len({run.versions for run in line.runs}) > 1 for run in line.runs}
    said += [f"Runs of different versions are averaged: {'; '.join(sorted(mixed))}."] if mixed else []
    for name, places in marked(drawn, panel).items():
        said.append(f"{name.capitalize()}: {', '.join(f'at {label(x)} (seed {seed})' for seed, x in places)}.")
    tests = [one for line in panel.lines for one in _tested(drawn, panel, line).values()]
    if any(one.verdict != NOT_TESTED for one in tests):
        said.append(_TEST)
    elif tests:
        said.append(f"Whether a ticket matches the dense network is not tested with fewer than {FEWEST} seeds.")
    if any(stated_by_paper(drawn, panel, line.series) for line in panel.lines):
        said.append(f"The paper's numbers: {drawn.exhibit.paper.on}. {comparability(drawn, panel)}")
    elif drawn.exhibit.paper.numbers:
        said.append(f"The paper has no numbers of this problem; it has those of {drawn.exhibit.paper.on}.")
    fewer, all_ = len(columns(drawn, panel)), len(every(drawn, panel))
    said += [f"The table shows {fewer} of {all_} columns; the CSV has all."] if fewer < all_ else []
    return said


def number(value: float) -> str:
    """A number with as many digits as suit its size."""
    return f"{value:{_digits(value)}}"


def label(x: float) -> str:
    """A value of ``x``: a sparsity, or a count."""
    return f"{x:,.0f}" if x > 1 else f"{x:.3f}".rstrip("0").rstrip(".")


def _digits(value: float) -> str:
    size = abs(value)
    return ".2e" if 0 < size < 1e-3 else ".4f" if size < 1 else ".2f" if size < 1000 else ",.0f"


def _entry(drawn: Drawn, panel: Panel, line: Line, cell: TableCell) -> str:
    if cell.mean is None or cell.x is None:
        if len(line.spots) == 1:  # a dense network, or one ticket, which has no other place
            return ""
        start = drawn.exhibit.whole.starts(line.series) if cell.column == 0 else ""
        if start and any(other.series == start and other.spots[0].x == 0 for other in panel.lines):
            return start
        return "missing" if drawn.exhibit.axes.columns else ""
    digits = _digits(cell.mean)
    spread = "" if cell.spread is None else f" ± {cell.spread:{digits}}"
    more = [f"n={cell.seeds}"] if len({each.entry.count for each in line.spots}) > 1 else []
    more += [f"at {label(cell.x)}"] if cell.column <= 1 and abs(cell.x - cell.column) > 0.006 else []
    notes = f" ({', '.join(more)})" if more else ""
    return f"{cell.mean:{digits}}{spread}{notes}"
