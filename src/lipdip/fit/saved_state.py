"""States of unfinished runs: written straight to their place, and dropped with a note where they cannot be used."""

import copy
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import Callback
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.core.files import open_regular
from lipdip.fit.rounds import Rounds

_SEAL = "lipdip.json"  # the part of a state that says whose it is, and which other parts it has


class Straight(TorchCheckpointIO):
    """Writes a state to the path it is given and nowhere else; Lightning's own goes through the system's ``/tmp``."""

    @override
    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        if "://" in str(path) or storage_options is not None:  # a ModelCheckpoint of the user's, in a cloud
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        file = Path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as opened:
            writer = _Writer(opened)
            torch.save(checkpoint, writer)
            if writer.failed is not None:
                raise writer.failed


class _Writer(io.RawIOBase):
    """Hands on what is written until that fails: where torch hears of it, it raises an error that hides the cause."""

    def __init__(self, file: BufferedWriter) -> None:
        super().__init__()
        self.failed: OSError | None = None
        self._file = file

    @override
    def writable(self) -> bool:
        return True

    @override
    def write(self, data: Any) -> int:
        if self.failed is None:
            try:
                self._file.write(data)
                self._file.flush()
            except OSError as error:
                self.failed = error
        return memoryview(data).nbytes


class Resumed(Callback):
    """Knows when a fit has begun, with all that a state holds. Stands before all other callbacks.

    Args:
        then: called once, at that moment.
    """

    def __init__(self, then: Callable[[], None]) -> None:
        self.begun = False
        self._then = then

    @override
    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if not self.begun:
            self.begun = True
            self._then()


def seal(file: Path, run: str) -> None:
    """Add to a state, which is an archive, whose it is and which parts it has.

    Raises:
        OSError: if it cannot be written.
    """
    with zipfile.ZipFile(file, "a") as archive:
        folder = archive.namelist()[0].partition("/")[0]  # torch wants all parts in one
        archive.writestr(f"{folder}/{_SEAL}", json.dumps({"run": run, "parts": _parts(archive)}))


def fault(file: Path, run: str) -> str | None:
    """Why a saved state cannot be used, as far as the file itself tells; None: it is as it was saved.

    torch does not look at the checksums of its archives, so that a flipped bit would give other results.

    Args:
        file: the state.
        run: the name of the run that is to go on with it.
    """
    try:
        with open_regular(file) as opened, zipfile.ZipFile(opened) as archive:
            if archive.testzip() is not None:
                return "is damaged"
            (name,) = (name for name in archive.namelist() if name.endswith(f"/{_SEAL}"))
            sealed = json.loads(archive.read(name))
            if sealed["parts"] != _parts(archive):
                return "is damaged"
            return None if sealed["run"] == run else "is another run's"
    except Exception as error:  # zipfile raises whatever it meets
        return f"cannot be read ({type(error).__name__})"


def _parts(archive: zipfile.ZipFile) -> str:
    """SHA-256 over names, sizes and checksums of an archive's parts but the seal."""
    parts = [[one.filename, one.file_size, one.CRC] for one in archive.infolist()]
    own = [part for part in parts if not str(part[0]).endswith(f"/{_SEAL}")]
    return hashlib.sha256(json.dumps(own).encode()).hexdigest()


class Before:
    """What a fit began with, to go back to after a state was loaded in part.

    Args:
        module: what is trained.
        callbacks: whose state Lightning would load.
    """

    def __init__(self, module: Rounds, callbacks: Sequence[Callback]) -> None:
        self._module = module
        self._states = [(callback, copy.deepcopy(callback.state_dict())) for callback in callbacks]

    def again(self) -> None:
        """Go back."""
        self._module.start_over()
        for callback, state in self._states:
            if state:
                with suppress(Exception):  # a callback of the user's that loads no state is as it was
                    callback.load_state_dict(state)


def dropped(files: Mapping[Path, str], goes_on: bool, note: Callable[[str], None]) -> None:
    """Remove states that cannot be used, and say so.

    Args:
        files: which, each with the reason.
        goes_on: whether the run goes on from an earlier state.
        note: says a line.

    Raises:
        UserError: if one cannot be removed.
    """
    for file, why in files.items():
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(f"{file} {why}, and cannot be removed: {error.strerror or error}") from None
    if files:
        reasons = " and ".join(f"{file.name} {why}" for file, why in files.items())
        then = "the run goes on from the state before it" if goes_on else "the run starts again"
        note(f"note: {reasons}; {then}")
