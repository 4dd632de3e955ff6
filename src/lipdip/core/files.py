"""Paths that a user gives, reading what is really a file, and writing files so that they are whole or not there."""

import errno
import hashlib
import os
import secrets
import stat
from contextlib import suppress
from io import BufferedReader
from pathlib import Path

from lipdip.core.errors import UserError

_NAME_BYTES, _PATH_BYTES = 255, 4096  # what file systems and Linux itself take


def checked_path(text: str | os.PathLike[str], setting: str) -> Path:
    """The path that a user gave, with ``~`` expanded.

    Args:
        text: as it was given.
        setting: what it was given for, as its user writes it; named in errors.

    Raises:
        UserError: if no file can have such a path: an empty one, a NUL, characters that no name can hold, a name of
            more than 255 bytes, an unknown user behind ``~``.

    Example:
        >>> checked_path("a" * 300, "image.path")
        Traceback (most recent call last):
        lipdip.core.errors.UserError: image.path: no file can have a name of 300 bytes; 255 are the most
    """
    try:
        path = Path(text).expanduser()
    except RuntimeError:
        raise UserError(f"{setting}: there is no user {str(text).partition('/')[0]!r}") from None
    try:
        encoded = os.fsencode(path)
    except UnicodeEncodeError:
        raise UserError(f"{setting}: {str(text)!a} holds characters that no name of a file can") from None
    if not str(text) or b"\0" in encoded:
        raise UserError(f"{setting}: {str(text)!r} is no path")
    longest = max(map(len, encoded.split(b"/")))
    if longest > _NAME_BYTES:
        raise UserError(f"{setting}: no file can have a name of {longest} bytes; {_NAME_BYTES} are the most")
    if len(encoded) >= _PATH_BYTES:
        raise UserError(f"{setting}: no path can have {len(encoded)} bytes; {_PATH_BYTES - 1} are the most")
    return path


def open_regular(path: Path) -> BufferedReader:
    """A file, opened to be read; a named pipe or a device, which may never end, is refused.

    Raises:
        OSError: if it cannot be read, or is no regular file.
    """
    # A pipe without a writer is opened at once, and known by its descriptor: its name may mean another thing by then.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    raise OSError(errno.EINVAL, "it is a pipe or a device, not a file", str(path))


def read_regular(path: Path) -> bytes:
    """What is in a file; raises as :func:`open_regular`."""
    with open_regular(path) as file:
        return file.read()


def file_digest(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits; raises as :func:`open_regular`."""
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk, where its file system can: after a loss of power they are there."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


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
