"""The run directory: everything a run leaves behind, written so that a reader never sees half a file.

<output_dir>/runs/<name>/
    config.yaml    the whole composed configuration, where a command made the run
    overrides.yaml the words that were typed
    identity.json  what decides the numbers, where Python made the run in a directory of its choice
    rounds.csv     one row a round (a subclass of ``Round``; of several pictures their mean)
    pictures.csv   one row a round and picture, in a recovery and where there are several
    curves.csv     scores over steps
    layers.csv     what each round left of each layer (``pruning.anatomy.Layer``)
    tickets/       round_00.safetensors ...
    images/        clean, measured, restored_dense, restored_ticket, restored_matching, restored_last, and without a
                   clean picture restored_answer; network_* of the same, where the data's own values are in the answer,
                   or consistent_*, where they are known and not in it;
                   of several pictures, and in a recovery, in a folder each; there with the baseline's picture, lasso;
                   of a GAN samples_* and reconstructed_* instead, held_out, and samples of each round.
                   Restored pictures are there twice: .npy holds the numbers (float32), .png is for looking
    generators/    a GAN's trained generators, round by round; the first stands beside generators/, with its critic
    comparison.png, where pictures were restored or recovered; rounds.png
    summary.json   written last: its presence means that the run is finished
    logged.json    which rounds each logger has, only with a logger
    checkpoint.pt  only while the run is unfinished; checkpoint.previous.pt is the one before

``summary.json`` has the SHA-256 of every file above it (``runs.contents``).
"""

import errno
import hashlib
import json
import math
import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, SoftFileLock, Timeout
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.core.files import sync_folder
from lipdip.runs.contents import sealed_summary, whole_summary
from lipdip.runs.csv_tables import table_of

CHECKPOINT, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"
SUMMARY = "summary.json"
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
_LOOKS = (0.5, 15.0)  # seconds between looks at a run that another process holds: at first, and at most


class HeldError(UserError):
    """Another process is working on the same run.

    Args:
        run: the run's directory.
    """

    def __init__(self, run: Path) -> None:
        super().__init__(run)  # as given, so that it can pass between processes
        self.run = run

    @override
    def __str__(self) -> str:
        return f"another process is working on this very run, in {self.run}"


def wait_until_free(run: Path, patience: float = math.inf) -> bool:
    """Wait until no process holds a run, looking at its lock less and less often.

    Args:
        run: the run's directory.
        patience: how many seconds to wait at most.

    Returns:
        Whether nobody held it at the last look.

    Raises:
        UserError: if its lock cannot be looked at.
    """
    ends, (pause, longest) = time.monotonic() + patience, _LOOKS
    while not _free(run):
        left = ends - time.monotonic()
        if left <= 0:
            return False
        time.sleep(min(pause, left))
        pause = min(1.5 * pause, longest)
    return True


def _free(run: Path) -> bool:
    lock = _lock(run)
    if not Path(lock.lock_file).exists():
        return True
    try:
        _hold(lock, run)
    except HeldError:
        return False
    except OSError as error:
        raise UserError(f"cannot look at the lock of {run}: {error.strerror or error}") from None
    lock.release()
    return True


def _lock(run: Path) -> FileLock:
    return FileLock(run.parent / ".locks" / run.name)


def _hold(lock: FileLock, run: Path) -> None:
    """Take a run's lock; one that is a mere file, as some versions of filelock then make, would outlive its process."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            lock.acquire(blocking=False)
        if not isinstance(lock, SoftFileLock):
            return
        lock.release()
    except Timeout:
        if not isinstance(lock, SoftFileLock):
            raise HeldError(run) from None
    except NotImplementedError:
        pass
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    why = "its file system has no file locks, which keep two processes from doing the same run"
    raise UserError(f"cannot use {run.parent}: {why}; choose another paths.output_dir") from None


_ended_here: set[Path] = set()  # runs that this process finished, and that nobody has asked for yet


def ended_here(run: Path) -> bool:
    """Whether this process has finished a run since it was asked last, and not found it finished."""
    there = run.absolute() in _ended_here
    _ended_here.discard(run.absolute())
    return there


class RunDirectory:
    """One run's directory, held by one process at a time (use as a context manager to hold it).

    A finished run is read only, so that it may lie where nothing can be written.

    Raises:
        HeldError: if another process holds it.
        UserError: if the run is not finished, and the directory cannot be made or written, is a link, or its file
            system has no locks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.written: dict[str, str] = {}  # SHA-256 of what the run wrote, by path below the directory
        self._scratch = path / ".partial"
        self._lock = _lock(path)
        self._held = False

    def __enter__(self) -> "RunDirectory":
        try:
            self._hold()
        except HeldError:
            raise
        except UserError:
            if self.summary is None:
                raise
        return self

    def _hold(self) -> None:
        locks = Path(self._lock.lock_file)
        try:
            locks.parent.mkdir(parents=True, exist_ok=True)
            for own in (self.path, locks):
                _refuse_link(own)
            _hold(self._lock, self.path)
            self.path.mkdir(exist_ok=True)
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch.mkdir()
            self._held = True
        except OSError as error:
            self._lock.release()
            raise UserError(f"cannot write to {self.path.parent}: {error.strerror or error}") from None

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        if self._held:
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._lock.release()
            self._held = False

    @property
    def checkpoint(self) -> Path:
        """Where an unfinished run keeps its state."""
        return self.path / CHECKPOINT

    @property
    def checkpoints(self) -> list[Path]:
        """What an unfinished run has of its saved states, the newest first."""
        return [self.path / name for name in (CHECKPOINT, PREVIOUS) if os.path.lexists(self.path / name)]

    @property
    def summary(self) -> dict[str, Any] | None:
        """The finished run's summary, or None while it is unfinished or where part of it is missing or damaged."""
        try:
            return whole_summary(self.path)
        except UserError:
            return None

    def reopen(self) -> str | None:
        """Have the run go on, or begin: what says that it is finished is removed, since it is not whole.

        Returns:
            What is missing or damaged; None if the run was not finished.

        Raises:
            UserError: if that cannot be removed, or something in the directory is a link.
        """
        for found in self.path.rglob("*"):
            _refuse_link(found)
        if not os.path.lexists(self.path / SUMMARY):
            return None
        try:
            whole_summary(self.path)
        except UserError as error:
            try:
                (self.path / SUMMARY).unlink()
            except OSError as failed:
                raise UserError(f"cannot write to {self.path}: {failed.strerror or failed}") from None
            return str(error)
        return None

    def discard_if_empty(self) -> None:
        """Remove the directory of a run that failed before it had anything to keep."""
        if not self.checkpoints and not (self.path / "rounds.csv").exists():
            shutil.rmtree(self.path, ignore_errors=True)

    def write(self, name: str, content: bytes | str) -> None:
        """Write one file, whole or not at all.

        Raises:
            UserError: if it cannot be written, or would be written through a link.
        """
        data = content.encode() if isinstance(content, str) else content
        self._write(name, lambda partial: partial.write_bytes(data))
        self.written[name] = hashlib.sha256(data).hexdigest()

    def write_checkpoint(self, save: Callable[[Path], object]) -> None:
        """Write the state by a function that saves to the path it is given; the one before is kept as the previous.

        There are never more than two of these files, which may be large.

        Raises:
            UserError: as :meth:`write`.
        """
        newest, previous = self.checkpoint, self.path / PREVIOUS
        if newest.exists():
            previous.unlink(missing_ok=True)

        def keep(partial: Path) -> None:
            save(partial)
            if newest.exists():
                newest.replace(previous)

        self._write(CHECKPOINT, keep)
        sync_folder(self.path)

    def _write(self, name: str, save: Callable[[Path], object]) -> None:
        target = self.path / name
        partial = self._scratch / name.replace("/", "_")
        try:
            for place in [target, *target.parents][: len(Path(name).parts) + 1]:  # the run's own directory is the last
                _refuse_link(place)
            target.parent.mkdir(parents=True, exist_ok=True)
            save(partial)
            _sync(partial)
            partial.replace(target)
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise UserError(f"cannot write {target}: {error.strerror or error}") from None

    def write_table(self, name: str, kind: type, rows: Iterable[Any]) -> None:
        """Write a CSV with one column for each field of the dataclass ``kind``."""
        self.write(name, table_of(kind, rows))

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write ``summary.json``, which marks the run finished, and drop what only an unfinished run needs."""
        whole = sealed_summary(summary, self.written)
        sync_folder(self.path)
        self._write(SUMMARY, lambda partial: partial.write_text(json.dumps(whole, indent=2, allow_nan=False) + "\n"))
        sync_folder(self.path)
        for checkpoint in self.checkpoints:
            checkpoint.unlink()
        _ended_here.add(self.path.absolute())


def _sync(file: Path) -> None:
    """Have a file's bytes on the disk, before its name is."""
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def _refuse_link(path: Path) -> None:
    """Raise where a path is a symbolic link: a stranger's run directory would have us write elsewhere."""
    if path.is_symlink():
        raise UserError(f"{path} is a link, and a run writes through none; remove it, or give another paths.output_dir")
