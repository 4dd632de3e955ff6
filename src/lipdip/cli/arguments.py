"""Parsing of plain command lines: an error is one line that says what is wrong."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from typing_extensions import override

from lipdip.core.errors import UserError


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` that raises a :class:`UserError` instead of printing its usage and leaving."""

    @override
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; {self.prog} --help says more")


def done(parser: argparse.ArgumentParser, argv: Sequence[str] | None, kept: str) -> int:
    """Do what a command line says: call the ``run`` function that the parser has set for its subcommand.

    Args:
        parser: of the command.
        argv: the command line's words; None for those of this process.
        kept: what to say about files if it is interrupted.

    Returns:
        The exit code: 0 done, 2 the user can put it right (one line says what), 130 stopped.
    """
    try:
        arguments = parser.parse_args(argv)
        run: Callable[[argparse.Namespace], None] = arguments.run
        run(arguments)
    except UserError as error:
        print(f"lipdip: {' '.join(str(error).splitlines())}", file=sys.stderr, flush=True)
        return 2
    except KeyboardInterrupt:
        print(f"lipdip: stopped; {kept}", file=sys.stderr, flush=True)
        return 130
    return 0
