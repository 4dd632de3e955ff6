"""Fashion-MNIST from its four compressed files, which are plain bytes."""

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from lipdip.core.errors import UserError
from lipdip.core.files import read_regular
from lipdip.pictures.datasets.dataset import Dataset, check_size, directory
from lipdip.pictures.datasets.stored_arrays import Stored, digest

CLASSES = ("T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
URL = "https://github.com/zalandoresearch/fashion-mnist"
WHITE, SIDE, PADDED = 255, 28, 32


def fashion_mnist(path: str | Sequence[str], size: int) -> Dataset:
    """70,000 grey pictures of 28x28 pixels in 10 classes, padded with black to 32x32, then resized to ``size``.

    Source: Xiao, Rasul & Vollgraf, 2017; MIT licence. Debian ships it as ``dataset-fashion-mnist``.

    Args:
        path: the directory of the four ``*-ubyte.gz`` files, or several, of which the first that exists is taken.
        size: side of the pictures, in pixels.

    Raises:
        ValueError: if ``size`` is not a whole number of at least 8, or ``path`` cannot be a path.
        UserError: if a file is missing, cut short or foreign.
    """
    check_size(size)
    folder = _first([path] if isinstance(path, str) else path)
    train, test = (_split(folder, name, size) for name in ("train", "t10k"))
    return Dataset("fashion_mnist", CLASSES, train, test, digest(train, test))


def _first(paths: Sequence[str]) -> Path:
    """The first directory that exists, or the last one, whose files will be named as missing."""
    if not isinstance(paths, Sequence) or not paths:
        raise ValueError(f"path must be a directory or a list of directories, not {paths!r}")
    folders = [directory(path) for path in paths]
    return next((folder for folder in folders if folder.is_dir()), folders[-1])


def _split(folder: Path, name: str, size: int) -> Stored:
    pictures = _array(folder / f"{name}-images-idx3-ubyte.gz", 3)
    labels = _array(folder / f"{name}-labels-idx1-ubyte.gz", 1)
    if pictures.shape[1:] != (SIDE, SIDE) or len(pictures) != len(labels) or int(labels.max()) >= len(CLASSES):
        raise UserError(f"{folder} does not hold Fashion-MNIST: its {name} pictures or labels have other sizes")
    pad = (PADDED - SIDE) // 2
    return Stored(functional.pad(pictures, (pad, pad, pad, pad))[:, None], labels.long(), WHITE, size)


def _array(file: Path, dimensions: int) -> Tensor:
    """An array of bytes in the IDX format: a magic number, the sides, the values."""
    try:
        content = gzip.decompress(read_regular(file))
    except FileNotFoundError:
        raise UserError(
            f"there is no Fashion-MNIST at {file.parent}: {file.name} is missing; install Debian's "
            f"dataset-fashion-mnist, or take the four files from {URL}, and point dataset.path to them"
        ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{file} cannot be read, or is cut short: {error}") from None
    sides = [int.from_bytes(content[4 * i : 4 * i + 4], "big") for i in range(1, dimensions + 1)]
    start = 4 * (dimensions + 1)
    if content[:4] != bytes([0, 0, 8, dimensions]) or len(content) - start != int(np.prod(sides)):
        raise UserError(f"{file} is not a file of Fashion-MNIST, or is cut short")
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=start).reshape(sides).copy())
