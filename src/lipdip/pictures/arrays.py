"""Pictures and measurements that a Python user gives as arrays."""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

LARGEST_VALUE = 10  # beyond it floats are of another scale, such as 0..255; noise and overshoots stay far below


def as_picture(array: Tensor | npt.ArrayLike, what: str = "x") -> Tensor:
    """A picture given as a tensor or NumPy array, as (1, C, H, W) float32.

    Floats are taken as they are, so a picture's should lie in [0, 1]; uint8 and uint16 values are divided by the
    largest value of their type (255 or 65535). A tensor stays on its device, and is not copied if it is float32.

    Args:
        array: (1, C, H, W), (C, H, W) or (H, W).
        what: its name in errors.

    Raises:
        ValueError: on another shape, no values, values that are not finite, or floats on a scale such as 0..255.
        TypeError: if it is no array of real numbers, or holds other integers.

    Examples:
        >>> import numpy as np
        >>> x = as_picture(np.full((3, 32, 48), 255, np.uint8))
        >>> x.shape, x.dtype, x.max().item()
        (torch.Size([1, 3, 32, 48]), torch.float32, 1.0)
    """
    values = as_floats(array, what)
    shape = tuple(values.shape)
    if values.is_complex():
        raise TypeError(f"{what} holds complex numbers; a picture is real")
    if values.dim() in (3, 4) and shape[-1] in (1, 3, 4) and shape[-3] > 4:
        raise ValueError(f"{what} has shape {shape}; channels go first, as in {(shape[-1], *shape[-3:-1])}")
    if not 2 <= values.dim() <= 4 or (values.dim() == 4 and shape[0] != 1) or not values.numel():
        raise ValueError(f"{what} has shape {shape}; a picture is (1, C, H, W), (C, H, W) or (H, W)")
    if values.abs().max() > LARGEST_VALUE:
        low, high = f"{values.min():.4g}", f"{values.max():.4g}"
        raise ValueError(f"{what} holds values from {low} to {high}; floats are taken as they are, in [0, 1]")
    return values.reshape((1,) * (4 - values.dim()) + shape)


def as_floats(array: Tensor | npt.ArrayLike, what: str) -> Tensor:
    """The values of an array of any shape as float32, or complex64 if they are complex.

    Raises:
        ValueError: on values that are not finite.
        TypeError: on values other than floats, complex numbers, uint8 and uint16.
    """
    values = array.detach() if isinstance(array, Tensor) else _from_numpy(np.array(array, order="C"), what)
    if values.is_complex():
        values = values.to(torch.complex64)
    elif values.is_floating_point():
        values = values.to(torch.float32)
    elif values.dtype in (torch.uint8, torch.uint16):
        values = values.to(torch.float32) / torch.iinfo(values.dtype).max
    else:
        raise TypeError(_other_values(what, str(values.dtype).removeprefix("torch.")))
    if not values.isfinite().all():
        raise ValueError(f"{what} holds values that are not finite numbers")
    return values


def _from_numpy(array: npt.NDArray[np.generic], what: str) -> Tensor:
    try:
        return torch.from_numpy(array.astype(array.dtype.newbyteorder("="), copy=False))
    except TypeError:
        raise TypeError(_other_values(what, str(array.dtype))) from None


def _other_values(what: str, dtype: str) -> str:
    return f"{what} holds {dtype} values; there can be floats in [0, 1], uint8 or uint16"
