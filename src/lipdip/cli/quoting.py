"""Paths in configurations and on command lines, whatever characters they have."""

import re
from pathlib import Path


def literal(path: Path) -> str:
    """A path as a configuration holds it: ``${`` is no interpolation."""
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", str(path.absolute()))


def quoted(path: Path, scheme: str = "") -> str:
    """A path as Hydra's command line reads it, behind a scheme such as ``file://``."""
    whole = scheme + literal(path)
    if re.fullmatch(r"[A-Za-z0-9_/.+-]+", whole):  # all that Hydra's lexer takes unquoted; no other letters
        return whole
    doubled = re.sub(r"(\\*)('|\Z)", lambda end: end[1] * 2 + ("\\'" if end[2] else ""), whole)
    return f"'{doubled}'"
