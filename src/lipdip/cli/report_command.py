"""``python -m lipdip.report``: figures and tables beside the paper's, from run directories; nothing is run."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lipdip.cli.arguments import Parser, dispatch, path_for
from lipdip.cli.places import make_folder
from lipdip.core.console import complain, count, plain_console, say, span
from lipdip.core.errors import UserError
from lipdip.core.files import write_whole
from lipdip.reports.exhibits.everything import DRAWN, NOT_DRAWN, named
from lipdip.reports.filled import Filled, figures, filled, panels, tables
from lipdip.reports.gather import Refused, gather, listed
from lipdip.reports.lines import Drawn
from lipdip.reports.missing import lacking
from lipdip.reports.page import page


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    return dispatch(_parser(), argv, kept="files that were written are whole")


def _list(arguments: argparse.Namespace) -> None:
    gathered = gather(arguments.outputs)
    console, refused = plain_console(), [*gathered.refused]
    for exhibit in DRAWN:
        shown = filled(exhibit, gathered.runs)
        refused += shown.refused
        say(console, f"{exhibit.name:<8} {exhibit.title}: {_counted(shown) if shown.panels else 'no runs'}")
        lacks = lacking(shown)
        for lack in lacks if arguments.all else lacks[:2]:
            say(console, f"         missing: {lack.text}")
            say(console, f"           {lack.command}")
        if len(lacks) > 2 and not arguments.all:
            say(console, f"         and {len(lacks) - 2} more, which --all shows")
    say(console, "not drawn:")
    for other in NOT_DRAWN:
        say(console, f"{other.name:<8} {other.title}: {other.why}")
    _say_refused(refused)


def _table(arguments: argparse.Namespace) -> None:
    shown = _asked(arguments)
    name, content = shown.exhibit.name, tables(shown)
    if not content:
        raise UserError(f"{name} has no table: it is pictures, and report figure {name} draws them")
    for line in content.get("md", "").splitlines():
        say(plain_console(), line)
    for path in _written(name, content, _folder(arguments)):
        say(plain_console(), str(path))


def _figure(arguments: argparse.Namespace) -> None:
    shown = _asked(arguments)
    for path in _written(shown.exhibit.name, figures(shown), _folder(arguments)):
        say(plain_console(), str(path))


def _all(arguments: argparse.Namespace) -> None:
    gathered = gather(arguments.outputs)
    everything = [filled(exhibit, gathered.runs) for exhibit in DRAWN]
    folder = _folder(arguments)
    pictures: dict[str, list[bytes]] = {}
    for shown in [one for one in everything if one.panels]:
        name = shown.exhibit.name
        say(plain_console(), f"{name}: {count(len(shown.runs), 'run')}, {count(len(shown.panels), 'panel')}")
        whole = figures(shown)
        _written(name, {**tables(shown), **whole}, folder)
        alone = isinstance(shown, Drawn) and len(shown.panels) == 1  # whose panel is the figure
        pictures[name] = [whole["png"]] if alone else panels(shown)
    where = ", ".join(map(str, arguments.outputs))
    write_whole(folder / "index.html", page(gathered, everything, pictures, NOT_DRAWN, where))
    counted = f"{len(pictures)} of {len(everything)} exhibits, {len(gathered.runs)} runs"
    say(plain_console(), f"{folder / 'index.html'}: {counted}")
    _say_refused([*gathered.refused, *(refused for one in everything for refused in one.refused)])


def _counted(shown: Filled) -> str:
    """How much there is of an exhibit, and how long its runs took, without loading and drawing."""
    seeds = len({run.seed for run in shown.runs})
    seconds = sum(row.seconds for run in shown.runs for row in run.rounds)
    counts = [count(len(shown.runs), "run"), count(seeds, "seed"), count(len(shown.panels), "panel")]
    return f"{', '.join(counts)}, {span(seconds)} of fitting"


def _asked(arguments: argparse.Namespace) -> Filled:
    """The exhibit that was asked for, with the runs there are."""
    exhibit = named(arguments.name)
    gathered = gather(arguments.outputs)
    shown = filled(exhibit, gathered.runs)
    _say_refused([*gathered.refused, *shown.refused])
    if not shown.panels:
        raise UserError(f"no run belongs to {exhibit.name} yet: {exhibit.commands}")
    return shown


def _say_refused(refused: Sequence[Refused]) -> None:
    """What was left out, on standard error."""
    for line in listed(refused):
        complain(line)


def _written(name: str, contents: Mapping[str, str | bytes], folder: Path) -> list[Path]:
    """Files of an exhibit's name, by suffix."""
    paths = {suffix: folder / f"{name}.{suffix}" for suffix in contents}
    for suffix, content in contents.items():
        write_whole(paths[suffix], content)
    return list(paths.values())


def _folder(arguments: argparse.Namespace) -> Path:
    folder: Path = arguments.out
    make_folder(folder)
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
            type=path_for("--from"),
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
        one.add_argument("name", metavar="NAME", help="of the exhibit, such as fig3 or table4; list shows all")
    whole = command("all", _all, "all of it, and index.html, one page that needs nothing beside it")
    for one in (tabled, drawn_, whole):
        out = path_for("--out")
        one.add_argument("--out", type=out, default=Path("report"), metavar="DIR", help="where to; default: report")
    return parser
