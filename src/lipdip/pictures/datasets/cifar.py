"""CIFAR-10 from its binary files, which are plain bytes: nothing is unpickled."""

import shlex
from pathlib import Path

import numpy as np
import torch

from lipdip.core.errors import UserError
from lipdip.core.files import read_regular
from lipdip.pictures.datasets.dataset import Dataset, check_size, directory
from lipdip.pictures.datasets.stored_arrays import Stored, digest

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
FOLDER, PICKLED_FOLDER = "cifar-10-batches-bin", "cifar-10-batches-py"
TRAIN, TEST, META = tuple(f"data_batch_{i}.bin" for i in range(1, 6)), ("test_batch.bin",), "batches.meta.txt"
SIDE, CLASSES, WHITE = 32, 10, 255
RECORD = 1 + 3 * SIDE * SIDE  # a label, then the red, the green and the blue plane, row by row
TRAIN_PICTURES, TEST_PICTURES = 50_000, 10_000


def cifar10(path: str, size: int) -> Dataset:
    """60,000 colour pictures of 32x32 pixels in 10 classes, resized to ``size`` (Krizhevsky, 2009).

    Args:
        path: the directory ``cifar-10-batches-bin`` of the binary version.
        size: side of the pictures, in pixels.

    Raises:
        ValueError: if ``size`` is not a whole number of at least 8, or ``path`` cannot be a path.
        UserError: if a file is missing, cut short, or holds labels above 9.
    """
    check_size(size)
    folder = directory(path)
    classes = _class_names(folder)
    train, test = _split(folder, TRAIN, size), _split(folder, TEST, size)
    notes: tuple[str, ...] = ()
    if (len(train), len(test)) != (TRAIN_PICTURES, TEST_PICTURES):  # a file cut between two records looks whole
        notes = (
            f"{folder} has {len(train)} training and {len(test)} test pictures; "
            f"the whole of CIFAR-10 has {TRAIN_PICTURES} and {TEST_PICTURES}",
        )
    return Dataset("cifar10", classes, train, test, digest(train, test), notes)


def _class_names(folder: Path) -> tuple[str, ...]:
    lines = _content(folder, META).decode(errors="replace").splitlines()
    names = tuple(line.strip() for line in lines if line.strip())
    if len(names) != CLASSES:
        raise UserError(f"{folder / META} names {len(names)} classes, not {CLASSES}; unpack the archive again")
    return names


def _split(folder: Path, names: tuple[str, ...], size: int) -> Stored:
    records = np.concatenate([_records(folder, name) for name in names])
    pixels = torch.from_numpy(records[:, 1:].reshape(-1, 3, SIDE, SIDE).copy())
    return Stored(pixels, torch.from_numpy(records[:, 0].astype(np.int64)), WHITE, size)


def _records(folder: Path, name: str) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """(N, 3073): a label and a picture per row."""
    content = _content(folder, name)
    if not content or len(content) % RECORD:
        raise UserError(
            f"{folder / name} has {len(content)} bytes, not a whole number of pictures ({RECORD} bytes each): "
            "it is cut short or something else; unpack the archive again"
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, RECORD)
    wrong = np.flatnonzero(records[:, 0] >= CLASSES)
    if wrong.size:
        raise UserError(
            f"{folder / name} is damaged, or not of CIFAR-10: picture {wrong[0]} (counted from 0) has the label "
            f"{records[wrong[0], 0]}, and labels go from 0 to {CLASSES - 1}; unpack the archive again"
        )
    return records


def _content(folder: Path, name: str) -> bytes:
    try:
        return read_regular(folder / name)
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(_missing(folder, name)) from None
    except OSError as error:
        raise UserError(f"cannot read {folder / name}: {error.strerror or error}") from None


def _missing(folder: Path, name: str) -> str:
    """One line: what is not there, what is there instead, and how to fetch it."""
    if (folder / FOLDER).is_dir():
        return f"{folder} is not {FOLDER} itself, but holds it; set dataset.path={folder / FOLDER}"
    missing = f"{name} is missing from {folder}" if folder.is_dir() else f"there is no CIFAR-10 at {folder}"
    pickled = next((f for f in (folder, folder / PICKLED_FOLDER, folder.parent / PICKLED_FOLDER) if _pickled(f)), None)
    if pickled:
        missing += f" ({pickled} is the pickled version, which is not read: unpickling can run any code)"
    where = folder.parent if folder.name == FOLDER else folder
    archive, to = URL.rsplit("/", 1)[1], shlex.quote(str(where))
    return (
        f"{missing}; to fetch the binary version: curl -LO {URL} (MD5 {MD5}), "
        f"mkdir -p {to}, tar -xzf {archive} -C {to}; or point dataset.path to where it lies"
    )


def _pickled(folder: Path) -> bool:
    return folder.name == PICKLED_FOLDER and folder.is_dir()
