"""Bringing a picture, and the pixel mask that goes with it, to the size at which it is restored."""

from collections.abc import Sequence
from dataclasses import replace
from math import gcd

import torch
from torch import Tensor
from torch.nn import functional

from lipdip.core.errors import UserError
from lipdip.core.files import checked_path
from lipdip.pictures.picture import Picture, read_file

MULTIPLE = 32  # the public scripts crop every picture to a multiple of 32
LARGEST = 16384
_BLACK = 0.1  # as far from black or white a compressed mask may be
_MOSTLY, _HARDLY = 0.5, 0.05  # shares of pixels: grey ones that make it no mask, known ones that are worth a warning


Size = int | Sequence[int] | None


def sized(picture: Picture, size: Size, multiple: int = MULTIPLE, scale: int = 1, resample: bool = True) -> Picture:
    """The picture at ``size``, or, with None, at its own size cropped in the centre to ``multiple``.

    Args:
        picture: as read.
        size: one number for a square, or (height, width); the picture is cropped to that shape in the centre
            and resized (bicubic, antialiased).
        multiple: what both sides must be divisible by.
        scale: how many times smaller than ``size`` this picture is (a low-resolution measurement).
        resample: whether pixels may be mixed; without it ``size`` is cut out of the centre, since a resampled
            measurement is no measurement any more.

    Raises:
        UserError: if a side of ``size`` is not divisible by ``multiple``, or the picture is smaller than ``multiple``.
    """
    if size is None:
        return _cropped(picture, multiple // gcd(multiple, scale))
    height, width = _checked(size, multiple)
    if height % scale or width % scale:
        raise UserError(f"image.size={size} cannot be divided by the factor {scale}")
    return (_resized if resample else _cut_out)(picture, height // scale, width // scale)


def read_pixel_mask(path: str, picture: Picture, size: Size, resample: bool = True, multiple: int = MULTIPLE) -> Tensor:
    """The known pixels (1, H, W), 1 or 0, as :func:`pixel_mask` has them."""
    return pixel_mask(path, picture, size, resample, multiple).pixels


def pixel_mask(path: str, picture: Picture, size: Size, resample: bool = True, multiple: int = MULTIPLE) -> Picture:
    """The known pixels (1, H, W), 1 or 0, from a picture of the same size as ``picture``: white is known, black is not.

    Notes say which share of the pixels is known, with a warning where nearly none or all are, and how many are grey:
    those above one half count as known.

    Args:
        path: of a picture, or an array (.npy) of booleans or of numbers as pictures have them.
        picture: whose pixels they are, as read.
        size: as for :func:`sized`, like the next two.
        resample: whether the picture is.
        multiple: what both sides must be divisible by.

    Raises:
        UserError: if it cannot be read, its size differs from the picture's, no pixel is known, or more are grey than
            black and white.
    """
    mask = read_file(checked_path(path, "task.pixel_mask"), setting="task.pixel_mask")
    if mask.pixels.shape[1:] != picture.pixels.shape[1:]:
        raise UserError(
            f"the pixel mask {path} is {_size(mask.pixels)}, the picture {_size(picture.pixels)}: "
            "they must have the same size"
        )
    notes = [note for note in mask.notes if not note.endswith("is grey: one channel")]
    values = mask.pixels.mean(0)
    grey = float(((values > _BLACK) & (values < 1 - _BLACK)).float().mean())
    if grey > _MOSTLY:
        raise UserError(f"the pixel mask {path} is no mask: {grey:.0%} of its pixels are neither white nor black")
    if grey:
        notes.append(f"{grey:.2%} of the pixel mask are neither white nor black; above one half counts as known")
    brought = sized(replace(mask, notes=()), size, multiple, resample=resample).pixels
    known = (brought.mean(0, keepdim=True) > 0.5).float()
    share = float(known.mean())
    if not share:
        brightest = f"{float(values.max()):.4g}"
        raise UserError(
            f"the pixel mask {path} knows no pixel: white is known, and its brightest is {brightest} of 1; "
            "save it with 0 and 255, or as booleans"
        )
    notes.append(f"{share:.2%} of the pixels are known (white in the pixel mask)")
    if share == 1:
        notes.append("warning: every pixel is known: nothing is left to fill in; black pixels are the unknown ones")
    elif share < _HARDLY:
        notes.append("warning: hardly any pixel is known; is the pixel mask inverted? White pixels are the known ones")
    return Picture(mask.name, known, mask.digest, tuple(notes))


def _checked(size: int | Sequence[int], multiple: int) -> tuple[int, int]:
    sides = [size, size] if isinstance(size, int) else list(size) if not isinstance(size, str | float) else []
    if len(sides) != 2 or not all(isinstance(side, int) and side > 0 for side in sides):
        raise UserError(f"image.size must be a whole number, [height,width] or null, not {size!r}")
    for side in sides:
        if side % multiple:
            below = side // multiple * multiple
            nearest = f"{below} and {below + multiple}" if below else f"{multiple}"
            raise UserError(f"image.size={side} is not a multiple of {multiple}; the nearest: {nearest}")
        if side > LARGEST:
            raise UserError(f"image.size={side} is larger than any picture that a network can fit ({LARGEST})")
    return sides[0], sides[1]


def _size(pixels: Tensor) -> str:
    return f"{pixels.shape[-2]}x{pixels.shape[-1]}"


def _centre(pixels: Tensor, height: int, width: int) -> Tensor:
    top, left = (pixels.shape[-2] - height) // 2, (pixels.shape[-1] - width) // 2
    return pixels[..., top : top + height, left : left + width]


def _cropped(picture: Picture, multiple: int) -> Picture:
    height, width = (side // multiple * multiple for side in picture.pixels.shape[-2:])
    if not height or not width:
        raise UserError(
            f"{picture.name} is only {_size(picture.pixels)} pixels; both sides must be at least {multiple}"
        )
    if (height, width) == tuple(picture.pixels.shape[-2:]):
        return picture
    cut = _centre(picture.pixels, height, width)
    return picture.changed(
        cut, f"{picture.name} was cropped from {_size(picture.pixels)} to {_size(cut)}, a multiple of {multiple}"
    )


def _cut_out(picture: Picture, height: int, width: int) -> Picture:
    if height > picture.pixels.shape[-2] or width > picture.pixels.shape[-1]:
        raise UserError(
            f"{picture.name} is {_size(picture.pixels)}; {height}x{width} cannot be cut out of it, and a degraded "
            "picture is not resampled (image.clean=false): give a smaller image.size, or null"
        )
    cut = _centre(picture.pixels, height, width)
    return picture.changed(cut, f"{picture.name}: {_size(cut)} was cut out of the centre of {_size(picture.pixels)}")


def _resized(picture: Picture, height: int, width: int) -> Picture:
    old_height, old_width = picture.pixels.shape[-2:]
    if (old_height, old_width) == (height, width):
        return picture
    ratio = min(old_height / height, old_width / width)
    cut = _centre(picture.pixels, min(old_height, round(height * ratio)), min(old_width, round(width * ratio)))
    if not cut.numel():
        raise UserError(f"image.size={height}x{width} has too long a side for {picture.name}, {_size(picture.pixels)}")
    new = functional.interpolate(cut[None], (height, width), mode="bicubic", antialias=True)[0].clamp(0, 1)
    how = "enlarged" if ratio < 1 else "reduced"
    return picture.changed(torch.clone(new), f"{picture.name} was {how} from {_size(picture.pixels)} to {_size(new)}")
