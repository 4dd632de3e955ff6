"""``lipdip COMMAND ...``: one entry point for all commands, each of which is loaded only when it is asked for."""

import difflib
import os
import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

from lipdip.cli.exit_codes import ends_quietly, exit_code
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
    return ends_quietly(lambda: exit_code(_main))


def command(name: str) -> int:
    """Do one command with the words of this process's command line, as ``python -m lipdip.NAME`` does.

    Returns:
        The exit code.
    """
    return ends_quietly(lambda: exit_code(lambda: _run(name, *sys.argv[1:])))


def _main() -> int | None:
    name, *words = sys.argv[1:] or ["--help"]
    if name in ("-h", "--help"):
        print("usage: lipdip COMMAND ...\n")
        for own, (_, what) in COMMANDS.items():
            print(f"  {own:9} {what}")
        print("\nlipdip COMMAND --help says more; lipdip --version shows the versions")
    elif name in ("-V", "--version"):
        print(versions())
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


def versions() -> str:
    """The versions of lipdip, torch and Hydra, from what is installed; torch is not loaded."""
    others = " ".join(f"{name} {_version(package)}," for name, package in (("torch", "torch"), ("Hydra", "hydra-core")))
    return f"lipdip {__version__} ({others.rstrip(',')})"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "is not installed"


def _run(name: str, *words: str) -> int | None:
    if "--version" in words or words == ("-V",):
        print(versions())
        return 0
    try:
        os.getcwd()  # noqa: PTH109  the system's own answer, before libraries ask for it
    except OSError as error:
        raise UserError(f"the working directory is gone ({error.strerror}); cd to one that is there") from None
    os.environ["MPLBACKEND"] = "agg"  # figures become files, never windows; an unknown name would end the command
    sys.argv[1:] = words
    code: int | None = import_module(COMMANDS[name][0]).main()
    return code
