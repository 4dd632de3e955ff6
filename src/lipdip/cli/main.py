"""``lipdip COMMAND ...``: one entry point for all commands, each of which is loaded only when it is asked for."""

import difflib
import sys
from importlib import import_module
from importlib.metadata import version

from lipdip.cli.exit_codes import exit_code
from lipdip.core.errors import UserError
from lipdip.core.version import __version__

COMMANDS = {
    "run": ("lipdip.cli.start", "find a lottery image prior, or use one that was found"),
    "report": ("lipdip.cli.report_command", "figures and tables beside the paper's, from finished runs"),
    "ticket": ("lipdip.cli.ticket_command", "look at ticket files, compare them, make others"),
    "transfer": ("lipdip.cli.transfer_command", "fit tickets, and controls, to other problems"),
    "data": ("lipdip.cli.data_command", "fetch the standard sets of test pictures, and check them"),
}


def main() -> int:
    """Do what this process's command line says; returns the exit code."""
    return exit_code(_main)


def _main() -> int | None:
    name, *words = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print("usage: lipdip COMMAND ...\n")
        for command, (_, what) in COMMANDS.items():
            print(f"  {command:9} {what}")
        print("\nlipdip COMMAND --help says more; lipdip --version shows the versions")
    elif name in ("-V", "--version"):
        print(f"lipdip {__version__} (torch {version('torch')}, Hydra {version('hydra-core')})")
    elif name in ("-sc", "--shell-completion"):
        from lipdip.cli.completion import first_word

        return first_word(tuple(COMMANDS), _run)
    elif name in COMMANDS:
        return _run(name, *words)
    else:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(COMMANDS)}"
        raise UserError(f"there is no command {name!r}{hint}")
    return 0


def _run(name: str, *words: str) -> int | None:
    sys.argv[1:] = words
    code: int | None = import_module(COMMANDS[name][0]).main()
    return code
