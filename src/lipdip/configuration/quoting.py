"""Paths in configurations and on command lines, whatever characters they have."""

import re
from pathlib import Path


def literal(path: Path) -> str:
    """A path as a configuration holds it: ``${`` is no interpolation."""
    return str(path.absolute()).replace("${", "\\${")


def quoted(path: Path) -> str:
    """A path as Hydra's command line reads it."""
    whole = str(path.absolute())
    if re.fullmatch(r"[\w/.+-]+", whole):
        return whole
    return "'" + whole.replace("'", "\\'") + "'"
