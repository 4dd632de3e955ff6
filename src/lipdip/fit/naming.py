"""What a run is called on a dashboard: by what was typed for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_ELSEWHERE = ("logger", "paths", "trainer", "callbacks", "hydra", "score", "sweep")  # groups that change no numbers


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


def labels(directory: Path) -> dict[str, Any]:
    """``name``, ``job_type`` and ``config`` of a run, from its directory; empty where its files are missing.

    The job type is ``find`` (a ticket), ``use`` (one), or neither, ``dense``. The configuration is without what changes
    no numbers, and has ``pictures``, all their names in one word, for grouping.
    """
    composed, typed = directory / "config.yaml", directory / "overrides.yaml"
    if not composed.exists():
        return {}
    whole = yaml.safe_load(composed.read_text())
    config = {name: part for name, part in whole.items() if name not in _ELSEWHERE}
    use = "use" if config["ticket"]["path"] is not None else "dense"
    return {
        "name": display_name(yaml.safe_load(typed.read_text()) or [] if typed.exists() else []),
        "job_type": "find" if config["pruner"]["scorer"] is not None else use,
        "config": {**config, "pictures": " + ".join(config["image"]["pictures"])},
    }
