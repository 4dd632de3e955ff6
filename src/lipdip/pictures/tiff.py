"""TIFF of any depth, layout and byte order: as it was written, or refused.

Pillow alone takes planes for rows and negatives for positives, and cuts 16-bit colours to 8 bits.
"""

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

from lipdip.core.errors import UserError
from lipdip.pictures.deep_colours import read_deep_tiff
from lipdip.pictures.pillow_image import shown
from lipdip.pictures.samples import Array, Samples, inks_to_rgb, on_white, unit, upright

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ORIENTATION, _INK_SET, _CMYK_INKS = 274, 332, 1
_NONE, _DEFLATE, _ADOBE_DEFLATE, _PACKBITS, _LZMA = 1, 32946, 8, 32773, 34925
_UNPACKED_HERE = (_NONE, _DEFLATE, _ADOBE_DEFLATE, _PACKBITS, _LZMA)
_UNPACKED_BY_LIBTIFF = (2, 3, 4, 5, 6, 7)  # fax, LZW and JPEG; others only where libtiff was built with them
_NEGATIVE, _GREY, _RGB, _PALETTE, _INKS, _YCBCR = 0, 1, 2, 3, 5, 6
_BANDS = {_NEGATIVE: 1, _GREY: 1, _RGB: 3, _PALETTE: 1, _INKS: 4, _YCBCR: 3}
_NATIVE = "<" if sys.byteorder == "little" else ">"
_ASSOCIATED, _UNASSOCIATED = 1, 2  # what an extra channel is: alpha that colours were multiplied by, or not


def decoded_tiff(content: bytes, file: Path, most: int) -> tuple[Array, list[str]]:
    """The first picture: (H, W) or (H, W, 3), and notes, each to be read after the file's name.

    Integers are divided by the largest value of their bits, floats are taken as they are.

    Args:
        content: of the file.
        file: where it is from.
        most: pixels that a picture may have.

    Raises:
        UserError: if it is damaged, or of a kind that cannot be read as it was meant; the message says which.
    """
    import tifffile

    try:
        with _silent(tifffile.logger()), tifffile.TiffFile(io.BytesIO(content)) as tiff:
            return _first_picture(tiff, content, file, most)
    except UserError:
        raise
    except Exception as error:  # strangers' bytes may raise anything in a parser
        raise UserError(f"{file} is damaged: {error}") from None


def _first_picture(tiff: "TiffFile", content: bytes, file: Path, most: int) -> tuple[Array, list[str]]:
    frames = len(tiff.pages)
    number = next((place for place in range(frames) if not tiff.pages[place].aspage().is_reduced), 0)  # not a preview
    page = tiff.pages[number].aspage()
    if page.imagewidth * page.imagelength > most:
        raise UserError(
            f"{file} is too large to be a picture that a network can fit (over {most // 10**6} million pixels)"
        )
    _check(page, content, file)
    notes = [f"has {frames} frames; the first was taken"] if frames > 1 else []
    if _orientation(page) != 1:
        notes.append("was turned as its camera says")
    if page.photometric == _NEGATIVE:
        notes.append("is stored as a negative (its zero is white), and was turned round")
    if page.compression in _UNPACKED_HERE and page.photometric != _YCBCR:
        samples = upright(_unpacked(page, file), _orientation(page))
    elif page.bitspersample <= 8 and (whole := _by_pillow(content, number, page)) is not None:
        return shown(whole, file, notes)
    else:
        samples = _deep(content, number, page, file)
    return _seen(samples, page, file, notes)


def _check(page: "TiffPage", content: bytes, file: Path) -> None:
    """Refuse what is cut short, and numbers of which it is not known what they show."""
    ends = [start + count for start, count in zip(page.dataoffsets, page.databytecounts, strict=True)]
    if not ends or not all(page.databytecounts) or max(ends) > len(content):
        raise UserError(f"{file} is damaged: it is cut short")
    if page.predictor != 1 and page.compression in (_NONE, _PACKBITS):
        raise UserError(f"{file} says that its numbers are differences, which its compression has not; save it anew")
    if page.photometric not in _BANDS:
        kind = str(getattr(page.photometric, "name", page.photometric))
        raise UserError(f"{file} is a TIFF of kind {kind}, which is not read; save it as RGB or grey")
    inks = page.tags.get(_INK_SET)
    if page.photometric == _INKS and inks is not None and inks.value != _CMYK_INKS:
        raise UserError(f"{file} is printed with other inks than cyan, magenta, yellow and black; save it as RGB")
    dtype = np.dtype(page.dtype) if page.dtype is not None else None
    if dtype is None or page.imagedepth != 1:
        raise UserError(f"{file} holds no numbers that a picture has; save it with 8 or 16 bits")
    if dtype.kind not in "buf" or (dtype.kind == "u" and dtype.itemsize > 2):
        raise UserError(
            f"{file} holds {dtype} values: which of them is white is not known; a picture has 8 or 16 bits "
            "without a sign, or floats in [0, 1]"
        )
    bands = _BANDS[page.photometric]
    if page.bitspersample < 8 and page.samplesperpixel > 1:
        raise UserError(f"{file} has several channels of {page.bitspersample} bits, which are not read; save it with 8")
    if page.samplesperpixel < bands or (bands == 1 and page.samplesperpixel > 2):
        raise UserError(
            f"{file} has {page.samplesperpixel} channels of which it is not said what they are; save it as RGB or grey"
        )


def _unpacked(page: "TiffPage", file: Path) -> Samples:
    """(H, W, S), by tifffile."""
    try:
        array = page.asarray()
    except (ValueError, KeyError, ImportError) as error:
        if isinstance(error, ImportError) or "imagecodecs" in str(error):
            raise _packed(page, file) from None
        raise
    array = array.reshape(*(side for side, axis in zip(page.shape, page.axes, strict=True) if axis in "SYX"))
    axes = "".join(axis for axis in page.axes if axis in "SYX")
    return np.moveaxis(array, axes.index("S"), -1) if "S" in axes else array[..., None]


def _packed(page: "TiffPage", file: Path) -> UserError:
    how = str(getattr(page.compression, "name", page.compression))
    return UserError(
        f"{file} ({page.bitspersample} bits, compression {how}) needs another package to be unpacked: "
        "pip install imagecodecs, or save it without compression"
    )


def _by_pillow(content: bytes, number: int, page: "TiffPage") -> Image.Image | None:
    """A page as Pillow and libtiff give it, upright; None where they cannot, or give something else."""
    if page.planarconfig != 1 and (page.photometric != _RGB or page.samplesperpixel != 3):
        return None  # it takes the plane of transparency for a part of the picture
    if np.dtype(page.dtype).kind == "f" and page.parent.byteorder != _NATIVE:
        return None  # it exchanges the bytes of floats that libtiff exchanged already
    try:
        image = Image.open(io.BytesIO(content), formats=["TIFF"])
        image.seek(number)
        with _silent_libtiff():
            return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, EOFError, KeyError):
        if page.compression in _UNPACKED_BY_LIBTIFF and page.bitspersample <= 8:
            raise ValueError("its pixels cannot be unpacked") from None
        return None


def _deep(content: bytes, number: int, page: "TiffPage", file: Path) -> Samples:
    """(H, W, S), upright, of what tifffile cannot unpack by itself."""
    try:
        return upright(_unpacked(page, file), _orientation(page))  # with imagecodecs it can
    except UserError as refused:
        bands, bits = page.samplesperpixel, page.bitspersample
        if bands == 1 and bits in (16, 32) and (image := _by_pillow(content, number, page)) is not None:
            return np.asarray(image)[..., None]
        if page.photometric != _RGB or bits != 16 or page.planarconfig != 1:
            raise refused from None
        try:
            with _silent_libtiff():
                return read_deep_tiff(content, number)
        except (OSError, SyntaxError, ValueError, EOFError, KeyError):
            raise refused from None


def _seen(samples: Samples, page: "TiffPage", file: Path, notes: list[str]) -> tuple[Array, list[str]]:
    """From stored numbers (H, W, S) to what they show."""
    bits, kind = page.bitspersample, page.photometric
    bands = _BANDS[kind]
    floating = samples.dtype.kind == "f"
    if kind == _PALETTE:
        notes.append("(palette) was converted to RGB")
        values = _colours(page)[samples[..., 0].astype(np.int64)]
    else:
        values = unit(samples[..., :bands], bits)
    if kind == _NEGATIVE:
        values = 1 - values
    if kind == _INKS:
        notes.append("(CMYK) was converted to RGB")
        values = inks_to_rgb(values)
    values = _without_extras(values, samples[..., bands:], page, file, notes)
    if bits > 8 and not floating and kind != _PALETTE:
        notes.append(f"has 16-bit {'greys' if bands == 1 else 'colours'}, which were kept")
    elif values.shape[-1] == 1 and not floating:
        notes.append("is grey: one channel")
    return (values[..., 0] if values.shape[-1] == 1 else values), notes


def _without_extras(values: Array, extras: Samples, page: "TiffPage", file: Path, notes: list[str]) -> Array:
    """Put on white by the first extra channel that is alpha; others are left out."""
    kinds = [int(kind) for kind in page.extrasamples] or [_UNASSOCIATED] * extras.shape[-1]
    place = next((i for i, kind in enumerate(kinds) if kind in (_ASSOCIATED, _UNASSOCIATED)), None)
    left_out = extras.shape[-1]
    if place is not None and place < extras.shape[-1]:
        alpha, left_out = unit(extras[..., place], page.bitspersample), left_out - 1
        if kinds[place] == _ASSOCIATED and page.photometric != _GREY and page.photometric != _RGB:
            raise UserError(f"{file} has colours multiplied by transparency, which are read of grey and RGB only")
        values, shows = on_white(values, alpha, multiplied=kinds[place] == _ASSOCIATED)
        if shows:
            notes.append("has transparent pixels, which were put on white")
    if left_out:
        notes.append(f"has {left_out} more channels than a picture; they were left out")
    return values


def _colours(page: "TiffPage") -> Array:
    """(colours, 3) of a palette. Its numbers have 16 bits, but many writers put 8 there: below, or shifted up."""
    table = page.colormap
    if table is None:
        raise ValueError("its palette has no colours")
    table = np.asarray(table).T
    if (table % 256 == 0).all():
        table = table // 256
    return unit(table, 8 if table.max() < 256 else 16)


def _orientation(page: "TiffPage") -> int:
    tag = page.tags.get(_ORIENTATION)
    return int(tag.value) if tag is not None and tag.value in range(1, 9) else 1


@contextmanager
def _silent(logger: logging.Logger) -> Iterator[None]:
    """Tifffile logs what it makes of damaged files; what matters is raised."""
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


@contextmanager
def _silent_libtiff() -> Iterator[None]:
    """Libtiff writes to the process's standard error what it makes of damaged files; what matters is raised."""
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
