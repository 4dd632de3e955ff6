"""Which formats of pictures are read. Pillow knows more; of those EPS starts another program, and WMF a driver."""

from PIL import Image

FORMATS = (
    "AVIF",
    "BMP",
    "DIB",
    "GIF",
    "ICO",
    "JPEG",
    "JPEG2000",
    "MPO",
    "PCX",
    "PNG",
    "PPM",
    "PSD",
    "QOI",
    "SGI",
    "TGA",
    "TIFF",
    "WEBP",
)


def readable() -> list[str]:
    """Those formats that the installed Pillow can read; given to every ``Image.open`` of a user's file."""
    Image.init()
    return [name for name in FORMATS if name in Image.OPEN]


def suffixes() -> set[str]:
    """How the names of files end that hold a picture, in lower case with the dot; ``.npy`` is one."""
    formats = set(readable())
    return {".npy", *(suffix for suffix, name in Image.registered_extensions().items() if name in formats)}
