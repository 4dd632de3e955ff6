"""The run directory: everything a run leaves behind, written so that a reader never sees half a file.

<output_dir>/runs/<hash>/
    config.yaml   the whole composed configuration
    rounds.csv    one row a round (a ``Round``; of several pictures their mean)
    pictures.csv  one row a round and picture: ``RecoveredPicture``, or ``PictureScores`` where there are several
    curves.csv    scores over steps (``CurvePoint``, ``ClassifyingPoint``, ``AdversarialPoint`` or ``RecoveringPoint``)
    layers.csv    what each round left of each convolution (``pruning.anatomy.Layer``)
    tickets/      round_00.safetensors ...
    images/       clean, measured, restored_dense, restored_ticket, restored_matching, restored_last;
                  of several pictures, and in a recovery, in a folder each; there with the baseline's picture, lasso;
                  of a GAN samples_* and reconstructed_* instead, held_out, and samples of each round
    generators/   a GAN's trained generators, round by round; the first stands beside generators/, with its critic
    comparison.png, where pictures were restored or recovered; rounds.png
    summary.json  written last: its presence means that the run is finished
    logged.json   which rounds each logger has, only with a logger
    checkpoint.pt only while the run is unfinished
"""

import errno
import hashlib
import json
import math
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from filelock import FileLock, SoftFileLock, Timeout
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.runs.csv_tables import DAMAGED, read_table, table_of
from lipdip.runs.rows import (
    Classified,
    CurvePoint,
    Generated,
    PictureScores,
    Recovered,
    RecoveredPicture,
    Restored,
    Round,
)

RUN_FORMAT = 2  # part of every run's name: raised when the same configuration would give other numbers or files
CHECKPOINT = "checkpoint.pt"
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
_LOOKS = (0.5, 15.0)  # seconds between looks at a run that another process holds: at first, and at most


def run_name(configuration: Mapping[str, Any]) -> str:
    """The name of the run that a scientific configuration makes: 12 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(json.dumps(configuration, sort_keys=True).encode()).hexdigest()[:12]


def read_pictures(run: Path) -> Sequence[PictureScores | RecoveredPicture]:
    """The rows of a run directory's ``pictures.csv``, all of one kind; none where a single picture was restored.

    Raises:
        UserError: if it was not written by this version.
    """
    file = run / "pictures.csv"
    kinds: dict[str, type[PictureScores | RecoveredPicture]] = {"objective": RecoveredPicture}
    try:
        return read_table(file, kinds, PictureScores) if file.exists() else []
    except DAMAGED as error:
        raise UserError(f"cannot read the pictures of {run}: {error}") from None


def read_rounds(run: Path) -> Sequence[Round]:
    """The rows of a run directory's ``rounds.csv``.

    Raises:
        UserError: if there is none, or it was not written by this version.
    """
    kinds: dict[str, type[Round]] = {
        "accuracy": Classified,
        "reconstruction_error": Generated,
        "measurements": Recovered,
    }
    try:
        return read_table(run / "rounds.csv", kinds, Restored)
    except DAMAGED as error:
        raise UserError(f"cannot read the rounds of {run}: {error}") from None


def read_curves(run: Path) -> Sequence[CurvePoint]:
    """The rows of a restoring run's ``curves.csv``.

    Raises:
        UserError: if there is none, or it is another kind of run's, or damaged.
    """
    try:
        return read_table(run / "curves.csv", {}, CurvePoint)
    except DAMAGED as error:
        raise UserError(f"cannot read the curves of {run}: {error}") from None


def read_summary(run: Path) -> dict[str, Any]:
    """What a finished run's ``summary.json`` says; no lock is needed.

    Raises:
        UserError: if the run is not finished, or part of it is missing or damaged; says which.
    """
    try:
        loaded: dict[str, Any] = json.loads((run / "summary.json").read_text())
        name, count, own = loaded["run"], loaded["rounds"], [str(file) for file in loaded["files"]]
    except FileNotFoundError:
        raise UserError(f"{run} is not finished: it has no summary.json") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"cannot read the summary of {run}: {error}") from None
    if name != run.name:
        raise UserError(f"{run} was renamed or is another run's: its summary is of {name!r}")
    rounds = read_rounds(run)
    if count != len(rounds):
        raise UserError(f"{run} is damaged: rounds.csv has {len(rounds)} rounds, and its summary tells of {count}")
    files = [f"tickets/round_{row.round:02d}.safetensors" for row in rounds]
    for file in [*files, "config.yaml", "curves.csv", "layers.csv", "rounds.png", *own]:
        if not (run / file).is_file():
            raise UserError(f"{run} is not whole: it has no {file}")
    return loaded


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
