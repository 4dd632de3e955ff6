"""Kinds of experiments, one folder each: its settings, its LightningModule, its rows and words, its assembly.

A kind is a package with ``assemble``, a settings class that the YAML of a ``fit`` names, and the rows of its tables:
``RoundRow``, ``CurveRow`` and ``PictureRow``. Nothing above lists the kinds.
"""

import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lipdip.core.errors import UserError
from lipdip.runs.reading import read_rows, read_summary
from lipdip.runs.rows import Round

KINDS = tuple(module.name for module in pkgutil.iter_modules(__path__) if module.ispkg)


def kind_of(run: Path) -> Any:
    """The package of a finished run's kind, one of lipdip's own.

    Raises:
        UserError: if the run is not finished, or of a kind that this version does not know.
    """
    name = read_summary(run).get("kind")
    if name not in KINDS:
        raise UserError(f"{run} is of a kind that this lipdip does not know: {name!r}")
    return importlib.import_module(f"{__name__}.{name}")


def read_rounds(run: Path) -> Sequence[Round]:
    """The rows of a finished run's ``rounds.csv``, as its kind has them.

    Raises:
        UserError: if the run is not finished, or damaged.
    """
    kind: type[Round] = kind_of(run).RoundRow
    return read_rows(run, "rounds", kind)


def read_curves(run: Path) -> Sequence[Any]:
    """The rows of a finished run's ``curves.csv``, as its kind has them; raises as :func:`read_rounds`."""
    return read_rows(run, "curves", kind_of(run).CurveRow)


def read_pictures(run: Path) -> Sequence[Any]:
    """The rows of a finished run's ``pictures.csv``; none where a single picture was restored."""
    there = (run / "pictures.csv").exists()
    return read_rows(run, "pictures", kind_of(run).PictureRow) if there else []
