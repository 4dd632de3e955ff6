"""A run's name: a hash of what was asked for, written down so that neither defaults nor file names are part of it.

The identity is a flat table. A class stands under its tag (``Hourglass``), a setting under the dotted name that the
command line gives it, and only where it differs from the default of its class. So a new setting with a default, or a
file that moves, renames no run.
"""

import hashlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

RUN_FORMAT = 4  # part of every identity: raised when the same identity would give other numbers or files

Identity = Mapping[str, Any]


def run_name(identity: Identity) -> str:
    """The name of the run with this identity: 12 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:12]


def tag(target: Callable[..., Any]) -> str:
    """The stable name of a class or function: lipdip's own without its module, others with it."""
    name = getattr(target, "__qualname__", str(target))
    module = str(getattr(target, "__module__", ""))
    return str(name) if module.partition(".")[0] == "lipdip" else f"{module}.{name}"


def defaults(target: Callable[..., Any]) -> dict[str, Any]:
    """The default of every setting of a class, dataclass or function that has one."""
    parameters = inspect.signature(target).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not inspect.Parameter.empty}


def unusual(target: Callable[..., Any], values: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    """Those of ``values`` that are not the default, below the dotted ``name``; numbers in one form.

    >>> def fit(steps: int, lr: float = 0.01) -> None: ...
    >>> unusual(fit, {"steps": 1200, "lr": 0.01}, "fit")
    {'fit.steps': 1200}
    """
    usual = {key: canonical(value) for key, value in defaults(target).items()}
    given = {key: canonical(value) for key, value in values.items()}
    missing = object()
    odd = {key: value for key, value in given.items() if usual.get(key, missing) != value}
    return {key: value for part, item in odd.items() for key, value in flat(item, f"{name}.{part}" if name else part)}


def flat(item: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Nested tables, and lists of tables, as dotted names."""
    if isinstance(item, Mapping) and item:
        parts = [(str(key), value) for key, value in item.items()]
    elif isinstance(item, list) and item and all(isinstance(part, Mapping) for part in item):
        parts = [(str(number), value) for number, value in enumerate(item)]
    else:
        yield name, item
        return
    for key, value in parts:
        yield from flat(value, f"{name}.{key}" if name else key)


def canonical(value: Any) -> Any:
    """A value in the one form that is hashed: 25.0 and 25 are the same number, a tuple is a list."""
    if isinstance(value, Mapping):
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
