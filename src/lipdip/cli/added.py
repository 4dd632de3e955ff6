"""Settings that are added on a command line, and that nothing would read."""

import pkgutil
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from hydra.conf import HydraConf
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from lipdip.core.errors import UserError

_FREE = ("callbacks", "logger", "found")  # tables that take any name


def added_names(words: Sequence[str], groups: Collection[str]) -> list[str]:
    """The dotted names of all settings that words add, or give as parts of a table; groups' members are none.

    Raises:
        UserError: if a setting of Hydra's own is added that it does not have.
    """
    names: list[str] = []
    for word in words:
        name, found, value = word.lstrip("+").partition("=")
        if not found or not re.fullmatch(r"[\w.]+", name):
            continue
        parts = _parts(name, value)
        if parts or (word.startswith("+") and name not in groups):
            names += parts or [name]
    for name in names:
        top, _, rest = name.partition(".")
        own = rest.partition(".")[0]
        if top == "hydra" and own not in {field.name for field in fields(HydraConf)}:
            raise UserError(f"there is no setting called hydra.{own}")
    return [name for name in names if name.partition(".")[0] not in (*_FREE, "hydra")]


def check_target(name: str, node: str, target: object) -> None:
    """Refuse a setting of a class that it does not have; a class that cannot be looked at is left to its making.

    Args:
        name: of the setting, dotted.
        node: the dotted name of the table whose ``_target_`` it is for.
        target: that ``_target_``.

    Raises:
        UserError: with the nearest setting that the class has.
    """
    if not isinstance(target, str):
        return
    from lipdip.tasks.configuration import check_names  # here, because the class itself may load torch

    try:
        made = pkgutil.resolve_name(target)
    except Exception:  # what importing somebody's module raises is shown when it is made
        return
    own = name.removeprefix(f"{node}.").partition(".")[0]
    if own not in ("_target_", "_partial_"):
        check_names(made, [own], node)


def _parts(name: str, value: str) -> list[str]:
    """The settings inside a table that is given as one value, ``{a: 1, b: {c: 2}}``."""
    if not value.lstrip().startswith("{"):
        return []
    try:
        given: Any = OverridesParser.create().parse_override(f"{name}={value}").value()
    except HydraException:
        return []
    return list(_flat(given, name)) if isinstance(given, Mapping) else []


def _flat(node: Mapping[Any, Any], place: str) -> Iterator[str]:
    for key, item in node.items():
        if isinstance(item, Mapping) and item:
            yield from _flat(item, f"{place}.{key}")
        else:
            yield f"{place}.{key}"
