"""Whether there is a picture at all in what was measured."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from lipdip.pictures.picture import Picture

_CHANCE = 4  # standard deviations; noise alone goes beyond them once in some ten thousand pictures
_BLOCK = 4  # pixels


def said_if_empty(picture: Picture, known: Tensor | None = None) -> Picture:
    """The picture, with a warning among its notes if it shows nothing; ``known`` as for :func:`nothing_there`."""
    why = nothing_there(picture.pixels[None], known)
    if why is None:
        return picture
    return replace(picture, notes=(*picture.notes, f"warning: there is nothing to restore in {picture.name}: {why}"))


def nothing_there(y: Tensor, known: Tensor | None = None) -> str | None:
    """Why a measurement that is a picture shows nothing that could be restored, in words; None: it shows something.

    White noise alone is told by two things, each within four standard deviations of what chance gives: neighbouring
    pixels are not correlated, across and down, and the means of blocks of 4x4 pixels spread no more than a sixteenth
    of the pixels' variance. A scene is far from both, the latter under the heaviest noise too.

    Args:
        y: (1, C, h, w).
        known: which pixels were measured, of a shape that broadcasts to ``y``'s; None: all.

    Example:
        >>> nothing_there(torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
        'nothing in it differs from noise alone: neighbouring pixels have nothing to do with each other'
    """
    seen = torch.ones_like(y, dtype=torch.bool) if known is None else known.expand_as(y) > 0
    lowest, highest = (torch.where(seen, y, end).flatten(2) for end in (torch.inf, -torch.inf))
    if bool((lowest.amin(2) >= highest.amax(2)).all()):
        return f"it has the same value in every {'' if known is None else 'known '}pixel"
    counts = seen.sum((-2, -1), keepdim=True).clamp(min=1)
    centred = torch.where(seen, y - torch.where(seen, y, 0).sum((-2, -1), keepdim=True) / counts, 0)
    if _correlated(centred, seen) or _spread_out(centred, seen):
        return None
    return "nothing in it differs from noise alone: neighbouring pixels have nothing to do with each other"


def _correlated(centred: Tensor, seen: Tensor) -> bool:
    """Whether neighbours are, across or down."""
    for axis in (-2, -1):
        first, second = (slice(None, -1), slice(1, None))
        one, other = (centred.transpose(axis, -1)[..., part] for part in (first, second))
        both = seen.transpose(axis, -1)[..., first] & seen.transpose(axis, -1)[..., second]
        pairs = int(both.sum())
        size = (torch.where(both, one, 0).square().sum() * torch.where(both, other, 0).square().sum()).sqrt()
        if not pairs or not bool(size > 0) or abs(float((one * other).sum() / size)) > _CHANCE / pairs**0.5:
            return True
    return False


def _spread_out(centred: Tensor, seen: Tensor) -> bool:
    """Whether the means of blocks are more than those of independent pixels would be."""
    if min(centred.shape[-2:]) < _BLOCK:
        return False
    area = _BLOCK**2
    sums, counts = (area * functional.avg_pool2d(part, _BLOCK) for part in (centred, seen.to(centred.dtype)))
    variance = centred.square().sum() / seen.sum()
    ratios = (sums.square() / counts.clamp(min=1) / variance)[counts > 0]
    return bool(len(ratios)) and float(ratios.mean()) - 1 > _CHANCE * (2 / len(ratios)) ** 0.5
