"""``python -m lipdip.report``: figures and tables beside the paper's, from run directories; nothing is run."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from lipdip.arguments import Parser, done
from lipdip.core.errors import UserError
from lipdip.core.files import write_whole
from lipdip.figures.terminal import count, plain_console, say, span
from lipdip.reports.exhibit import Exhibit
from lipdip.reports.exhibits import DRAWN, NOT_DRAWN, named
from lipdip.reports.gallery import Gallery
from lipdip.reports.gather import Gathered, Refused, gather
from lipdip.reports.grids import Arranged, arranged
from lipdip.reports.lines import Drawn, drawn
from lipdip.reports.missing import missing
from lipdip.reports.page import page
from lipdip.reports.tables import csv_of, markdown_of


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code is that of :func:`lipdip.arguments.done`."""
    return done(_parser(), argv, kept="files that were written are whole")


def _list(arguments: argparse.Namespace) -> None:
    gathered = gather(arguments.outputs)
    console = plain_console()
    for exhibit in DRAWN:
        found = _shown(exhibit, gathered)
        say(console, f"{exhibit.name:<8} {exhibit.title}: {_counted(found) if found.panels else 'no runs'}")
        lacks = missing(found)
        for line in lacks if arguments.all else lacks[:2]:
            say(console, f"         missing: {line}")
        if lacks:
            more = "" if arguments.all or len(lacks) < 3 else f"and {len(lacks) - 2} more; "
            say(console, f"         {more}{exhibit.commands}")
    say(console, "not drawn:")
    for other in NOT_DRAWN:
        say(console, f"{other.name:<8} {other.title}; instead: {other.instead}")
    _say_refused(gathered.refused)


def _table(arguments: argparse.Namespace) -> None:
    found = _found(arguments)
    written = _write_table(found, _folder(arguments))
    if not written:
        name = found.exhibit.name
        raise UserError(f"{name} has no table: it is pictures, and report figure {name} draws them")
    if isinstance(found, Drawn):
        for line in markdown_of(found).splitlines():
            say(plain_console(), line)
    for path in written:
        say(plain_console(), str(path))


def _figure(arguments: argparse.Namespace) -> None:
    found = _found(arguments)
    for path in _write_figure(found, _folder(arguments)):
        say(plain_console(), str(path))


def _all(arguments: argparse.Namespace) -> None:
    gathered = gather(arguments.outputs)
    found = [_shown(exhibit, gathered) for exhibit in DRAWN]
    folder = _folder(arguments)
    pictures: dict[str, list[bytes]] = {}
    for one in [one for one in found if one.panels]:
        name = one.exhibit.name
        say(plain_console(), f"{name}: {count(len(one.runs), 'run')}, {count(len(one.panels), 'panel')}")
        _write_table(one, folder)
        _write_figure(one, folder)
        pictures[name] = _panels(one)
    where = ", ".join(map(str, arguments.outputs))
    write_whole(folder / "index.html", page(gathered, found, pictures, NOT_DRAWN, where))
    shown = sum(bool(one.panels) for one in found)
    say(plain_console(), f"{folder / 'index.html'}: {shown} of {len(found)} exhibits, {len(gathered.runs)} runs")
    _say_refused([*gathered.refused, *(refused for one in found for refused in one.refused)])


def _counted(found: Drawn | Arranged) -> str:
    """How much there is of an exhibit, and how long its runs took, without loading and drawing."""
    seeds = len({run.seed for run in found.runs})
    seconds = sum(row.seconds for run in found.runs for row in run.rounds)
    counts = [count(len(found.runs), "run"), count(seeds, "seed"), count(len(found.panels), "panel")]
    return f"{', '.join(counts)}, {span(seconds)} of fitting"


def _shown(exhibit: Exhibit | Gallery, gathered: Gathered) -> Drawn | Arranged:
    """An exhibit with what there is of it."""
    if isinstance(exhibit, Gallery):
        return arranged(exhibit, gathered.runs)
    return drawn(exhibit, gathered.runs)


def _found(arguments: argparse.Namespace) -> Drawn | Arranged:
    """The exhibit that was asked for, with the runs there are."""
    exhibit = named(arguments.name)
    gathered = gather(arguments.outputs)
    found = _shown(exhibit, gathered)
    _say_refused([*gathered.refused, *found.refused])
    if not found.panels:
        raise UserError(f"no run belongs to {exhibit.name} yet: {exhibit.commands}")
    return found


def _say_refused(refused: Sequence[Refused]) -> None:
    """What was left out, on standard error."""
    for one in dict.fromkeys(refused):
        print(f"lipdip: not used: {one}", file=sys.stderr, flush=True)


def _write_table(found: Drawn | Arranged, folder: Path) -> list[Path]:
    """What there is of numbers; a gallery may have none."""
    from lipdip.reports import hanging  # here, because matplotlib takes a second to load

    name = found.exhibit.name
    if isinstance(found, Arranged):
        power = hanging.power_table(found)
        written = {folder / f"{name}.csv": power} if power is not None else {}
    else:
        written = {folder / f"{name}.csv": csv_of(found), folder / f"{name}.md": markdown_of(found)}
    for path, content in written.items():
        write_whole(path, content)
    return list(written)


def _write_figure(found: Drawn | Arranged, folder: Path) -> list[Path]:
    from lipdip.reports import drawing, hanging

    name = found.exhibit.name
    png, svg = (
        (hanging.png(found), hanging.svg(found))
        if isinstance(found, Arranged)
        else (drawing.png(found), drawing.svg(found))
    )
    written = {folder / f"{name}.png": png, folder / f"{name}.svg": svg}
    for path, content in written.items():
        write_whole(path, content)
    return list(written)


def _panels(found: Drawn | Arranged) -> list[bytes]:
    from lipdip.reports import drawing, hanging

    return hanging.panels(found) if isinstance(found, Arranged) else drawing.panels(found)


def _folder(arguments: argparse.Namespace) -> Path:
    folder: Path = arguments.out
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {folder}: {error.strerror or error}") from None
    return folder


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m lipdip.report",
        description="Figures and tables beside the paper's, from run directories. Nothing is run.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], what: str) -> Parser:
        added: Parser = commands.add_parser(name, help=what, description=what)
        added.add_argument(
            *("--from",),
            dest="outputs",
            nargs="+",
            type=Path,
            default=[Path("outputs")],
            metavar="DIR",
            help="directories that hold runs/, as given by paths.output_dir; default: outputs",
        )
        added.set_defaults(run=run)
        return added

    listed = command(
        "list", _list, "the exhibits: runs and seeds found, what is missing, and the command that makes it"
    )
    listed.add_argument("--all", action="store_true", help="everything that is missing, not the first two of each")
    tabled = command("table", _table, "one exhibit's numbers beside the paper's, as CSV and Markdown")
    drawn_ = command("figure", _figure, "one exhibit's figure, as PNG and SVG")
    for one in (tabled, drawn_):
        one.add_argument("name", metavar="NAME", help="of the exhibit, such as fig3 or table4; list tells all")
    whole = command("all", _all, "all of it, and index.html, one page that needs nothing beside it")
    for one in (tabled, drawn_, whole):
        one.add_argument("--out", type=Path, default=Path("report"), metavar="DIR", help="where to; default: report")
    return parser


if __name__ == "__main__":
    sys.exit(main())
