"""A problem: what was measured of one picture, by which physics, and the clean picture where there is one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lipdip.core.errors import UserError
from lipdip.core.seeds import stream
from lipdip.physics import Physics


@dataclass(frozen=True)
class Problem:
    """Find x from ``y = A(x) + noise``.

    Args:
        name: of the picture.
        y: the measurement, (1, *physics.measurement_shape).
        physics: ``A`` and its adjoint.
        x: the clean picture, (1, *physics.image_shape) in [0, 1], or None where nobody has it.
    """

    name: str
    y: Tensor
    physics: Physics
    x: Tensor | None = None

    def to(self, device: torch.device) -> "Problem":
        """The same problem on another device."""
        clean = None if self.x is None else self.x.to(device)
        return Problem(self.name, self.y.to(device), self.physics.to(device), clean)

    def without_noise(self) -> "Problem":
        """The same problem, measured without noise: what a fit sees that looks at the clean picture.

        Raises:
            UserError: if there is no clean picture.
        """
        if self.x is None:
            raise UserError("pruner.target=clean needs a clean picture, and image.clean=false says there is none")
        return replace(self, y=self.physics.A(self.x))


def measured(name: str, x: Tensor, physics: Physics, generator: torch.Generator) -> Problem:
    """A problem made from the clean picture ``x`` (C, H, W): it is measured, with noise from ``generator``."""
    clean = x[None]
    return Problem(name, physics.measure(clean, generator), physics, clean)


def given(name: str, y: Tensor, physics: Physics) -> Problem:
    """A problem whose measurement ``y`` (C, h, w) is all there is: a picture that is degraded already.

    Raises:
        UserError: if ``y`` has another shape than the physics measures.
    """
    if tuple(y.shape) != physics.measurement_shape:
        raise UserError(f"{name} has shape {tuple(y.shape)}; the task measures {physics.measurement_shape}")
    return Problem(name, physics.received(y[None]), physics)


def draw_codes(shapes: Sequence[Sequence[int]], seed: int, shared: bool, draw: int = 0) -> list[Tensor]:
    """A code for each of several pictures, of the given shapes; the first is what :func:`draw_code` gives.

    Args:
        shapes: (channels, height, width) of each.
        seed: of the run.
        shared: one code, large enough for all, of which each takes the centre; else an independent one for each.
        draw: counts the codes of one seed.
    """
    if not shared:
        return [draw_code(shape, seed, draw, number) for number, shape in enumerate(shapes)]
    height, width = (max(shape[side] for shape in shapes) for side in (1, 2))
    whole = draw_code((shapes[0][0], height, width), seed, draw)
    tops = [((height - shape[1]) // 2, (width - shape[2]) // 2) for shape in shapes]
    return [
        whole[..., top : top + shape[1], left : left + shape[2]].clone()
        for (top, left), shape in zip(tops, shapes, strict=True)
    ]


def draw_code(shape: Sequence[int], seed: int, draw: int = 0, picture: int = 0) -> Tensor:
    """The code ``z ~ U(0, 0.1)`` of the given (channels, height, width), as (1, ...), from its own stream.

    ``draw`` counts the codes of one seed, for fits that take a new one each round; ``picture`` counts the pictures
    of one fit.
    """
    name = "code" + (f"/{draw}" if draw else "") + (f"/picture {picture}" if picture else "")
    return 0.1 * torch.rand(1, *shape, generator=stream(seed, name))
