"""What decides a run's numbers, as plain values: the run's identity, which its directory is named after."""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from lipdip.runs.directory import RUN_FORMAT
from lipdip.tasks.starting_point import Start
from lipdip.tickets.ticket_file import Ticket

_NO_LADDER = {"rate": 0.2, "sparsity": None, "listed_twice": False}  # the settings' defaults


def plain(node: DictConfig) -> dict[str, Any]:
    """A node's values, resolved."""
    values: dict[str, Any] = OmegaConf.to_container(node, resolve=True)  # type: ignore[assignment]
    return values


def science(cfg: DictConfig, start: Start, tickets: Sequence[Ticket], **more: Any) -> dict[str, Any]:
    """The values that determine a run's numbers; excludes paths, device, logger and preset names.

    Pictures, tickets and data are told by a hash of their contents; data sets that are folders of picture files by
    the files' names and sizes.

    Args:
        cfg: the whole configuration.
        start: where training starts.
        tickets: those that the pruner was given.
        more: further parts; one that has the name of a part of the configuration takes its place.
    """
    config = plain(cfg)
    parts: dict[str, Any] = {part: config[part] for part in ("model", "task", "pruner", "fit", "seed")}
    for unused in ("published", "target"):  # numbers of the paper; a default of pruner.target
        parts["task"].pop(unused, None)
    parts["pruner"] = _pruner(config, start, tickets)
    if start.identity is not None:
        parts["ticket"] = dict(start.identity)
        if config["pruner"]["input_convs_stay_dense"]:
            parts["ticket"]["input_convs_stay_dense"] = True
    canonical: dict[str, Any] = _canonical({"format": RUN_FORMAT, **parts, **more})
    return canonical


def _pruner(config: Mapping[str, Any], start: Start, tickets: Sequence[Ticket]) -> dict[str, Any] | None:
    """The pruner's settings that decide; None where nothing is pruned and the initial weights are the usual ones."""
    pruner: dict[str, Any] = config["pruner"]
    if pruner["scorer"] is None:
        redrawn = pruner["init"] == "reinit" and start.identity is None
        return {"name": pruner["name"], "init": "reinit"} if redrawn else None
    if tickets:  # they are the ladder, whatever other ladder is asked for
        ladder = {"rounds": config["protocol"].get("rounds"), **_NO_LADDER}
        return {**pruner, **ladder, "ticket": [ticket.mask.digest() for ticket in tickets]}
    return pruner


def origin_of(model: DictConfig, **more: Any) -> Mapping[str, Any]:
    """A network as its tickets describe it: the class, and the settings that it was built with."""
    settings = plain(model)
    own = settings.pop("_target_")
    return {"target": own, "settings": {**settings, **more}}


def _canonical(value: Any) -> Any:
    """25.0 and 25 are the same number, and so give the same run."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
