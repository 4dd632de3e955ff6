"""Files that are whole or not there."""

import secrets
from pathlib import Path

from lipdip.core.errors import UserError


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file, whole or not at all; one that is there is replaced.

    Args:
        path: in a folder that is there.
        content: bytes, or text to write as UTF-8.

    Raises:
        UserError: if it cannot be written; what was there before is then as it was.
    """
    partial = path.with_name(f".{secrets.token_hex(8)}.partial")  # beside it, so on the same disk
    try:
        try:
            partial.write_bytes(content.encode() if isinstance(content, str) else content)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from None
