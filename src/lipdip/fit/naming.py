"""What a run is called on a dashboard: by what was typed for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_ELSEWHERE = ("logger", "paths", "trainer", "callbacks", "hydra")  # groups that change no numbers


@dataclass(frozen=True)
class Sweep:
    """The sweep that a run belongs to.

    Args:
        name: its experiment, or a hash of its plan.
        varied: the settings that it tries several values of, by dotted name.
    """

    name: str
    varied: tuple[str, ...] = ()


def display_name(words: Sequence[str]) -> str:
    """A run's name for people: the overrides that it was started with, but for those that change no numbers."""
    own = [word.lstrip("+") for word in words if word.lstrip("+~").split("=")[0].split(".")[0] not in _ELSEWHERE]
    return ", ".join(own) or "defaults"


def job(config: Mapping[str, Any]) -> str:
    """What a run is for: ``find`` a ticket, ``use`` one, or neither, ``dense``."""
    if config["pruner"]["scorer"] is not None:
        return "find"
    return "use" if config["ticket"]["path"] is not None else "dense"


def typed(directory: Path) -> list[str]:
    """The overrides that a run was started with, from its directory; none if it has no such file."""
    return list(_read(directory / "overrides.yaml") or [])


def composed(directory: Path) -> dict[str, Any]:
    """A run's configuration from its directory, without what changes no numbers; empty if it has no such file.

    ``pictures`` is added, all their names in one word, for grouping.
    """
    config = {name: part for name, part in (_read(directory / "config.yaml") or {}).items() if name not in _ELSEWHERE}
    return config | {"pictures": " + ".join(config["image"]["pictures"])} if config else {}


def _read(file: Path) -> Any:
    return yaml.safe_load(file.read_text()) if file.exists() else None
