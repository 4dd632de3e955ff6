"""Writing files so that they are whole or not there."""

import os
import secrets
from pathlib import Path

from lipdip.core.errors import UserError


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file, whole or not at all, even where the machine loses power. Overwrites an existing file.

    Args:
        path: of the file; its folder exists.
        content: bytes, or text to write as UTF-8.

    Raises:
        UserError: if it cannot be written; an existing file is then unchanged.
    """
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")  # beside it, so on the same disk
    try:
        try:
            with partial.open("wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())  # its bytes are on the disk before its name is
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from None
