"""Finished runs, read from their directories; and those that cannot be trusted, each with its reason."""

import json
import math
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from lipdip.core.console import printable
from lipdip.core.dotted import value
from lipdip.core.errors import UserError
from lipdip.core.files import read_regular
from lipdip.reports.expected_types import check_types
from lipdip.reports.finished_run import FinishedRun, Source
from lipdip.runs.contents import check_contents
from lipdip.runs.identity import RUN_FORMAT, run_name
from lipdip.runs.matching import answer
from lipdip.runs.reading import read_summary
from lipdip.runs.rows import Round
from lipdip.tasks import read_rounds

_SAFE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the first is ten times faster, where it was compiled
_LARGEST = 1e12  # no score, loss or time is larger
_GIVEN = ("ticket.path", "pruner.ticket", "model.path")  # settings that may name another run


@dataclass(frozen=True)
class Refused:
    """A directory that is not used, and why; ``exhibit`` is the only one that does not use it, or empty."""

    path: Path
    why: str
    exhibit: str = ""


def listed(refused: Iterable[Refused]) -> list[str]:
    """A line for each directory and reason, in printable characters."""
    exhibits: dict[tuple[Path, str], dict[str, None]] = {}
    for one in refused:
        exhibits.setdefault((one.path, one.why), {})[one.exhibit] = None
    lines = []
    for (path, why), names in exhibits.items():
        where = "" if "" in names else f" in {', '.join(names)}"
        text = f"not used{where}: {path}: {why}"
        lines.append(printable(text))
    return lines


@dataclass(frozen=True)
class Gathered:
    """All that lies below some output directories; ``again`` counts second directories of a run."""

    runs: tuple[FinishedRun, ...]
    refused: tuple[Refused, ...]
    again: int = 0


def gather(outputs: Sequence[Path]) -> Gathered:
    """Read every run below ``<output>/runs/`` and ``<output>/*/runs/``, where experiments leave theirs.

    Raises:
        UserError: if an output directory has no runs at all.
    """
    read: dict[str, FinishedRun] = {}
    refused: list[Refused] = []
    again = 0
    for path in [path for output in outputs for path in _directories(output)]:
        try:
            run = _read(path)
            if path.name in read:
                _check_again(read[path.name], run)
                again += 1
            else:
                read[path.name] = run
        except UserError as error:
            refused.append(Refused(path, str(error).removeprefix(f"{path} ").replace(f" of {path}:", ":")))
        except Exception as error:  # of a stranger's directory anything may be wrong, and no other run need suffer
            refused.append(Refused(path, f"damaged: it cannot be read ({type(error).__name__}: {error})"))
    made: dict[str, FinishedRun] = {}
    return Gathered(tuple(_linked(name, read, made) for name in read), tuple(refused), again)


def _directories(output: Path) -> list[Path]:
    """What may be runs, in order."""
    try:
        rooms = [output / "runs", *sorted(output.glob("*/runs"))]
        found = [path for room in rooms if room.is_dir() for path in sorted(room.iterdir())]
    except OSError as error:
        raise UserError(f"cannot read {output}: {error.strerror or error}") from None
    if not output.is_dir():
        raise UserError(f"there is no directory {output}; python -m lipdip.run makes outputs, --from DIR names another")
    if not found:
        raise UserError(
            f"there are no runs in {output}; python -m lipdip.run makes some, --from DIR names other places"
        )
    return [path for path in found if not path.name.startswith(".")]


def _read(path: Path) -> FinishedRun:
    """One run, checked."""
    if not path.is_dir() or not os.path.lexists(path / "config.yaml"):
        raise UserError("no run directory: it has no config.yaml")
    try:
        loaded = json.loads(read_regular(path / "summary.json"))
    except FileNotFoundError:
        raise UserError("not finished: it has no summary.json; its command, given again, goes on with it") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"damaged: summary.json cannot be read ({error})") from None
    if not isinstance(loaded, dict):
        raise UserError("damaged: summary.json holds no summary")
    written = value(loaded, "configuration.format")
    if written != RUN_FORMAT:
        made_by = value(loaded, "versions.lipdip") or "that made it"
        raise UserError(f"of run format {written}: run it anew with this version, or read it with lipdip {made_by}")
    summary = read_summary(path)
    rounds = read_rounds(path)
    config = _yaml(path / "config.yaml")
    words = _yaml(path / "overrides.yaml") if os.path.lexists(path / "overrides.yaml") else None
    check_types(summary, config, words)
    _check(summary, rounds)
    for name in ("seed", "task.name", "pruner.name"):
        decided = value(summary, f"configuration.{name}")
        if decided is not None and value(config, name) != decided:
            raise UserError(f"damaged: {name} is not the same in config.yaml and summary.json")
    check_contents(path, summary)
    typed = None if words is None else tuple(map(printable, words))  # what strangers wrote comes no further raw
    return FinishedRun(path, _printable(summary), _printable(config), rounds, typed)


def _printable(tree: Any) -> Any:
    """Plain nested values in whose texts nothing is left that is not shown."""
    if isinstance(tree, str):
        return printable(tree)
    if isinstance(tree, Mapping):
        return {_printable(name): _printable(item) for name, item in tree.items()}
    return [_printable(item) for item in tree] if isinstance(tree, list) else tree


def _yaml(path: Path) -> Any:
    try:
        return yaml.load(read_regular(path), _SAFE)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UserError(f"damaged: {path.name} cannot be read ({' '.join(str(error).split())})") from None


def _check_again(used: FinishedRun, other: FinishedRun) -> None:
    """Raise where a second directory of a run has other numbers: its name covers neither hardware nor precision."""
    numbers = [[{**asdict(row), "seconds": 0.0} for row in run.rounds] for run in (used, other)]
    if numbers[0] != numbers[1]:
        hardware = " and ".join(str(run.summary.get("hardware", "unknown")) for run in (other, used))
        raise UserError(f"holds other numbers than {used.path}, which is used and is the same run ({hardware})")


def _check(summary: Mapping[str, Any], rounds: Sequence[Round]) -> None:
    """Raise where summary and rounds contradict themselves or each other."""
    if not rounds:
        raise UserError("damaged: rounds.csv is empty")
    if run_name(summary["identity"]) != summary["run"]:
        raise UserError("changed: its name was made from another identity than its summary has")
    for name, asked in summary["identity"].items():  # a class stands there by its tag, and here with its settings
        stated = value(summary, f"configuration.{name}")
        if stated not in (None, asked) and not isinstance(stated, Mapping):
            raise UserError(
                f"changed: its summary has {name}={asked} in its identity, and {stated} in its configuration"
            )
    for row in rounds:
        for name, number in asdict(row).items():
            if isinstance(number, float) and not abs(number) < _LARGEST:
                raise UserError(f"damaged: {name} of round {row.round} is {number}")
    if [row.round for row in rounds] != list(range(len(rounds))):
        raise UserError("damaged: the rounds in rounds.csv are not counted from 0")
    sparsities = [row.sparsity for row in rounds]
    if not all(0 <= sparsity <= 1 for sparsity in sparsities):
        raise UserError("damaged: a sparsity in rounds.csv is not between 0 and 1")
    if any(after <= before for before, after in pairwise(sparsities)):
        raise UserError("damaged: the sparsity in rounds.csv does not rise from round to round")
    for summed_up, row in ((summary["first"], rounds[0]), (summary["last"], rounds[-1])):
        for name, number in asdict(row).items():
            if not _same(value(summed_up, name), number):
                where = f"{number} in rounds.csv, {value(summed_up, name)} in summary.json"
                raise UserError(f"damaged: {name} of round {row.round} is {where}")


def _same(summed_up: Any, read: Any) -> bool:
    """Whether a value of the summary is that of the table, which has seven digits."""
    if isinstance(read, float) and isinstance(summed_up, float | int):
        return math.isclose(summed_up, read, rel_tol=1e-5, abs_tol=1e-12)
    return bool(summed_up == read)


def _linked(name: str, read: Mapping[str, FinishedRun], made: dict[str, FinishedRun]) -> FinishedRun:
    """Adds links to the runs that a run took tickets from; cycles, possible only in forged data, are cut."""
    if name not in made:
        made[name] = read[name]
        run, origins, lost = read[name], [], []
        for setting in _GIVEN:
            for text in _paths(run.given(setting)):
                other = next((part for part in reversed(Path(text).parts) if part in read and part != name), None)
                if other is not None:
                    origin = _linked(other, read, made)
                    origins.append(Source(setting, origin, _round(run, setting, text, origin)))
                elif setting != "model.path":  # which may well be a file that is no run's
                    lost.append(setting)
        made[name] = replace(run, origins=tuple(origins), lost=tuple(lost))
    return made[name]


def _paths(given: Any) -> Iterator[str]:
    for item in given if isinstance(given, list) else [given]:
        if isinstance(item, str):
            yield item


def _round(run: FinishedRun, setting: str, text: str, origin: FinishedRun) -> int | None:
    """Which of the other run's rounds."""
    named = re.fullmatch(r"round_(\d+)", Path(text).stem)
    if named:
        return int(named[1])
    if setting == "pruner.ticket":
        return None  # all of them
    if setting == "model.path":
        return 0
    winner = answer(origin.rounds)
    asked = run.given("ticket.round")
    return asked if isinstance(asked, int) else None if winner is None else winner.round
