"""From a file's bytes to pixels, with notes of every step on the way that changes what is seen."""

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from lipdip.core.errors import UserError
from lipdip.pictures.formats import readable
from lipdip.pictures.pillow_image import decoded_image
from lipdip.pictures.readable_name import readable_name
from lipdip.pictures.samples import Array, unit
from lipdip.pictures.tiff import SIGNATURES, decoded_tiff

MOST_PIXELS = Image.MAX_IMAGE_PIXELS or 89_478_485  # beyond it Pillow warns of a bomb


def decoded(content: bytes, file: Path) -> tuple[Array, tuple[str, ...]]:
    """The picture in a file's ``content``: (H, W) or (H, W, 3) in [0, 1], and a sentence for each step taken.

    Args:
        content: of a NumPy array (.npy), a TIFF, or another of ``formats.FORMATS``.
        file: where it is from; its suffix tells a NumPy array from pictures.

    Raises:
        UserError: if there is no picture in it.
    """
    if not content:
        raise UserError(f"{file} is empty")
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is not finite is refused below; damaged metadata are several lines
        array, notes = _by_kind(content, file)
    if not array.size:
        raise UserError(f"{file} holds no pixels")
    low, high = float(array.min()), float(array.max())  # NaN if there is one
    if not np.isfinite((low, high)).all():
        raise UserError(f"{file} holds values that are not numbers (NaN or infinite)")
    if low < 0 or high > 1:
        raise UserError(f"{file} holds values from {low:.9g} to {high:.9g}; floating-point pictures must lie in [0, 1]")
    return array, tuple(f"{readable_name(file.name)} {note}" for note in notes)


def header_sides(file: Path) -> tuple[int, int]:
    """Height and width that a file's header claims, whether or not its camera was turned.

    Raises:
        Exception: of many kinds, if there is no such header.
    """
    if file.suffix.lower() == ".npy":
        height, width, *_ = np.load(file, mmap_mode="r", allow_pickle=False).shape
        return height, width
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file, formats=readable()) as image:
            return image.height, image.width


def _by_kind(content: bytes, file: Path) -> tuple[Array, list[str]]:
    if file.suffix.lower() == ".npy":
        return _from_npy(content, file), []
    return (decoded_tiff if content.startswith(SIGNATURES) else decoded_image)(content, file, MOST_PIXELS)


def _from_npy(content: bytes, file: Path) -> Array:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except Exception:  # a header may claim a shape beyond the memory, or be nested beyond the parser's
        raise UserError(f"{file} is not a NumPy array, or it is damaged") from None
    if not isinstance(array, np.ndarray):
        raise UserError(f"{file} holds several arrays (.npz); a picture is one (.npy)")
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3))):
        raise UserError(f"{file} has shape {array.shape}; a picture is (height, width) or (height, width, 1 or 3)")
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind not in "bfu" or (kind == "u" and size > 2):
        raise UserError(
            f"{file} holds {array.dtype} values; a picture holds uint8, uint16, booleans or floats in [0, 1]"
        )
    return unit(np.ascontiguousarray(array), 1 if kind == "b" else 8 * size)
