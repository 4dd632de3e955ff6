"""A split that is kept on disk as picture files, and listing such files."""

import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lipdip.core.errors import UserError
from lipdip.pictures.picture import read_file
from lipdip.pictures.prepare import sized

NAMED = 5  # names that an error lists


@dataclass(frozen=True, eq=False)
class Files:
    """Pictures on disk; nothing is kept between two batches, since ImageNet would not fit.

    Args:
        files: the path of each picture.
        labels: (N,) int64.
        size: side of the pictures given out, in pixels.
    """

    files: tuple[str, ...]
    labels: Tensor
    size: int

    @classmethod
    def below(cls, root: Path, names: Iterable[str], labels: Sequence[int], size: int) -> "Files":
        """The pictures with these paths below ``root``."""
        return cls(tuple(str(root / name) for name in names), torch.tensor(labels, dtype=torch.int64), size)

    def __len__(self) -> int:
        """How many there are."""
        return len(self.files)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, size, size) in [0, 1]: the centre square, resized (bicubic, antialiased), and (N,) labels.

        Raises:
            UserError: if a file is not a picture.
        """
        pixels = torch.empty(len(indices), 3, self.size, self.size, dtype=torch.float32)
        for row, index in enumerate(indices.tolist()):
            pixels[row] = sized(
                read_file(Path(self.files[index])), self.size, multiple=1
            ).pixels  # grey fills all three channels
        return pixels, self.labels[indices]


def entries(place: Path) -> list[os.DirEntry[str]]:
    """A directory's entries without hidden ones, sorted by name so that every machine has the same order.

    Raises:
        UserError: if it cannot be listed.
    """
    try:
        with os.scandir(place) as found:
            return sorted((e for e in found if not e.name.startswith(".")), key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"cannot read {place}: {error.strerror}") from None


def byte_count(entry: os.DirEntry[str]) -> int:
    """The size of a file, or of what a link leads to.

    Raises:
        UserError: if there is nothing, or something that is no file, such as a named pipe.
    """
    try:
        status = entry.stat()
    except OSError as error:
        raise UserError(f"cannot read {entry.path}: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise UserError(f"{entry.path} is a pipe or a device, not a file; remove it, or move it elsewhere")
    return status.st_size


def digest(files: Iterable[tuple[str, int]]) -> str:
    """SHA-256 over paths and sizes in bytes, whatever their order."""
    lines = sorted(f"{name}\0{size}\0" for name, size in files)
    return hashlib.sha256(os.fsencode("".join(lines))).hexdigest()


def listed(names: Collection[str]) -> str:
    """The first few, and how many more."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(sorted(names)[:NAMED]) + more
