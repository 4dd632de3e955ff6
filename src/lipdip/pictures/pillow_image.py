"""Pictures that Pillow decodes, from its modes to numbers, with notes of every step that changes what is seen."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lipdip.core.errors import UserError
from lipdip.pictures import deep_colours
from lipdip.pictures.formats import readable
from lipdip.pictures.samples import Array, on_white, unit

_ORIENTATION = 0x0112  # the EXIF tag


def decoded_image(content: bytes, file: Path, most: int) -> tuple[Array, list[str]]:
    """The first frame: (H, W) or (H, W, 3) in [0, 1], and notes, each to be read after the file's name.

    Args:
        content: of a file in one of ``formats.FORMATS``.
        file: where it is from.
        most: pixels that a picture may have.

    Raises:
        UserError: if there is no picture in it.
    """
    try:
        with Image.open(io.BytesIO(content), formats=readable()) as image:
            if image.width * image.height > most:
                raise Image.DecompressionBombError
            return _numbers(image, content, file, _first_notes(image))
    except Image.DecompressionBombError:
        raise UserError(
            f"{file} is too large to be a picture that a network can fit (over {most // 10**6} million pixels)"
        ) from None
    except UnidentifiedImageError:
        raise UserError(f"{file} is not a picture in a format that can be read") from None
    except UserError:
        raise
    except Exception as error:  # strangers' bytes may raise anything in a parser
        raise UserError(f"{file} is damaged: {error}") from None


def shown(image: Image.Image, file: Path, notes: list[str]) -> tuple[Array, list[str]]:
    """What an upright image shows: (H, W) or (H, W, 3) in [0, 1], and ``notes`` with more of them.

    Raises:
        UserError: if its numbers have no known meaning.
    """
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        image, was_transparent = _on_white(image)
        if was_transparent:
            notes.append("has transparent pixels, which were put on white")
    if image.mode.startswith("I"):  # 16-bit grey, or 32-bit integers that hold it
        greys = np.asarray(image)
        if greys.max() > 65535 or greys.min() < 0:
            raise UserError(f"{file} has 32-bit integer values; a picture has 8 or 16 bits")
        notes.append("has 16-bit greys, which were kept")
        return unit(greys.astype(np.uint16), 16), notes
    if image.mode == "F":
        return np.array(image, dtype=np.float32), notes
    if image.mode == "LAB":
        raise UserError(f"{file} has CIELAB colours, which are not read; save it as RGB")
    if image.mode == "1":
        image = image.convert("L")
    if image.mode not in ("L", "RGB"):
        notes.append(f"({image.mode}) was converted to RGB")
        image = image.convert("RGB")
    if image.mode == "L":
        notes.append("is grey: one channel")
    return unit(np.asarray(image), 8), notes


def _first_notes(image: Image.Image) -> list[str]:
    """What is left out or turned."""
    notes, frames = [], getattr(image, "n_frames", 1)
    if frames > 1:
        notes.append(f"has {frames} frames; the first was taken")
    if image.getexif().get(_ORIENTATION, 1) in range(2, 9):
        notes.append("was turned as its camera says")
    return notes


def _numbers(image: Image.Image, content: bytes, file: Path, notes: list[str]) -> tuple[Array, list[str]]:
    key = image.info.get("transparency")
    if deep_colours.png_is_deep(content, key is not None):
        return _deep_png(image, content, notes)
    if (deep := deep_colours.read_deep_ppm(content, image)) is not None:
        notes.append("has 16-bit colours, which were kept")
        return np.divide(deep[0], np.float32(deep[1]), dtype=np.float32), notes
    if image.format == "PNG" and content[25] == deep_colours.GREY and isinstance(key, int) and 1 < content[24] < 8:
        image.info["transparency"] = key * 255 // (2 ** content[24] - 1)  # Pillow scales greys, and not this one
    bits = deep_colours.bits_lost(image, content)
    if bits:
        notes.append(f"has {bits}-bit colours, which were read at 8 bits (a TIFF, PNG or .npy file keeps them)")
    return shown(ImageOps.exif_transpose(image), file, notes)


def _deep_png(image: Image.Image, content: bytes, notes: list[str]) -> tuple[Array, list[str]]:
    """16 bits with colours, or with transparency."""
    samples, key = deep_colours.read_deep_png(content), image.info.get("transparency")
    bands = 1 if samples.shape[-1] < 3 else 3
    values = unit(samples[..., :bands], 16)
    if samples.shape[-1] in (2, 4):
        alpha = unit(samples[..., -1], 16)
    else:  # one value may stand for transparency
        alpha = np.float32(1) - (samples == key).all(-1) if key is not None else np.ones((1, 1), np.float32)
    values, shows = on_white(values, alpha)
    if shows:
        notes.append("has transparent pixels, which were put on white")
    notes.append(f"has 16-bit {'greys' if bands == 1 else 'colours'}, which were kept")
    return (values[..., 0] if bands == 1 else values), notes


def _on_white(image: Image.Image) -> tuple[Image.Image, bool]:
    """The picture, grey or RGB, over a white background, and whether any of that shows through."""
    grey = image.mode in ("LA", "La", "L", "1")
    image = image.convert("RGBA")
    shows = image.getchannel("A").getextrema() != (255, 255)
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("L" if grey else "RGB"), shows
