"""A composed configuration as plain nested values, and the objects that its nodes name."""

import difflib
import functools
import inspect
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, overload

from lipdip.core.check import number, shown
from lipdip.core.dotted import value
from lipdip.core.errors import UserError

_EXTRAS = ("deepinv",)  # libraries that an extra of lipdip's installs
_OTHERS = ("callbacks.", "logger.", "trainer.lightning.")  # whose numbers are their own affair
Made = TypeVar("Made")
Config = Mapping[str, Any]  # resolved: no interpolation is left


@overload
def build(config: Config, place: str, /, **more: Any) -> Any: ...


@overload
def build(config: Config, place: str, kind: type[Made], /, **more: Any) -> Made: ...


def build(config: Config, place: str, kind: type[Any] = object, /, **more: Any) -> Any:
    """Call the ``_target_`` of a node with the node's values and ``more``.

    Args:
        config: the whole configuration.
        place: the node's dotted name.
        kind: the class of what it must give; any, if it is not given.
        more: further arguments.

    Raises:
        UserError: if there is no such target, it refuses a value, or it gives anything else; named as on the command
            line.
    """
    node = value(config, place)
    with blaming(config, place):
        made = make(node, place, **more)
    return expected(made, kind, place, node)


def expected(made: Any, kind: type[Made], place: str, node: Config) -> Made:
    """What a node's ``_target_`` gave, if it is of the class that is needed.

    Raises:
        UserError: if it is not, naming the target and the class.
    """
    if not isinstance(made, kind):
        name = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
        raise UserError(f"{place}._target_={node['_target_']} gives a {type(made).__name__}, where a {name} is needed")
    return made


def make(node: Config, place: str, **more: Any) -> Any:
    """Call a node's ``_target_``; nodes inside it that have one of their own are made first."""
    made, given = target(node, place), {**arguments(node, place), **more}
    if node.get("_partial_"):
        return functools.partial(made, **given)
    check_names(made, given, place)
    return made(**given)


def check_names(made: Any, given: Iterable[str], place: str) -> None:
    """Refuse settings that a class does not have, with the nearest that it has.

    Raises:
        UserError: naming the first of them.
    """
    try:
        parameters = inspect.signature(made).parameters
    except (TypeError, ValueError):  # of some classes in C nothing is known
        return
    if any(one.kind is inspect.Parameter.VAR_KEYWORD for one in parameters.values()):
        return
    for name in given:
        if name not in parameters:
            near = difflib.get_close_matches(name, parameters, n=1)
            class_ = getattr(made, "__qualname__", type(made).__qualname__)
            hint = f"; did you mean {place}.{near[0]}?" if near else f": {class_} has none"
            raise UserError(f"there is no setting called {place}.{name}{hint}")


def arguments(node: Config, place: str) -> dict[str, Any]:
    """A node's values; nodes inside it that have a ``_target_`` are made."""
    return {
        name: _made(item, f"{place}.{name}") for name, item in node.items() if name not in ("_target_", "_partial_")
    }


def target(node: Config, place: str) -> Any:
    """The class or function that a node's ``_target_`` names.

    Raises:
        UserError: if it names none.
    """
    name = node.get("_target_") if isinstance(node, Mapping) else None
    if not isinstance(name, str):
        raise UserError(f"{place} must be a table with a _target_, not {node!r}")
    if name == "???":
        raise UserError(f"{place}._target_ must be given: the class to use")
    try:
        found = pkgutil.resolve_name(name)
    except (ImportError, AttributeError, ValueError) as error:
        extra = name.partition(".")[0]
        hint = f'; pip install "lipdip[{extra}]"' if extra in _EXTRAS and isinstance(error, ImportError) else ""
        raise UserError(f"{place}._target_={name} cannot be imported: {error}{hint}") from None
    if not callable(found):
        raise UserError(f"{place}._target_={name} is nothing that can be called")
    return found


def _made(item: Any, place: str) -> Any:
    if isinstance(item, Mapping):
        if "_target_" in item:
            return make(item, place)
        return {name: _made(part, f"{place}.{name}") for name, part in item.items()}
    return [_made(part, place) for part in item] if isinstance(item, list) else item


@contextmanager
def blaming(config: Config, place: str) -> Iterator[None]:
    """Turn a constructor's complaint about an argument into a line that names the setting as the command line does."""
    try:
        yield
    except (ValueError, TypeError) as error:
        message, node = str(error), value(config, place)
        above = place.rpartition(".")[0]
        parent = value(config, above) if above else None
        name = message.split(" ", 1)[0].split("=", 1)[0]
        there = isinstance(node, Mapping) and name in node
        # task.sigma is what the user gave, not task.physics.sigma
        where = above if there and isinstance(parent, Mapping) and name in parent else place
        raise UserError(f"{where}.{message}" if there else f"{where}: {message}") from error


def seed_of(config: Config, name: str) -> int:
    """The setting ``name``, a seed.

    Raises:
        UserError: if it is no whole number of at least 0.
    """
    given = value(config, name)
    try:
        number(name, given, low=0, whole=True)
    except ValueError as error:
        raise UserError(str(error)) from None
    return int(given)


def check_finite(config: Config) -> None:
    """Refuse numbers that are infinite, are none, or are beyond what a machine counts to, whoever would read them.

    Raises:
        UserError: naming the first of them; those of loggers, callbacks and Lightning's Trainer are left to these.
    """
    for name, item in _leaves(config, ""):
        if isinstance(item, int | float) and not isinstance(item, bool) and not name.startswith(_OTHERS):
            try:
                number(name, item)
            except ValueError:
                what = "whole number of less than 64 bits" if isinstance(item, int) else "finite number"
                raise UserError(f"{name} must be a {what}, not {shown(item)}") from None


def _leaves(node: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping | list):
        for key, item in node.items() if isinstance(node, Mapping) else enumerate(node):
            yield from _leaves(item, f"{place}.{key}" if place else str(key))
    else:
        yield place, node


def settings_of(node: Config) -> dict[str, Any]:
    """A node's values without its ``_target_``."""
    return {name: item for name, item in node.items() if name != "_target_"}
