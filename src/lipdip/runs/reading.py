"""Reading what a run directory holds; nothing is trusted that is not whole."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lipdip.core.errors import UserError
from lipdip.runs.csv_tables import DAMAGED, Row, read_table
from lipdip.runs.rows import Round


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
    """What a finished run's ``summary.json`` says; no lock is needed.

    Raises:
        UserError: if the run is not finished, or part of it is missing or damaged; says which.
    """
    try:
        loaded: dict[str, Any] = json.loads((run / "summary.json").read_text())
        name, count, own = loaded["run"], loaded["rounds"], [str(file) for file in loaded["files"]]
    except FileNotFoundError:
        raise UserError(f"{run} is not finished: it has no summary.json") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"cannot read the summary of {run}: {error}") from None
    if name != run.name:
        raise UserError(f"{run} was renamed or is another run's: its summary is of {name!r}")
    rounds = read_base_rounds(run)
    if count != len(rounds):
        raise UserError(f"{run} is damaged: rounds.csv has {len(rounds)} rounds, and its summary says {count}")
    files = [f"tickets/round_{row.round:02d}.safetensors" for row in rounds]
    for file in [*files, "curves.csv", "layers.csv", "rounds.png", *own]:
        if not (run / file).is_file():
            raise UserError(f"{run} is not whole: it has no {file}")
    return loaded
