"""Rows of plain dataclasses as CSV, and back."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

DAMAGED = (OSError, KeyError, ValueError, TypeError, csv.Error)  # what reading an incomplete table raises
_Row = TypeVar("_Row")


def table_of(kind: type, rows: Iterable[Any]) -> str:
    """CSV text with a column for each field of the dataclass ``kind``; floats with 7 digits, None as an empty cell."""
    text = io.StringIO()
    names = [field.name for field in fields(kind)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(getattr(row, name)) for name in names] for row in rows)
    return text.getvalue()


def read_table(file: Path, kinds: Mapping[str, type[_Row]], otherwise: type[_Row]) -> list[_Row]:
    """The rows of a CSV file that :func:`table_of` made.

    Args:
        file: a path.
        kinds: the dataclass of the rows, by the name of a column that only this dataclass has.
        otherwise: the dataclass of the rows of a file that has none of these columns.

    Raises:
        DAMAGED: any of these, if the file is missing or does not hold such rows.
    """
    text = file.read_text()
    if not text.endswith("\n"):
        raise ValueError("it ends in the middle of a line")
    rows = list(csv.DictReader(text.splitlines(), strict=True))
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise ValueError(f"line {number} has not as many columns as the first")
    kind = next((kinds[column] for column in (rows[0] if rows else ()) if column in kinds), otherwise)
    own = fields(kind)  # type: ignore[arg-type]
    lacking = [field.name for field in own if rows and field.name not in rows[0]]
    if lacking:
        raise ValueError(f"it has no column {', '.join(lacking)}")
    types = {field.name: str(getattr(field.type, "__name__", field.type)) for field in own}
    return [kind(**{name: _value(row[name], type_, name) for name, type_ in types.items()}) for row in rows]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.7g}" if isinstance(value, float) else str(value)


def _value(text: str, kind: str, name: str) -> Any:
    """The value that a cell was written from, by its field's annotation."""
    if text == "" and "None" in kind:
        return None
    if text == "" and kind != "str":
        raise ValueError(f"{name} is empty")
    if kind.startswith("bool"):
        return text == "true"
    if kind == "str":
        return text
    return int(text) if kind.startswith("int") else float(text)
