"""A run's settings without its seeds. Runs are averaged only if these are equal."""

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from lipdip.reports.finished_run import Origin, Run

Identity = Mapping[str, Any]  # values by dotted name
_NAMED = {"ticket.path": "ticket", "pruner.ticket": "pruner.ticket", "model.path": "model.sha256"}


def identity(run: Run) -> Identity:
    """Everything that decides the run's numbers but its seeds, by dotted name.

    A ticket from another run is represented by that run's identity, so that tickets found with different seeds are
    grouped. The ticket's round is omitted, because rounds are points of one line. Of the hardware the number of threads
    is omitted, and so are settings that only decide how far a run goes, because they change no round before its end.
    """
    flat = dict(_flat(run.science, ""))
    for name in ("seed", "task.seed", *_how_far(run), *_without_effect(run)):
        flat.pop(name, None)
    for origin in run.origins:
        name = _NAMED[origin.given]
        kept = origin in _sources(run)
        for own in [own for own in flat if own.startswith((f"{name}.mask", f"{name}.weights")) or own == name]:
            del flat[own]
        if kept:
            flat |= {f"{name}.from.{own}": item for own, item in identity(origin.run).items()}
        else:
            flat.pop(f"{name}.init", None)
    hardware = str(run.summary.get("hardware", "unknown")).split(", ")
    return flat | {"hardware": ", ".join(part for part in hardware if not part.endswith("threads"))}


def _how_far(run: Run) -> tuple[str, ...]:
    """Settings that end a run, and change no round before."""
    empty = () if run.at("pruner.empty_layers") == "allow" else ("pruner.empty_layers",)
    return ("pruner.rounds", "pruner.stop", *empty)


def _without_effect(run: Run) -> tuple[str, ...]:
    """Settings that decide nothing; older runs lack them."""
    return ("task.target",) if run.at("task.name") == "classify" else ()


def other_seeds(run: Run) -> tuple[tuple[str, Any], ...]:
    """The seeds beside the run's own: of the degradation, and of the runs that it took something from."""
    own = [("task.seed", run.at("task.seed"))]
    for origin in _sources(run):
        own.append((f"{origin.given} of seed", origin.run.seed))
        own += [(f"{origin.given}: {name}", seed) for name, seed in other_seeds(origin.run)]
    return tuple(own)


def _sources(run: Run) -> list[Origin]:
    """The runs that it took something from; one that gave both a generator and a ticket counts once."""
    model = run.origin("model.path")
    return [origin for origin in run.origins if model is None or origin is model or origin.run is not model.run]


def alike(runs: Sequence[Run]) -> list[list[Run]]:
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
    parts: dict[tuple[Any, ...], list[Run]] = {}
    follow: list[Run] = []
    for run, each in zip(runs, seeds, strict=True):
        parts.setdefault(tuple(each.get(name) for name in apart), []).append(run)
        if apart and all(each.get(name) == run.seed for name in apart):
            follow.append(run)
    alone = [part for part in parts.values() if len({run.seed for run in part}) == 1 and part[0] in follow]
    if len(follow) < 2 or not alone or {run.seed for run in follow} != {run.seed for run in runs}:
        return list(parts.values())
    return [part for part in parts.values() if part not in alone] + [follow]


def without(whole: Identity, varying: Iterable[str]) -> Identity:
    """An identity without the named parts; ``pruner`` is ``pruner.rate`` too."""
    drop = tuple(varying)
    return {
        name: item
        for name, item in whole.items()
        if not any(name == part or name.startswith(f"{part}.") for part in drop)
    }


def key(whole: Identity) -> str:
    """One text for each identity."""
    return json.dumps(whole, sort_keys=True)


def differences(several: Sequence[Identity], most: int = 3) -> list[str]:
    """What tells each of several identities from the others, as settings; empty where they are the same."""
    names = sorted({name for each in several for name in each})
    apart = [name for name in names if len({json.dumps(each.get(name), sort_keys=True) for each in several}) > 1]
    apart = [name for name in apart if not name.endswith("sha256")] or apart
    told = []
    for each in several:
        words = [f"{name.replace('.from.', ': ')}={_short(each[name])}" for name in apart if name in each]
        more = [f"and {len(words) - most} more"] if len(words) > most else []
        told.append(", ".join([*words[:most], *more]))
    return told


def told_apart(names: Sequence[Hashable], settings: Sequence[Identity]) -> list[str]:
    """What tells each of several settings from others of its name; empty where no other has that name."""
    told = []
    for number, name in enumerate(names):
        same = [place for place, other in enumerate(names) if other == name]
        told.append(differences([settings[place] for place in same], most=6)[same.index(number)])
    return told


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
