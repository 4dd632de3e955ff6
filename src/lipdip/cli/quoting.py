"""Paths in configurations and on command lines, whatever characters they have."""

import re
from pathlib import Path


def literal(path: Path) -> str:
    """A path as a configuration holds it: ``${`` is no interpolation."""
    return _without_interpolation(str(path.absolute()))


def quoted(path: Path, scheme: str = "") -> str:
    """A path as Hydra's command line reads it, behind a scheme such as ``file://``."""
    whole = scheme + literal(path)
    if re.fullmatch(r"[A-Za-z0-9_/.+-]+", whole):  # all that Hydra's lexer takes unquoted; no other letters
        return whole
    return _in_quotes(whole)


def quoted_text(text: str) -> str:
    """Any text as Hydra's command line reads it: what was typed, and nothing else."""
    return _in_quotes(_without_interpolation(text))


def _without_interpolation(text: str) -> str:
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", text)


def _in_quotes(text: str) -> str:
    doubled = re.sub(r"(\\*)('|\Z)", lambda end: end[1] * 2 + ("\\'" if end[2] else ""), text)
    return f"'{doubled}'"
