"""A finished run, as its directory tells it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lipdip.core.dotted import value
from lipdip.runs.rows import Round


@dataclass(frozen=True)
class Origin:
    """What a run took of another one: ``given`` is the setting that named it, ``round`` which ticket or generator."""

    given: str
    run: "Run"
    round: int | None


@dataclass(frozen=True)
class Run:
    """A finished run, whole.

    ``science`` is what decides its numbers (``summary.json``'s ``configuration``), ``config`` all that was composed.
    ``lost`` are the settings that name a ticket or generator of a run that is not among those gathered.
    """

    path: Path
    summary: Mapping[str, Any]
    config: Mapping[str, Any]
    rounds: Sequence[Round]
    origins: tuple[Origin, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def science(self) -> Mapping[str, Any]:
        """What decides the numbers."""
        found: Mapping[str, Any] = self.summary["configuration"]
        return found

    @property
    def seed(self) -> int:
        """Of initialisation, code and jitter."""
        return int(self.science["seed"])

    @property
    def pictures(self) -> tuple[str, ...]:
        """Names and sizes of the pictures, or of the data."""
        names = str(self.summary["picture"]).split(", ")
        images = self.at("image")
        shapes = [image["shape"] for image in images] if isinstance(images, list) else []
        if len(shapes) != len(names):
            return tuple(names)
        return tuple(f"{name} {shape[1]}x{shape[2]}" for name, shape in zip(names, shapes, strict=True))

    @property
    def hardware(self) -> str:
        """What it ran on, in words."""
        return re.sub(r"\b1 threads\b", "1 thread", str(self.summary.get("hardware", "unknown")))

    @property
    def versions(self) -> str:
        """Of lipdip and torch, in words."""
        told = self.summary.get("versions")
        return ", ".join(f"{name} {value(told, name) or 'unknown'}" for name in ("lipdip", "torch"))

    @property
    def asked_size(self) -> Any:
        """The size in pixels that pictures were to be brought to, as it was given; None for their own."""
        size = self.given("image.size")
        return self.given("protocol.image_size") if size == "auto" else size

    def at(self, name: str) -> Any:
        """A value of ``science`` by its dotted name, or None."""
        return value(self.science, name)

    def given(self, name: str) -> Any:
        """A value of ``config`` by its dotted name, or None."""
        return value(self.config, name)

    def origin(self, given: str) -> Origin | None:
        """What the setting ``given`` named, where it named a run."""
        return next((origin for origin in self.origins if origin.given == given), None)


def title(runs: Sequence[Run]) -> str:
    """Task and pictures, in words."""
    told = {"sigma": "noise {:g}/255", "keep": "{:.0%} kept", "factor": "x{:g}", "measurements": "{:g} measurements"}
    told["outliers"] = "{:.0%} outliers"
    task = runs[0].at("task") or {}
    details = [
        text.format(task[name]) for name, text in told.items() if task.get(name) and isinstance(task[name], int | float)
    ]
    names = list(dict.fromkeys(name for run in runs for name in run.pictures))
    names = names if len(names) <= 3 else [*names[:2], f"and {len(names) - 2} more"]
    return " ".join([str(task.get("name")).replace("_", " "), *details]) + f", {', '.join(names)}"
