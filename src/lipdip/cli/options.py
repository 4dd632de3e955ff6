"""Hydra's options wherever they stand on a line, and words that are neither an option nor a setting."""

import argparse
import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from lipdip.core.errors import UserError


def options_first(words: Sequence[str], settings: Iterable[str]) -> tuple[list[str], list[str]]:
    """Divide a command line into Hydra's options, each with its value, and all else.

    Args:
        words: of the command line.
        settings: names of all settings, for hints.

    Returns:
        The options, in the order in which they were given, and the settings in theirs.

    Raises:
        UserError: if a word with dashes is no option, or an option lacks its value or has a wrong one.
    """
    known = {name: action for action in get_args_parser()._actions for name in action.option_strings}
    options: list[str] = []
    others: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--":
            others += rest
            break
        if not word.startswith("-") or word == "-":
            others.append(word)
            continue
        name = _option(word, rest, known, settings)
        options.append(name + word[len(word.partition("=")[0]) :])
        action = known[name]
        if "=" in word or action.nargs == 0:
            continue
        if action.nargs == "?":  # --info, whose value may be left out
            options[-1] = f"{name}={rest.pop(0) if rest and rest[0] in (action.choices or ()) else action.const}"
        elif rest:
            options.append(rest.pop(0))
    _parse(options)
    return options, others


def _option(word: str, following: Sequence[str], known: dict[str, argparse.Action], settings: Iterable[str]) -> str:
    name, found, value = word.partition("=")
    if name in known:
        return name
    longer = [one for one in known if name.startswith("--") and len(name) > 2 and one.startswith(name)]
    if len(longer) == 1:
        return longer[0]
    bare = name.lstrip("-")
    if bare in set(settings):
        if not found:
            value = following[0] if following and not following[0].startswith("-") else "VALUE"
        raise UserError(f"{name} is no option, since settings have no dashes: say {bare}={value or 'VALUE'}")
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.7) or difflib.get_close_matches(bare, settings, n=1)
    hint = f"; did you mean {near[0]}?" if near else "; settings are given as NAME=VALUE"
    raise UserError(f"there is no option {name}{hint}")


def _parse(options: Sequence[str]) -> None:
    """Refuse what Hydra's parser would print its usage for."""
    parser = get_args_parser()

    def refuse(message: str) -> NoReturn:
        raise UserError(f"{message}; --help says more")

    parser.error = refuse  # type: ignore[method-assign]
    asked = parser.parse_args(list(options))
    given = [name for name in ("run", "multirun", "cfg", "info", "shell_completion") if getattr(asked, name)]
    if len(given) > 1:
        raise UserError(f"{' and '.join(f'--{name}' for name in given)} cannot be given together; choose one")
    if asked.resolve and not (asked.cfg or asked.help):
        raise UserError("--resolve goes with --cfg job or --help")


def check_bare(words: Sequence[str], members: dict[str, list[str]], settings: Iterable[str]) -> None:
    """Refuse words that have no ``=``, with what may have been meant.

    Args:
        words: the settings of a command line.
        members: of each group.
        settings: names of all settings.

    Raises:
        UserError: naming the first such word.
    """
    for word in words:
        if word.startswith("="):
            raise UserError(f"{word!r} has no name before its =; settings are given as NAME=VALUE")
        if "=" not in word and not word.startswith("~"):
            raise UserError(f"{word!r} is no setting: {_meant(word, members, list(settings))}")


def _meant(word: str, members: dict[str, list[str]], settings: list[str]) -> str:
    if word in settings or word in members:
        return f"it needs a value, as in {word}={(members.get(word) or ['VALUE'])[0]}"
    exact = [f"{group}={word}" for group, names in members.items() if word in names]
    if exact:
        return f"did you mean {' or '.join(exact)}?"
    if _is_file(word):
        return f"did you mean {'ticket=' if word.endswith('.safetensors') else 'image=file image.path='}{word}?"
    lower = {name.lower(): f"{group}={name}" for group, names in members.items() for name in names}
    near = difflib.get_close_matches(word.lower(), [*lower, *settings], n=1, cutoff=0.7)
    if near:
        return f"did you mean {lower.get(near[0], near[0] + '=VALUE')}?"
    return "settings are given as NAME=VALUE"


def _is_file(word: str) -> bool:
    try:
        return bool(word) and Path(word).expanduser().is_file()
    except (OSError, RuntimeError, ValueError):
        return False
