"""A run's settings without its seeds. Runs are averaged only if these are equal."""

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lipdip.reports.finished_run import FinishedRun, Source

_NAMED = {"ticket.path": "ticket", "pruner.ticket": "pruner.ticket", "model.path": "model.sha256"}
_SEEDS = ("seed", "task.seed")
_HOW_FAR = ("pruner.rounds", "pruner.stop")  # settings that end a run, and change no round before


@dataclass(frozen=True)
class Settings:
    """Settings by dotted name.

    Args:
        asked: those that are not the default, which decide whether two identities are the same.
        values: all of them, for words: a default is worth naming beside what is not.
    """

    asked: Mapping[str, Any]
    values: Mapping[str, Any]

    @property
    def key(self) -> str:
        """One text for each identity."""
        return json.dumps(self.asked, sort_keys=True)

    def without(self, varying: Iterable[str]) -> "Settings":
        """The same without the named parts; ``pruner`` is ``pruner.rate`` too."""
        drop = tuple(varying)
        kept = {name: item for name, item in self.asked.items() if not _within(name, drop)}
        return replace(self, asked=kept)

    def with_(self, **more: Any) -> "Settings":
        """The same with further parts; a double underscore is a dot."""
        return replace(self, asked={**self.asked, **{name.replace("__", "."): item for name, item in more.items()}})

    def value(self, name: str) -> Any:
        """A setting, its default where it was not asked for; None where there is none."""
        return self.asked.get(name, self.values.get(name))


def _within(name: str, parts: Iterable[str]) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in parts)


def identity(run: FinishedRun) -> Settings:
    """Everything that decides the run's numbers but its seeds.

    A ticket from another run is represented by that run's identity, so that tickets found with different seeds are
    grouped. The ticket's round is omitted, because rounds are points of one line. Of the hardware the number of threads
    is omitted, and so are settings that only decide how far a run goes, because they change no round before its end.
    """
    empty = () if run.at("pruner.empty_layers") == "allow" else ("pruner.empty_layers",)
    drop = {*_SEEDS, *_HOW_FAR, *empty}
    asked = {name: item for name, item in run.summary["identity"].items() if name not in drop}
    values = dict(_flat(run.summary["configuration"], ""))
    for origin in run.origins:
        name = _NAMED[origin.given]
        for own in [own for own in asked if own.startswith((f"{name}.mask", f"{name}.weights")) or own == name]:
            del asked[own]
        if origin in _sources(run):
            found = identity(origin.run)
            asked |= {f"{name}.from.{own}": item for own, item in found.asked.items()}
            values |= {f"{name}.from.{own}": item for own, item in found.values.items()}
        else:
            asked.pop(f"{name}.init", None)
    hardware = str(run.summary.get("hardware", "unknown")).split(", ")
    asked["hardware"] = ", ".join(part for part in hardware if not part.endswith("threads"))
    return Settings(asked, values)


def other_seeds(run: FinishedRun) -> tuple[tuple[str, Any], ...]:
    """The seeds beside the run's own: of the degradation, and of the runs that it took something from."""
    own = [("task.seed", run.at("task.seed"))]
    for origin in _sources(run):
        own.append((f"{origin.given} of seed", origin.run.seed))
        own += [(f"{origin.given}: {name}", seed) for name, seed in other_seeds(origin.run)]
    return tuple(own)


def _sources(run: FinishedRun) -> list[Source]:
    """The runs that it took something from; one that gave both a generator and a ticket counts once."""
    model = run.origin("model.path")
    return [origin for origin in run.origins if model is None or origin is model or origin.run is not model.run]


def alike(runs: Sequence[FinishedRun]) -> list[list[FinishedRun]]:
    """Splits runs by secondary seeds (degradation, source run).

    Runs whose secondary seeds all equal each other, or all equal the run's own seed, form one group. A run may be in
    two groups. The second kind is formed only if every seed has such a run, and one of them would else stand alone.
    """
    seeds = [dict(other_seeds(run)) for run in runs]
    apart = [
        name
        for name in seeds[0]
        if len({each.get(name) for each in seeds}) > 1
        and any(each.get(name) != run.seed for each, run in zip(seeds, runs, strict=True))
    ]
    parts: dict[tuple[Any, ...], list[FinishedRun]] = {}
    follow: list[FinishedRun] = []
    for run, each in zip(runs, seeds, strict=True):
        parts.setdefault(tuple(each.get(name) for name in apart), []).append(run)
        if apart and all(each.get(name) == run.seed for name in apart):
            follow.append(run)
    alone = [part for part in parts.values() if len({run.seed for run in part}) == 1 and part[0] in follow]
    if len(follow) < 2 or not alone or {run.seed for run in follow} != {run.seed for run in runs}:
        return list(parts.values())
    return [part for part in parts.values() if part not in alone] + [follow]


def differences(several: Sequence[Settings], most: int = 3) -> list[str]:
    """What distinguishes each of several identities from the others, as settings; empty where they are the same."""
    names = sorted({name for each in several for name in each.asked})
    differing = [name for name in names if len({json.dumps(each.asked.get(name)) for each in several}) > 1]
    differing = [name for name in differing if not name.endswith("sha256")] or differing
    notes = []
    for each in several:
        words = [
            f"{name.replace('.from.', ': ')}={_short(each.value(name))}"
            for name in differing
            if name in each.asked or name in each.values
        ]
        more = [f"and {len(words) - most} more"] if len(words) > most else []
        notes.append(", ".join([*words[:most], *more]))
    return notes


def distinctions(names: Sequence[Hashable], settings: Sequence[Settings]) -> list[str]:
    """What distinguishes each of several settings from others of its name; empty where no other has that name."""
    notes = []
    for number, name in enumerate(names):
        same = [place for place, other in enumerate(names) if other == name]
        notes.append(differences([settings[place] for place in same], most=6)[same.index(number)])
    return notes


def _short(item: Any) -> str:
    text = str(item).replace(" ", "")
    return text if len(text) <= 24 else f"{text[:12]}..."


def _flat(item: Any, name: str) -> list[tuple[str, Any]]:
    """Nested tables and lists of tables as dotted names."""
    if isinstance(item, Mapping) and item:
        parts: Iterable[tuple[Any, Any]] = item.items()
    elif isinstance(item, list) and item and all(isinstance(part, Mapping) for part in item):
        parts = enumerate(item)
    else:
        return [(name, item)]
    return [found for own, part in parts for found in _flat(part, f"{name}.{own}" if name else str(own))]
