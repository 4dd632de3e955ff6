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
    images/        clean, measured, restored_dense, restored_ticket, restored_matching, restored_last;
                   of several pictures, and in a recovery, in a folder each; there with the baseline's picture, lasso;
                   of a GAN samples_* and reconstructed_* instead, held_out, and samples of each round.
                   Restored pictures are there twice: .npy holds the numbers (float32), .png is for looking
    generators/    a GAN's trained generators, round by round; the first stands beside generators/, with its critic
    comparison.png, where pictures were restored or recovered; rounds.png
    summary.json   written last: its presence means that the run is finished
    logged.json    which rounds each logger has, only with a logger
    checkpoint.pt  only while the run is unfinished
"""

import errno
import json
import math
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
from lipdip.runs.csv_tables import table_of
from lipdip.runs.reading import read_summary

CHECKPOINT = "checkpoint.pt"
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


class RunDirectory:
    """One run's directory, held by one process at a time (use as a context manager to hold it).

    Raises:
        HeldError: if another process holds it.
        UserError: if the directory cannot be made or written, or its file system has no locks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._scratch = path / ".partial"
        self._lock = _lock(path)

    def __enter__(self) -> "RunDirectory":
        try:
            Path(self._lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            _hold(self._lock, self.path)
            self.path.mkdir(exist_ok=True)
            shutil.rmtree(self._scratch, ignore_errors=True)
            self._scratch.mkdir()
        except OSError as error:
            self._lock.release()
            raise UserError(f"cannot write to {self.path.parent}: {error.strerror or error}") from None
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, _: TracebackType | None) -> None:
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._lock.release()

    @property
    def checkpoint(self) -> Path:
        """Where an unfinished run keeps its state."""
        return self.path / CHECKPOINT

    @property
    def summary(self) -> dict[str, Any] | None:
        """The finished run's summary, or None while it is unfinished or where part of it is missing or damaged."""
        try:
            return read_summary(self.path)
        except UserError:
            return None

    def discard_if_empty(self) -> None:
        """Remove the directory of a run that failed before it had anything to keep."""
        if not self.checkpoint.exists() and not (self.path / "rounds.csv").exists():
            shutil.rmtree(self.path, ignore_errors=True)

    def write(self, name: str, content: bytes | str) -> None:
        """Write one file, whole or not at all.

        Raises:
            OSError: if it cannot be written.
        """
        data = content.encode() if isinstance(content, str) else content
        self.write_by(name, lambda partial: partial.write_bytes(data))

    def write_by(self, name: str, save: Callable[[Path], object]) -> None:
        """Write one file, whole or not at all, by a function that saves to the path it is given."""
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = self._scratch / name.replace("/", "_")
        save(partial)
        partial.replace(target)

    def write_table(self, name: str, kind: type, rows: Iterable[Any]) -> None:
        """Write a CSV with one column for each field of the dataclass ``kind``."""
        self.write(name, table_of(kind, rows))

    def finish(self, summary: Mapping[str, Any]) -> None:
        """Write ``summary.json``, which marks the run finished, and drop what only an unfinished run needs."""
        self.write("summary.json", json.dumps(summary, indent=2, allow_nan=False) + "\n")
        self.checkpoint.unlink(missing_ok=True)
