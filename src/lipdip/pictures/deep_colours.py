"""Colours of 16 bits, of which Pillow gives the upper eight: read twice, once each half."""

import re
import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

Deep = npt.NDArray[np.uint16]

GREY, _GREY_ALPHA, _RGB, _RGBA = 0, 4, 2, 6  # PNG's colour types


def png_is_deep(content: bytes, keyed: bool) -> bool:
    """Whether this is a PNG of 16 bits whose numbers Pillow would not give in full: all but opaque greys.

    Args:
        content: of the file.
        keyed: whether one of its values stands for transparency.
    """
    if not content.startswith(b"\x89PNG\r\n\x1a\n") or len(content) < 33 or content[24] != 16:
        return False
    return content[25] in (_GREY_ALPHA, _RGB, _RGBA) or (content[25] == GREY and keyed)


def read_deep_png(content: bytes) -> Deep:
    """(H, W, 1 to 4): grey, grey and alpha, RGB, or RGB and alpha; upright. Errors are Pillow's."""
    if content[25] == GREY:
        with Image.open(BytesIO(content), formats=["PNG"]) as image:
            return np.asarray(ImageOps.exif_transpose(image)).astype(np.uint16)[..., None]
    if content[25] == _GREY_ALPHA:  # two bytes and two bytes are stored like RGBA's four
        header = content[12:24] + bytes([8, _RGBA]) + content[26:29]
        as_rgba = content[:12] + header + struct.pack(">I", zlib.crc32(header)) + content[33:]
        with Image.open(BytesIO(as_rgba), formats=["PNG"]) as image:
            return np.asarray(ImageOps.exif_transpose(image)).view(">u2").astype(np.uint16)
    mode = "RGB" if content[25] == _RGB else "RGBA"
    return 256 * _half(content, "PNG", f"{mode};16B") + _half(content, "PNG", f"{mode};16L")


def read_deep_tiff(content: bytes, page: int) -> Deep:
    """(H, W, 3 or 4) of a page of a TIFF that libtiff unpacks, upright; errors are Pillow's."""
    with Image.open(BytesIO(content), formats=["TIFF"]) as image:
        image.seek(page)
        tile: Any = image.tile[0]
        rawmode = tile[3][0]
    mode, _, order = rawmode.partition(";")
    if order not in ("16N", "16L", "16B"):
        raise ValueError(f"no picture of 16-bit colours, but {rawmode}")
    native = order == "16N"  # unpacked numbers are in this machine's byte order
    little = (struct.pack("=H", 1)[0] == 1) if native else order == "16L"
    upper, lower = ("16L", "16B") if little else ("16B", "16L")
    return 256 * _half(content, "TIFF", f"{mode};{upper}", page) + _half(content, "TIFF", f"{mode};{lower}", page)


def _half(content: bytes, form: str, rawmode: str, page: int = 0) -> Deep:
    """One byte of each number, upright: of ``16B`` the first, of ``16L`` the second."""
    with Image.open(BytesIO(content), formats=[form]) as image:
        image.seek(page)
        tile: Any = image.tile[0]  # a plain tuple in older Pillow
        changed = rawmode if isinstance(tile[3], str) else (rawmode, *tile[3][1:])
        same: Any = tile._replace(args=changed) if hasattr(tile, "_replace") else (*tile[:3], changed)
        image.tile = [same]
        return np.asarray(ImageOps.exif_transpose(image)).astype(np.uint16)


def read_deep_ppm(content: bytes, image: Image.Image) -> tuple[Deep, int] | None:
    """(H, W, 3) of a colour PPM whose largest value is beyond 255, and that value; None: it is no such picture.

    Args:
        content: of the file.
        image: the same, opened but not loaded.

    Raises:
        ValueError: if values are missing.
    """
    if image.format != "PPM" or image.mode != "RGB":
        return None
    tile: Any = getattr(image, "tile")[0]  # noqa: B009  # of a file's image, which its type does not say
    largest = tile[3][1] if isinstance(tile[3], tuple) else 255
    if largest < 256:
        return None
    count, offset = 3 * image.width * image.height, tile[2]
    if tile[0] == "ppm_plain":
        words = re.sub(rb"#[^\r\n]*", b"", content[offset:]).split()[:count]
        values = np.array(words, dtype=bytes).astype(np.int64)
    else:
        values = np.frombuffer(content, ">u2", min(count, (len(content) - offset) // 2), offset).astype(np.int64)
    if len(values) < count:
        raise ValueError("it ends too early")
    return values.reshape(image.height, image.width, 3).astype(np.uint16), largest


def bits_lost(image: Image.Image, content: bytes) -> int:
    """How many bits a picture's numbers have, where Pillow reads fewer of them; else 0."""
    if image.format == "JPEG2000" and image.mode in ("RGB", "RGBA", "LA"):
        start = content.find(b"\xff\x4f\xff\x51")  # of the codestream; 42 bytes on, the depth of the first channel
        bits = (content[start + 42] & 0x7F) + 1 if 0 <= start < len(content) - 42 else 8
    elif image.format == "AVIF":
        start = content.find(b"av1C")
        flags = content[start + 6] if 0 <= start < len(content) - 6 else 0
        bits = (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    elif image.format == "SGI":
        bits = 8 * content[3]
    else:
        bits = 8
    return bits if bits > 8 else 0
