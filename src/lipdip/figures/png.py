"""Picture tensors on their way to a PNG: their range, several as one, and the bytes."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor


def to_uint8(picture: Tensor) -> npt.NDArray[np.uint8]:
    """(1, C, H, W) or (C, H, W) in [0, 1], C 1 or 3, to (H, W) or (H, W, 3) uint8, rounded."""
    array = picture.detach().float().cpu().clamp(0, 1).mul(255).round().byte().numpy()
    channels, height, width = array.shape[-3:]
    array = array.reshape(channels, height, width).transpose(1, 2, 0)
    return array[..., 0] if channels == 1 else array


def png(picture: Tensor) -> bytes:
    """The bytes of an 8-bit PNG of ``picture``, (1, C, H, W) or (C, H, W) in [0, 1]."""
    out = io.BytesIO()
    Image.fromarray(to_uint8(picture)).save(out, format="PNG")
    return out.getvalue()


def to_unit(pictures: Tensor) -> Tensor:
    """Pictures in [-1, 1], as generators make them, brought to [0, 1]; what lies outside is clipped."""
    return (pictures.clamp(-1, 1) + 1) / 2


def sheet(pictures: Tensor, across: int = 8) -> Tensor:
    """(N, C, H, W) as one picture (1, C, rows H, across W), row by row; what is missing is black in [0, 1]."""
    count, channels, height, width = pictures.shape
    rows = -(-count // across)
    whole = pictures.new_zeros(rows * across, channels, height, width)
    whole[:count] = pictures
    grid = whole.view(rows, across, channels, height, width).permute(2, 0, 3, 1, 4)
    return grid.reshape(1, channels, rows * height, across * width)
