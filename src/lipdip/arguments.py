"""Parsing of plain command lines: what is wrong with one is told in one line."""

import argparse
from typing import NoReturn

from typing_extensions import override

from lipdip.core.errors import UserError


class Parser(argparse.ArgumentParser):
    """An ``ArgumentParser`` that raises a :class:`UserError` instead of printing its usage and leaving."""

    @override
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; {self.prog} --help says more")
