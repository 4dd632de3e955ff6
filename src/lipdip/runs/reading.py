"""Reading what a run directory holds; nothing is trusted that is not whole."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lipdip.core.errors import UserError
from lipdip.core.files import read_regular
from lipdip.runs.csv_tables import DAMAGED, Row, read_table
from lipdip.runs.rows import Round

_MOST_ROUNDS = 100_000


def read_rows(run: Path, name: str, kind: type[Row]) -> list[Row]:
    """The rows of one of a run directory's tables.

    Args:
        run: the directory.
        name: of the table, such as ``rounds``.
        kind: dataclass of a row; further columns of the table are left out.

    Raises:
        UserError: if there is no such table, or it was not written by this version.
    """
    try:
        return read_table(run / f"{name}.csv", kind)
    except DAMAGED as error:
        raise UserError(f"cannot read the {name} of {run}: {error}") from None


def read_base_rounds(run: Path) -> Sequence[Round]:
    """The columns of ``rounds.csv`` that every kind of run has: enough to choose a ticket by."""
    return read_rows(run, "rounds", Round)


def read_summary(run: Path) -> dict[str, Any]:
    """What a finished run's ``summary.json`` says; no lock is needed, and no other file but ``rounds.csv`` is read.

    Raises:
        UserError: if the run is not finished, or part of it is missing; says which.
    """
    try:
        loaded = json.loads(read_regular(run / "summary.json"))
        name, count, files = loaded["run"], loaded["rounds"], needed(loaded)
    except FileNotFoundError:
        raise UserError(f"{run} is not finished: it has no summary.json") from None
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError(f"cannot read the summary of {run}: {error}") from None
    if name != run.name:
        raise UserError(f"{run} was renamed or is another run's: its summary is of {name!r}")
    rounds = read_base_rounds(run)
    if type(count) is not int or count != len(rounds):
        raise UserError(f"{run} is damaged: rounds.csv has {len(rounds)} rounds, and its summary says {count}")
    for file in files:
        if not _is_file(run / file):
            raise UserError(f"{run} is not whole: it has no {file}")
    whole: dict[str, Any] = loaded
    return whole


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # what can be no name
        return False


def needed(summary: Mapping[str, Any]) -> list[str]:
    """The files without which a run is not whole, by their paths below its directory.

    Raises:
        KeyError, TypeError, ValueError: if the summary does not say.
    """
    rounds, own = summary["rounds"], summary["files"]
    if not isinstance(own, list) or type(rounds) is not int or not 0 <= rounds < _MOST_ROUNDS:
        raise ValueError("its files and rounds are no list and no number")
    tickets = [f"tickets/round_{number:02d}.safetensors" for number in range(rounds)]
    return [*tickets, "rounds.csv", "curves.csv", "layers.csv", "rounds.png", *map(str, own)]
