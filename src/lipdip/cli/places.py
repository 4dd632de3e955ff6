"""Directories that commands write to: checked before there is anything to write, and made with it."""

import os
from contextlib import suppress
from pathlib import Path

from lipdip.core.errors import UserError


def check_place(directory: Path) -> None:
    """Refuse a directory that could not be made, or not be written to; nothing is left there.

    Raises:
        UserError: naming what is in the way.
    """
    made: list[Path] = []
    try:
        for place in (*reversed(directory.absolute().parents), directory.absolute()):
            if not place.exists():
                place.mkdir()
                made.append(place)
    except OSError as error:
        raise UserError(f"cannot write to {directory}: {error.strerror or error}") from None
    finally:
        for place in reversed(made):
            with suppress(OSError):
                place.rmdir()
    if not directory.is_dir() and not made:
        raise UserError(f"cannot write to {directory}: it is a file")
    if not made and not os.access(directory, os.W_OK | os.X_OK):
        raise UserError(f"cannot write to {directory}: it may not be written to")


def make_folder(directory: Path) -> None:
    """Make a directory, with those around it, if it is not there.

    Raises:
        UserError: if it cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot write to {directory}: {error.strerror or error}") from None
