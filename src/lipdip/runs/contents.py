"""What the files of a finished run must hold: its summary has the SHA-256 of each, and one of itself."""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from lipdip.core.errors import UserError
from lipdip.core.files import file_digest, read_regular
from lipdip.runs.reading import needed, read_summary

_AT_A_TIME = 4  # files; hashing leaves Python, so that threads help


def sealed_summary(summary: Mapping[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """A summary as it is written: with ``sha256``, the digests of the run's files, and ``checksum``, its own.

    Args:
        summary: plain values.
        digests: SHA-256 by the file's path below the run directory.
    """
    whole = {**summary, "sha256": dict(sorted(digests.items()))}
    return {**whole, "checksum": _checksum(whole)}


def whole_summary(run: Path) -> dict[str, Any]:
    """What a finished run's ``summary.json`` says, once all its files were found to be as the run wrote them.

    Raises:
        UserError: if the run is not finished, or a file of it is missing, damaged or changed; says which.
    """
    summary = read_summary(run)
    check_contents(run, summary)
    return summary


def check_contents(run: Path, summary: Mapping[str, Any]) -> None:
    """Refuse a run with a file that is not as the run wrote it.

    Args:
        run: its directory.
        summary: as :func:`~lipdip.runs.reading.read_summary` gives it.

    Raises:
        UserError: naming the first such file.
    """
    digests = summary.get("sha256")
    if not isinstance(digests, dict) or not all(isinstance(digest, str) for digest in digests.values()):
        raise UserError(f"{run} is damaged: its summary has no digests of its files")
    for name in digests:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UserError(f"{run} is damaged: {name}, in its summary, is no file of a run")
    for name in needed(summary):
        if name not in digests:
            raise UserError(f"{run} is damaged: its summary has no digest of {name}")
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        found = pool.map(lambda name: _digest(run / name), digests)
        for (name, digest), own in zip(digests.items(), found, strict=True):
            if own != digest:
                raise UserError(f"{run} is damaged: {name} is not as the run wrote it")
    if summary.get("checksum") != _checksum({name: item for name, item in summary.items() if name != "checksum"}):
        raise UserError(f"{run} is damaged: summary.json is not as the run wrote it")


def check_table(run: Path, name: str) -> None:
    """Refuse a table of a finished run that is not as the run wrote it; an unfinished run's is not checked.

    Raises:
        UserError: if it was changed.
    """
    try:
        digest = json.loads(read_regular(run / "summary.json"))["sha256"][name]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return
    if digest != _digest(run / name):
        raise UserError(f"{run} is damaged: {name} is not as the run wrote it")


def _digest(file: Path) -> str:
    try:
        return file_digest(file)
    except (OSError, ValueError):
        return ""


def _checksum(summary: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(summary, sort_keys=True).encode()).hexdigest()
