"""From a file's bytes to pixels, with notes of every step on the way that changes what is seen."""

import io
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from lipdip.core.errors import UserError

Array = npt.NDArray[np.float32]
_ORIENTATION = 0x0112  # the EXIF tag


def decoded(content: bytes, file: Path) -> tuple[Array, tuple[str, ...]]:
    """The picture in a file's ``content``: (H, W) or (H, W, 3) in [0, 1], and a sentence for each step taken.

    Args:
        content: of a NumPy array (.npy) or any format of Pillow's.
        file: where it is from; its suffix decides between the two.

    Raises:
        UserError: if there is no picture in it.
    """
    if not content:
        raise UserError(f"{file} is empty")
    array, notes = (_from_npy(content, file), []) if file.suffix.lower() == ".npy" else _from_image(content, file)
    if not np.isfinite(array).all():
        raise UserError(f"{file} holds values that are not numbers (NaN or infinite)")
    if array.min() < 0 or array.max() > 1:
        low, high = f"{array.min():.4g}", f"{array.max():.4g}"
        raise UserError(f"{file} holds values from {low} to {high}; floating-point pictures must lie in [0, 1]")
    return array, tuple(notes)


def _from_npy(content: bytes, file: Path) -> Array:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError):
        raise UserError(f"{file} is not a NumPy array, or it is damaged") from None
    if not isinstance(array, np.ndarray):
        raise UserError(f"{file} holds several arrays (.npz); a picture is one (.npy)")
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3))):
        raise UserError(f"{file} has shape {array.shape}; a picture is (height, width) or (height, width, 1 or 3)")
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        return (array / np.float32(np.iinfo(array.dtype).max)).astype(np.float32)
    if array.dtype.kind != "f":
        raise UserError(f"{file} holds {array.dtype} values; a picture holds uint8, uint16 or floats in [0, 1]")
    return array.astype(np.float32)


def _from_image(content: bytes, file: Path) -> tuple[Array, list[str]]:
    image, notes = _opened(content, file)
    turned = ImageOps.exif_transpose(image)
    if turned.size != image.size or image.getexif().get(_ORIENTATION, 1) != 1:
        notes.append(f"{file.name} was turned as its camera says")
    image = turned
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        image, was_transparent = _on_white(image)
        if was_transparent:
            notes.append(f"{file.name} has transparent pixels, which were put on white")
    if image.mode.startswith("I"):  # 16-bit grey, or 32-bit integers that hold it
        if np.asarray(image).max() > 65535:
            raise UserError(f"{file} has 32-bit integer values; a picture has 8 or 16 bits")
        notes.append(f"{file.name} has 16-bit greys, which were kept")
        return np.asarray(image, dtype=np.float32) / np.float32(65535), notes
    if image.mode == "F":
        return np.asarray(image, dtype=np.float32), notes
    if image.mode == "1":
        image = image.convert("L")
    if image.mode not in ("L", "RGB"):
        notes.append(f"{file.name} ({image.mode}) was converted to RGB")
        image = image.convert("RGB")
    if image.mode == "L":
        notes.append(f"{file.name} is grey: one channel")
    return np.asarray(image, dtype=np.float32) / np.float32(255), notes


def _opened(content: bytes, file: Path) -> tuple[Image.Image, list[str]]:
    """The first frame, decoded, and notes of what else there was."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(io.BytesIO(content))
            frames = getattr(image, "n_frames", 1)
            deep_colour = image.mode in ("RGB", "RGBA") and "16" in str(getattr(image, "tile", ""))
            image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UserError(
            f"{file} is too large to be a picture that a network can fit (over 89 million pixels)"
        ) from None
    except UnidentifiedImageError:
        raise UserError(f"{file} is not a picture in a format that can be read") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise UserError(f"{file} is damaged: {error}") from None
    notes = []
    if frames > 1:
        notes.append(f"{file.name} has {frames} frames; the first was taken")
    if deep_colour:
        notes.append(f"{file.name} has 16-bit colours, which were read at 8 bits (a .npy file keeps them)")
    return image, notes


def _on_white(image: Image.Image) -> tuple[Image.Image, bool]:
    """The picture, grey or RGB, over a white background, and whether any of that shows through."""
    grey = image.mode in ("LA", "La", "L")
    image = image.convert("RGBA")
    shows = image.getchannel("A").getextrema() != (255, 255)
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("L" if grey else "RGB"), shows
