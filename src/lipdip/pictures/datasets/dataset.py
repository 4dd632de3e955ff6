"""What every source of pictures gives, and what every constructor checks first."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from torch import Tensor

from lipdip.core import check
from lipdip.core.errors import UserError
from lipdip.core.files import checked_path

SMALLEST = 8


class Examples(Protocol):
    """One split: pictures with their labels in a fixed order, accessible by index."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """The examples at ``indices``; each is the same whatever others are in the batch.

        Args:
            indices: (N,) int64 on the CPU; N may be 0.

        Returns:
            (N, 3, size, size) float32 in [0, 1], and their labels, (N,) int64; both on the CPU.

        Raises:
            UserError: if a picture cannot be read.
        """
        ...


@dataclass(frozen=True)
class Dataset:
    """Pictures in two splits, labelled or not.

    Args:
        name: what it is called in results.
        classes: the names of the classes; a label is an index into this list. Empty if nothing is labelled: every
            label is then 0 and means nothing.
        train: what a network is fitted to.
        test: what it is scored on.
        digest: SHA-256 that identifies the data, whatever ``size`` it is used at.
        notes: what a reader of results should know about the data, one sentence each.
    """

    name: str
    classes: tuple[str, ...]
    train: Examples
    test: Examples
    digest: str
    notes: tuple[str, ...] = ()


def check_size(size: int) -> None:
    """Refuse anything that cannot be the side of a square picture, in pixels.

    Raises:
        ValueError: if ``size`` is not a whole number of at least 8.
    """
    check.number("size", size, low=SMALLEST, most=check.FEATURES, whole=True)


def directory(path: str) -> Path:
    """The directory that ``path`` names, with ``~`` expanded; it is not checked whether it exists.

    Raises:
        ValueError: if it cannot be a path.
        UserError: if it lies where nothing may be looked up.
    """
    if not isinstance(path, str) or not path:
        raise ValueError(f"path must be a directory, not {path!r}")
    try:
        checked = checked_path(path, f"path must be a directory, not {path!r}")
    except UserError as error:
        raise ValueError(str(error)) from None
    try:
        checked.stat()
    except PermissionError as error:
        raise UserError(f"cannot read {checked}: {error.strerror}") from None
    except OSError:
        pass
    return checked
