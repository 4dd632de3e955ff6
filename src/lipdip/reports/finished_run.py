"""A finished run as reports see it: its settings, its rounds, and its other tables, read when they are asked for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lipdip.core.dotted import value
from lipdip.core.errors import UserError
from lipdip.runs.csv_tables import DAMAGED, read_table
from lipdip.runs.rows import Round
from lipdip.tasks import read_curves, read_pictures

_LARGEST, _MOST = 1e12, 10**18  # no score, loss or time, and no count, is larger
_DETAILS = {  # of a task, in words
    **{"sigma": "noise {:g}/255", "keep": "{:.0%} kept", "factor": "x{:g}", "measurements": "{:g} measurements"},
    "outliers": "{:.0%} outliers",
}


@dataclass(frozen=True)
class Source:
    """A ticket or generator of another run: the setting that named it (``given``), the run, and which round's it is."""

    given: str
    run: "FinishedRun"
    round: int | None


@dataclass(frozen=True)
class LayerDensity:
    """What exhibits show of a row of ``layers.csv``."""

    round: int
    layer: str
    density: float


@dataclass(frozen=True)
class FinishedRun:
    """A finished run.

    Args:
        path: its directory.
        summary: what ``summary.json`` holds.
        config: what ``config.yaml`` holds, all that was composed.
        rounds: the rows of ``rounds.csv``.
        words: the command line's words that describe it, as typed; None where the directory does not have them.
        origins: the runs whose tickets or generators it took.
        lost: the settings that name a ticket or generator of a run that is not among those gathered.
    """

    path: Path
    summary: Mapping[str, Any]
    config: Mapping[str, Any]
    rounds: Sequence[Round]
    words: tuple[str, ...] | None = None
    origins: tuple[Source, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def seed(self) -> int:
        """Of initialisation, code and jitter."""
        return int(self.at("seed"))

    @property
    def kind(self) -> str:
        """Of run, such as ``restoration``."""
        return str(self.summary["kind"])

    def curves(self) -> Sequence[Any]:
        """The rows of ``curves.csv``; raises a UserError where it cannot be read."""
        return _plausible(read_curves(self.path), "curves.csv")

    def scores_of_pictures(self) -> Sequence[Any]:
        """The rows of ``pictures.csv``, none where there is no such file; raises as :meth:`curves`."""
        return _plausible(read_pictures(self.path), "pictures.csv")

    def layers(self) -> Sequence[LayerDensity]:
        """The rows of ``layers.csv``; raises as :meth:`curves`."""
        try:
            return read_table(self.path / "layers.csv", LayerDensity)
        except DAMAGED as error:
            raise UserError(f"its layers.csv cannot be read: {error}") from None

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
        versions = self.summary.get("versions")
        return ", ".join(f"{name} {value(versions, name) or 'unknown'}" for name in ("lipdip", "torch"))

    @property
    def asked_size(self) -> Any:
        """The size in pixels that pictures were to be brought to, as it was given; None for their own."""
        size = self.given("image.size")
        return self.given("protocol.image_size") if size == "auto" else size

    def at(self, name: str) -> Any:
        """A value that decides its numbers (``summary.json``'s ``configuration``) by its dotted name, or None."""
        return value(self.summary["configuration"], name)

    def given(self, name: str) -> Any:
        """A value of all that was composed, by its dotted name, or None."""
        return value(self.config, name)

    def origin(self, given: str) -> Source | None:
        """The run that the setting ``given`` named, if it named one."""
        return next((origin for origin in self.origins if origin.given == given), None)


def plausible(number: object) -> bool:
    """Whether a value of a table can be one: no score, loss, time or count is endless or beyond all measure."""
    return not isinstance(number, float | int) or abs(number) < (_LARGEST if isinstance(number, float) else _MOST)


def _plausible(rows: Sequence[Any], table: str) -> Sequence[Any]:
    for row in rows:
        for name, number in vars(row).items():
            if not plausible(number):
                raise UserError(f"damaged: a {name} in {table} is {str(number)[:12]}")
    return rows


def title(runs: Sequence[FinishedRun]) -> str:
    """Task and pictures, in words."""
    task = runs[0].at("task") or {}
    details = [
        text.format(task[name])
        for name, text in _DETAILS.items()
        if task.get(name) and isinstance(task[name], int | float)
    ]
    names = list(dict.fromkeys(name for run in runs for name in run.pictures))
    names = names if len(names) <= 3 else [*names[:2], f"and {len(names) - 2} more"]
    return " ".join([str(task.get("name")).replace("_", " "), *details]) + f", {', '.join(names)}"
