"""One page with everything: figures and tables beside the paper's values, what is missing, what was refused."""

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lipdip.core.console import printable
from lipdip.core.version import __version__
from lipdip.reports.exhibit import NotDrawn
from lipdip.reports.exhibit_tables import KINDS, TableRow, columns, label, notes, rows
from lipdip.reports.filled import Filled
from lipdip.reports.gather import Gathered, Refused, listed
from lipdip.reports.grids import Arranged, caption, remarks, shown
from lipdip.reports.lines import Drawn, Panel
from lipdip.reports.missing import lacking

_RUNS, _FIT = 12, 8  # runs named below a grid, and columns that fit a page
_STYLE = Path(__file__).with_suffix(".css").read_text()


def page(
    gathered: Gathered,
    exhibits: Sequence[Filled],
    pictures: Mapping[str, Sequence[bytes]],
    others: Sequence[NotDrawn],
    where: str,
) -> str:
    """The whole page, which needs nothing beside it.

    Args:
        gathered: what was read.
        exhibits: what there is to show, in order; those without a run are only listed.
        pictures: a PNG for each panel that is shown, by the name of the exhibit.
        others: what the paper has and is not drawn here.
        where: the directories that were read, in words.
    """
    versions = sorted({run.versions for run in gathered.runs})
    hardware = sorted({run.hardware for run in gathered.runs})
    found = [drawn for drawn in exhibits if drawn.panels]
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>lipdip: results beside the paper</title><style>\n{_STYLE}</style></head><body>",
        "<h1>Lottery image priors: results beside the paper</h1>",
        f"<p>{len(gathered.runs)} finished runs from {escape(where)}, made by {escape('; '.join(versions))} on "
        f"{escape(', '.join(hardware))}. Report by lipdip {escape(__version__)}.</p>",
        "<p>Numbers are means over seeds ± one standard deviation, and <code>n</code> is the number of seeds. "
        "Only runs of the same settings on the same hardware are averaged. They may differ in seeds, in the number of "
        "rounds and of threads, and in versions, which is stated where it is so. <em>Best</em> PSNR is the best over a "
        "run against the clean picture: an oracle's choice, as in the paper. A difference is ours minus the paper's."
        "</p>",
        f"<p>Pictures and data: {escape(_pictures(found) or 'none')}.</p>",
        _contents(exhibits),
        *(_section(drawn, pictures[drawn.exhibit.name]) for drawn in found),
        _rest([drawn for drawn in exhibits if not drawn.panels], others),
        _refused([*gathered.refused, *(one for drawn in exhibits for one in drawn.refused)], gathered.again),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def escape(text: str) -> str:
    """Any text, to be shown as it is: the one way in which text comes into the page."""
    return html.escape(printable(text))


def _pictures(shown: Sequence[Filled]) -> str:
    """Names of pictures and data by size."""
    sizes: dict[str, set[str]] = {}
    for name in {name for drawn in shown for run in drawn.runs for name in run.pictures}:
        own, _, size = name.rpartition(" ")
        sizes.setdefault(size if own else "data", set()).add(own or size)
    return "; ".join(f"{size}: {', '.join(sorted(names))}" for size, names in sorted(sizes.items()))


def _contents(exhibits: Sequence[Filled]) -> str:
    lines = []
    for drawn in exhibits:
        exhibit, seeds = drawn.exhibit, {run.seed for run in drawn.runs}
        name = f'<a href="#{exhibit.name}">{exhibit.name}</a>' if drawn.panels else exhibit.name
        state = "nothing yet" if not drawn.panels else "in part" if lacking(drawn) else "whole"
        counts = f'<td class="count">{len(drawn.runs)}</td><td class="count">{len(seeds)}</td>'
        lines.append(f"<tr><td>{name}</td><td>{escape(exhibit.title)}</td>{counts}<td>{state}</td></tr>")
    head = (
        '<tr><th>exhibit</th><th>about</th><th class="count">runs</th><th class="count">seeds</th><th>state</th></tr>'
    )
    return (
        f'<nav class="wide"><table class="contents"><thead>{head}</thead><tbody>{"".join(lines)}</tbody></table></nav>'
    )


def _section(drawn: Filled, pictures: Sequence[bytes]) -> str:
    exhibit = drawn.exhibit
    return "\n".join(
        [
            f'<section id="{exhibit.name}"><h2>{exhibit.name}: {escape(exhibit.title)}</h2>',
            f"<p>The paper: {escape(exhibit.says)}</p>",
            *(_grids(drawn, pictures) if isinstance(drawn, Arranged) else _panels(drawn, pictures)),
            _missing(drawn),
            "</section>",
        ]
    )


def _panels(drawn: Drawn, pictures: Sequence[bytes]) -> Iterable[str]:
    """Figure and numbers, the second of them folded."""
    images = [_image(panel.name, picture) for panel, picture in zip(drawn.panels, pictures, strict=True)]
    figure = f"<figure>{''.join(images)}</figure>"
    tables = "".join(_table(drawn, panel) for panel in drawn.panels)
    if drawn.exhibit.name.startswith("table"):
        return tables, _folded("the figure", figure)
    return figure, _folded("the numbers", tables)


def _grids(arranged: Arranged, pictures: Sequence[bytes]) -> Iterable[str]:
    """Each grid below its setting, with the runs that it is of."""
    yield f'<p class="faint">{escape(remarks(arranged))}</p>'
    for grid, picture in zip(shown(arranged), pictures, strict=True):
        name = caption(grid)
        names = [run.path.name for run in grid.runs]
        runs = ", ".join(names) if len(names) <= _RUNS else f"{', '.join(names[:_RUNS])} and {len(names) - _RUNS} more"
        hardware = sorted({run.hardware for run in grid.runs})
        yield f"<h3>{escape(name)}</h3>"
        width = int.from_bytes(picture[16:20], "big") * 0.7  # so that pictures of all grids are of one size
        yield f'<figure class="grid" style="max-width: {width:.0f}px">{_image(name, picture)}</figure>'
        yield f'<p class="faint">Runs {escape(runs)}, on {escape("; ".join(hardware))}.</p>'


def _image(alt: str, png: bytes) -> str:
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(png).decode()}">'


def _table(drawn: Drawn, panel: Panel) -> str:
    head = "".join(f"<th>{label(column.x)}</th>" for column in columns(drawn, panel))
    body = "".join(_row(row) for row in rows(drawn, panel))
    unit = f"{drawn.exhibit.axes.y.get(panel.facet, '')}, over {drawn.exhibit.axes.x}"
    said = " ".join([*notes(drawn, panel), *(["It scrolls sideways."] if len(columns(drawn, panel)) > _FIT else [])])
    warning = f'<p class="bad">{escape(panel.regime.capitalize())}.</p>' if panel.regime else ""
    about = f'<p class="faint">{escape(unit)}. {escape(said)}</p>'
    return (
        f'<h3>{escape(panel.name)}</h3>{warning}{about}<div class="wide"><table>'
        f"<thead><tr><th>{escape(drawn.exhibit.axes.x)}</th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _row(row: TableRow) -> str:
    entries = "".join(f"<td>{escape(entry)}</td>" for entry in row.entries)
    name = row.name if row.kind == "ours" else KINDS[row.kind].removeprefix(": ")
    return f'<tr class="{row.kind}"><td>{escape(name)}</td>{entries}</tr>'


def _missing(drawn: Filled) -> str:
    lacks = lacking(drawn)
    if not lacks:
        return ""
    items = "".join(f"<li>{escape(lack.text)}<pre><code>{escape(lack.command)}</code></pre></li>" for lack in lacks)
    return _folded("what is missing", f"<p>Below each, the command that makes it.</p><ul>{items}</ul>")


def _rest(without: Sequence[Filled], others: Sequence[NotDrawn]) -> str:
    yet = [f"{one.exhibit.name}: {one.exhibit.title}. {one.exhibit.commands}" for one in without]
    head = f"<p>No run belongs to these yet. The commands make their runs:</p>{_listed(yet)}" if yet else ""
    elsewhere = _listed(f"{other.name}: {other.title}; {other.why}" for other in others)
    return f"<h2>Not shown</h2>{head}<p>Exhibits of the paper that this report does not draw:</p>{elsewhere}"


def _refused(refused: Sequence[Refused], again: int) -> str:
    counted = f"<p>{again} directories hold a run that another directory holds too.</p>" if again else ""
    lines = _listed(listed(refused)) if refused else "<p>None: every run directory could be read.</p>"
    return f'<h2 id="refused">Directories that were not used, or not everywhere</h2>{lines}{counted}'


def _folded(name: str, content: str) -> str:
    return f"<details><summary>{escape(name)}</summary>{content}</details>"


def _listed(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"
