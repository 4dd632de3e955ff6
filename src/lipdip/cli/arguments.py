"""Command lines with subcommands, whose errors are one line each."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from typing_extensions import override

from lipdip.cli.exit_codes import exit_code
from lipdip.core.errors import UserError
from lipdip.core.files import checked_path


def path_for(name: str) -> Callable[[str], Path]:
    """The ``type`` of an argument that is a path, with ``~`` expanded; what no file can be called is refused.

    Args:
        name: of the argument, for errors.
    """
    return lambda text: checked_path(text, name)


def seed(text: str) -> int:
    """The ``type`` of an argument that is a seed."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise argparse.ArgumentTypeError(f"a seed is a whole number of at least 0, not {text!r}")
    return int(text)


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` that raises a :class:`UserError` instead of printing its usage and leaving."""

    @override
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; {self.prog} --help says more")


def dispatch(parser: argparse.ArgumentParser, argv: Sequence[str] | None, kept: str) -> int:
    """Call the function that the parser has set as ``run`` for its subcommand.

    Args:
        parser: of the command.
        argv: the command line's words; None for those of this process.
        kept: what to say about files after Ctrl-C.

    Returns:
        The exit code, as :func:`exit_code` gives it.
    """

    def work() -> None:
        arguments = parser.parse_args(argv)
        run: Callable[[argparse.Namespace], None] = arguments.run
        run(arguments)

    return exit_code(work, kept=kept)
