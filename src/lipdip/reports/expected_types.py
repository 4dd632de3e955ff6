"""What reports take a run's settings to be; a directory that says otherwise is refused before it is used."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lipdip.core.dotted import value
from lipdip.core.errors import UserError

Fits = Callable[[Any], bool]


def check_types(summary: Mapping[str, Any], config: Any, words: Any) -> None:
    """Refuse a summary, a ``config.yaml`` or an ``overrides.yaml`` with a value of another type than reports need.

    Raises:
        UserError: naming the first such value.
    """
    for name, fits in _SUMMARY.items():
        if not fits(value(summary, name)):
            raise UserError(f"damaged: its summary has no {name}, or one of another type")
    if not isinstance(config, Mapping):
        raise UserError("damaged: config.yaml holds no settings")
    for name, fits in _CONFIG.items():
        if not fits(value(config, name)):
            raise UserError(f"damaged: {name} in config.yaml is of another type than a run's")
    if not isinstance(words, list | None) or not all(isinstance(word, str) for word in words or ()):
        raise UserError("damaged: overrides.yaml holds no words")


def _text(item: Any) -> bool:
    return isinstance(item, str)


def _table(item: Any) -> bool:
    return isinstance(item, dict)


def _truth(item: Any) -> bool:
    return isinstance(item, bool)


def _whole(item: Any) -> bool:
    return type(item) is int


def _number(item: Any) -> bool:
    return type(item) in (int, float) and math.isfinite(item)


def _maybe(*kinds: Fits) -> Fits:
    """One of these, or nothing."""
    return lambda item: item is None or any(kind(item) for kind in kinds)


def _texts(item: Any) -> bool:
    return _text(item) or (isinstance(item, list) and all(map(_text, item)))


def _rewind(item: Any) -> bool:
    return item in ("never", None) if not _number(item) else item >= 0


def _pictures(item: Any) -> bool:
    """Pictures, each with its shape; data sets and generators have none, and a table or nothing stands there."""
    return not isinstance(item, list) or (bool(item) and all(map(_picture, item)))


def _picture(item: Any) -> bool:
    if not _table(item) or not _maybe(_text)(item.get("content")) or not _maybe(_text)(item.get("sha256")):
        return False
    shape = item.get("shape")
    sides = isinstance(shape, list) and [type(side) for side in shape] == [int] * 3 and min(shape) > 0
    return sides and _maybe(_truth)(item.get("clean"))


def _read(item: Any) -> bool:
    """The pictures that were asked for, by name."""
    return _table(item) and all(_table(one) and _maybe(_text)(one.get("path")) for one in item.values())


def _below(place: str, names: Sequence[str], fits: Fits) -> dict[str, Fits]:
    return {f"{place}.{name}": fits for name in names}


_SUMMARY: Mapping[str, Fits] = {
    **dict.fromkeys(("run", "kind", "picture", "hardware"), _text),
    **dict.fromkeys(("identity", "configuration", "scored", "first", "last", "versions"), _table),
    **{"configuration.seed": _whole, "configuration.task": _table, "configuration.task.name": _text},
    **{"configuration.task.seed": _maybe(_whole), "configuration.image": _pictures, "ended": _maybe(_text)},
    **_below("versions", ("lipdip", "torch", "python"), _maybe(_text)),
    **_below("scored", ("picture", "metric", "why"), _maybe(_text)),
    **_below("configuration", ("model", "pruner", "fit"), _maybe(_table)),
    **_below("configuration.task", ("sigma", "keep", "factor", "measurements", "outliers"), _maybe(_number)),
    **_below("configuration.pruner", ("name", "target", "empty_layers"), _maybe(_text)),
    **_below("configuration.pruner", ("rate", "sparsity"), _maybe(_number)),
    **_below("configuration.pruner", ("listed_twice", "input_convs_stay_dense"), _maybe(_truth)),
    **{"configuration.pruner.rewind": _rewind, "configuration.model._target_": _maybe(_text)},
    **{"configuration.fit.steps": _maybe(_whole), "configuration.fit.weight_noise": _maybe(_number)},
    **{"configuration.fit.stop_early": _maybe(_truth)},
    **_below("configuration.fit", ("code", "objective"), _maybe(_text)),
}
_CONFIG: Mapping[str, Fits] = {
    **dict.fromkeys(("protocol.name", "ticket.init"), _maybe(_text)),
    **dict.fromkeys(("ticket.path", "pruner.ticket", "model.path"), _maybe(_texts)),
    **{"ticket.round": _maybe(_whole), "image.pictures": _maybe(_read)},
}
