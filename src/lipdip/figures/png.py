"""A picture tensor as a PNG."""

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
