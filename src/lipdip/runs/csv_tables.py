"""Rows of plain dataclasses as CSV, and back."""

import csv
import io
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from lipdip.core.console import printable
from lipdip.core.files import read_regular

DAMAGED = (OSError, KeyError, ValueError, TypeError, csv.Error)  # what reading a table raises that is not whole
Row = TypeVar("Row")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table_of(kind: type, rows: Iterable[Any], inert: bool = False) -> str:
    """A CSV with one column for each field of the dataclass ``kind``.

    Args:
        kind: a dataclass.
        rows: its instances.
        inert: for spreadsheets, which take texts that begin with ``=``, ``+``, ``-`` or ``@`` for formulas: such texts
            get an apostrophe, and characters that are not shown are escaped. Not for tables that are read back.
    """
    text = io.StringIO()
    names = [field.name for field in fields(kind)]
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    cell = _inert if inert else _cell
    writer.writerows([cell(getattr(row, name)) for name in names] for row in rows)
    return text.getvalue()


def read_table(file: Path, kind: type[Row]) -> list[Row]:
    """The rows of a table as dataclasses; columns that ``kind`` has no field for are left out.

    Raises:
        DAMAGED: any of these, if the file is missing or does not hold such rows.
    """
    text = read_regular(file).decode()
    if not text.endswith("\n"):
        raise ValueError("it ends in the middle of a line")
    rows = list(csv.DictReader(text.splitlines(), strict=True))
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise ValueError(f"line {number} has not as many columns as the first")
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


def _inert(value: object) -> str:
    if not isinstance(value, str):
        return _cell(value)
    return f"'{printable(value)}" if value.startswith(_FORMULA) else printable(value)


def _value(text: str, kind: str, name: str) -> Any:
    """A cell back as the value it was written from, by its field's annotation."""
    if text == "" and "None" in kind:
        return None
    if text == "" and kind != "str":
        raise ValueError(f"{name} is empty")
    if kind.startswith("bool"):
        return text == "true"
    if kind == "str":
        return text
    return int(text) if kind.startswith("int") else float(text)
