"""``python -m lipdip.data``: the standard sets of test pictures, fetched where asked for, and checked."""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from lipdip.cli.arguments import Parser, dispatch, path_for
from lipdip.cli.places import check_place
from lipdip.core.console import plain_console, say
from lipdip.core.errors import UserError
from lipdip.pictures.standard_sets import AS_PUBLIC, MISSING, OTHER, StandardSet, standard_sets


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    return dispatch(_parser(), argv, kept="every picture that is there is whole")


def _list(arguments: argparse.Namespace) -> None:
    console = plain_console()
    for one in standard_sets().values():
        say(console, f"{one.name:6} {len(one.files):2} files  {one.about}")
        say(console, f"{'':16} {one.base}")


def _fetch(arguments: argparse.Namespace) -> None:
    console, directory = plain_console(), arguments.to
    sets = [_named(name) for name in dict.fromkeys(arguments.names)]
    if directory.is_file():
        raise UserError(f"{directory} is a file; --to takes a directory")
    check_place(directory)
    files = [file for one in sets for file in one.files]
    states = {file: file.state(directory) for file in files}  # before the first download
    others = [file.place for file in files if states[file] == OTHER]
    if others and not arguments.force:
        raise UserError(f"{_listed(directory, others)}; --force fetches the public file in its place")
    wanted = [file for file in files if states[file] != AS_PUBLIC]
    for number, file in enumerate(wanted, 1):
        file.fetch(directory)
        say(console, f"[{number}/{len(wanted)}] {directory / file.place}")
    there = f", {len(files) - len(wanted)} were there already" if len(wanted) < len(files) else ""
    say(console, f"{len(wanted)} fetched{there}; use them with paths.data_dir={directory}")


def _check(arguments: argparse.Namespace) -> None:
    console, directory = plain_console(), arguments.dir
    if not directory.is_dir():
        raise UserError(f"there is no directory at {directory}")
    others: list[str] = []
    there = 0
    for one in standard_sets().values():
        states = {file.place: file.state(directory) for file in one.files}
        lacking, differing = ([place for place, state in states.items() if state == kind] for kind in (MISSING, OTHER))
        good = len(states) - len(lacking) - len(differing)
        say(console, f"{one.name:6} {good} of {len(states)} as they were published")
        for what, places in (("missing", lacking), ("another hash", differing)):
            if places:
                names = ", ".join(place.partition("/")[2] for place in places)
                say(console, f"       {what}: {names if len(places) < len(states) else 'all'}")
        others += differing
        there += good
    if not there and not others:
        raise UserError(f"none of these pictures is in {directory}; python -m lipdip.data fetch NAME downloads a set")
    if others:
        raise UserError(_listed(directory, others))


def _named(name: str) -> StandardSet:
    sets = standard_sets()
    if name not in sets:
        raise UserError(f"no standard set is called {name!r}; there are {', '.join(sets)}")
    return sets[name]


def _listed(directory: Path, places: Sequence[str]) -> str:
    more = f" and {len(places) - 1} more" if len(places) > 1 else ""
    verb = "have" if more else "has"
    return f"{directory / places[0]}{more} {verb} another hash than what was published"


def _parser() -> argparse.ArgumentParser:
    what = "Fetch the standard sets of test pictures, and check them."
    parser = Parser(prog="python -m lipdip.data", description=what)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], what: str) -> Parser:
        added: Parser = commands.add_parser(name, help=what, description=what)
        added.set_defaults(run=run)
        return added

    usual = os.environ.get("LIPDIP_DATA", "data")  # as paths.data_dir
    command("list", _list, "the sets, and where they are public")
    fetched = command("fetch", _fetch, "download what is missing of a set, each file checked by its SHA-256")
    fetched.add_argument("names", metavar="NAME", nargs="+", help="set5, set14, set12 or dip")
    fetched.add_argument(
        "--to", metavar="DIR", type=path_for("--to"), default=usual, help="paths.data_dir; %(default)s if not given"
    )
    fetched.add_argument("--force", action="store_true", help="replace files that have another hash")
    checked = command("check", _check, "what of the sets is in a directory, is missing, or has another hash")
    place = path_for("DIR")
    checked.add_argument("dir", metavar="DIR", type=place, nargs="?", default=usual, help="%(default)s if not given")
    return parser
