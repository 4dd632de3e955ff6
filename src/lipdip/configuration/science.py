"""What decides a run's numbers, as plain values: its identity, which its directory is named after."""

from collections.abc import Mapping, Sequence
from typing import Any

from omegaconf import DictConfig, OmegaConf

from lipdip.configuration.start import Start
from lipdip.core.records import RUN_FORMAT
from lipdip.core.ticket import Ticket


def plain(node: DictConfig) -> dict[str, Any]:
    """A node's values, resolved."""
    values: dict[str, Any] = OmegaConf.to_container(node, resolve=True)  # type: ignore[assignment]
    return values


def science(cfg: DictConfig, start: Start, tickets: Sequence[Ticket], **more: Any) -> dict[str, Any]:
    """Not paths, device, logger or names of presets, but the contents of pictures, data and tickets.

    Args:
        cfg: the whole configuration.
        start: where training starts.
        tickets: that the pruner was given.
        more: what else decides; takes the place of a part of the configuration of that name.
    """
    config = plain(cfg)
    parts: dict[str, Any] = {part: config[part] for part in ("model", "task", "pruner", "fit", "seed")}
    del parts["task"]["published"]
    if parts["pruner"]["scorer"] is None:
        parts["pruner"] = None  # rate and rounds decide nothing
    elif tickets:
        parts["pruner"]["ticket"] = [ticket.mask.digest() for ticket in tickets]
    if start.identity is not None:
        parts["ticket"] = dict(start.identity)
        if config["pruner"]["input_convs_stay_dense"]:
            parts["ticket"]["input_convs_stay_dense"] = True
    canonical: dict[str, Any] = _canonical({"format": RUN_FORMAT, **parts, **more})
    return canonical


def origin_of(model: DictConfig, **more: Any) -> Mapping[str, Any]:
    """A network as a ticket tells it: the class, and the settings that it was built with."""
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
