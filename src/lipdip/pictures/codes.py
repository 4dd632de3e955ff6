"""The codes of deep image priors: the fixed random inputs ``z`` from which a network makes its pictures."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lipdip.core.seeds import stream


def draw_code(shape: Sequence[int], seed: int, draw: int = 0, picture: int = 0) -> Tensor:
    """A code ``z ~ U(0, 0.1)``, from its own random stream.

    Args:
        shape: (channels, height, width).
        seed: of the run.
        draw: counts the codes of one seed, for fits that take a new one each round.
        picture: counts the pictures of one fit.

    Returns:
        (1, channels, height, width) float32 on the CPU.
    """
    name = "code" + (f"/{draw}" if draw else "") + (f"/picture {picture}" if picture else "")
    return 0.1 * torch.rand(1, *shape, generator=stream(seed, name))


def draw_codes(shapes: Sequence[Sequence[int]], seed: int, shared: bool, draw: int = 0) -> list[Tensor]:
    """A code for each of several pictures; the first is what :func:`draw_code` gives.

    Args:
        shapes: (channels, height, width) of each.
        seed: of the run.
        shared: one code, large enough for all, of which each takes the centre; else an independent one for each.
        draw: counts the codes of one seed.

    Returns:
        For each shape (1, channels, height, width) float32 on the CPU.
    """
    if not shared:
        return [draw_code(shape, seed, draw, number) for number, shape in enumerate(shapes)]
    height, width = (max(shape[side] for shape in shapes) for side in (1, 2))
    whole = draw_code((shapes[0][0], height, width), seed, draw)
    corners = [((height - shape[1]) // 2, (width - shape[2]) // 2) for shape in shapes]
    return [
        whole[..., top : top + shape[1], left : left + shape[2]].clone()
        for (top, left), shape in zip(corners, shapes, strict=True)
    ]
