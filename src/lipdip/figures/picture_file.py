"""A run's pictures read back from their files, which are PNGs; a stranger's run directory may hold anything else."""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from lipdip.core.errors import UserError
from lipdip.core.files import read_regular

Array = npt.NDArray[np.float64]


def read_picture(name: str, path: Path) -> Array:
    """(H, W) or (H, W, 3) in [0, 1].

    Raises:
        UserError: if there is none, or it cannot be read.
    """
    return read_png(name, path) / 255


def read_png(name: str, path: Path) -> npt.NDArray[np.uint8]:
    """(H, W) or (H, W, 3) of an 8-bit PNG. Other formats are not opened: for some, Pillow starts another program.

    Raises:
        UserError: if there is none, or it cannot be read.
    """
    try:
        with Image.open(io.BytesIO(read_regular(path)), formats=["PNG"]) as image:
            if image.mode not in ("L", "RGB"):
                raise UserError(f"the picture {name}, {path}, is neither 8-bit grey nor 8-bit RGB, but {image.mode}")
            return np.asarray(image)
    except FileNotFoundError:
        raise UserError(f"there is no picture {name} at {path}") from None
    except UnidentifiedImageError:
        raise UserError(f"the picture {name}, {path}, is not in a format that can be read") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"cannot read the picture {name}, {path}: {error}") from None
