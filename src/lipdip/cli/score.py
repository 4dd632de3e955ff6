"""A run's score in one number, for sweepers that search for the best settings (``hydra/sweeper=optuna``)."""

import dataclasses
import difflib
from pathlib import Path
from typing import Any

from lipdip.core.errors import UserError
from lipdip.runs.matching import answer
from lipdip.runs.rows import Round
from lipdip.tasks import read_rounds


def check_column(column: object, kind: type[Round]) -> None:
    """Refuse a ``score`` that no run of this kind has.

    Args:
        column: the setting; None for the headline.
        kind: of the run's rows.

    Raises:
        UserError: with the nearest column.
    """
    if column is None:
        return
    names = [field.name for field in dataclasses.fields(kind) if field.name != "matching"]
    if column not in names:
        near = difflib.get_close_matches(str(column), names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        raise UserError(f"score={column} is no column of this run's rounds.csv; {hint}")


def score_of(run: Path, column: str | None) -> float:
    """The score of the round that a run names (:func:`~lipdip.runs.matching.answer`), else of the first.

    Args:
        run: the run directory, finished.
        column: of ``rounds.csv``; None for the headline of the run's kind, such as ``psnr_best``.

    Raises:
        UserError: if the run has no such number, as without a clean image.
    """
    rows = read_rounds(run)
    row = answer(rows) or rows[0]
    found: Any = row.headline_value if column is None else getattr(row, column)
    if found is None:
        raise UserError(f"{run} has no {column or row.headline} for the sweeper; choose another by score=COLUMN")
    return float(found)
