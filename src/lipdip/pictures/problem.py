"""An inverse problem: what was measured of one picture, by which physics, and the clean picture where there is one."""

from dataclasses import dataclass, replace

import numpy.typing as npt
import torch
from torch import Tensor

from lipdip.core.errors import UserError
from lipdip.core.seeds import stream
from lipdip.physics import Physics
from lipdip.pictures.arrays import as_floats, as_picture


@dataclass(frozen=True, eq=False, init=False)
class Problem:
    """Find x from ``y = A(x) + noise``.

    Floats are taken as they are, in float32; uint8 and uint16 values are divided by 255 and 65535. What the physics
    would not have measured is blanked in ``y`` (inpainting's unknown pixels).

    Args:
        y: the measurement, a tensor or NumPy array of shape (1, *physics.measurement_shape); leading ones may be left
            out. A physics that states no such shape takes ``y`` as it is.
        physics: ``A`` and its adjoint.
        x: the clean picture, (1, *physics.image_shape) in [0, 1], or None where nobody has it; leading ones may be
            left out.
        name: what it is called in results.

    Raises:
        ValueError: if ``y`` or ``x`` has another shape than the physics takes, or holds values that are not finite.
        TypeError: if ``y`` or ``x`` is no array of floats, uint8 or uint16.

    Examples:
        >>> import numpy as np
        >>> from lipdip.physics import Denoise
        >>> problem = Problem(np.full((3, 32, 48), 0.5), Denoise((3, 32, 48), sigma=25))
        >>> problem.y.shape, problem.y.dtype
        (torch.Size([1, 3, 32, 48]), torch.float32)
    """

    y: Tensor
    physics: Physics
    x: Tensor | None
    name: str

    def __init__(
        self,
        y: Tensor | npt.ArrayLike,
        physics: Physics,
        x: Tensor | npt.ArrayLike | None = None,
        name: str = "picture",
    ) -> None:
        given = as_floats(y, "y")
        clean = None if x is None else as_picture(x, "x")
        if (wanted := getattr(physics, "measurement_shape", None)) is not None:
            given = physics.received(_shaped(given, (1, *wanted), "y"))
        if clean is not None and (wanted := getattr(physics, "image_shape", None)) is not None:
            clean = _shaped(clean, (1, *wanted), "x")
        for field, value in {"y": given, "physics": physics, "x": clean, "name": name}.items():
            object.__setattr__(self, field, value)

    @classmethod
    def measured(
        cls, x: Tensor | npt.ArrayLike, physics: Physics, seed: int | torch.Generator = 0, name: str = "picture"
    ) -> "Problem":
        """The problem that arises when a clean picture is measured.

        Args:
            x: the clean picture, as for :class:`Problem`.
            physics: what measures it.
            seed: of the noise, or a generator on ``x``'s device that draws it.
            name: what it is called in results.

        Raises:
            ValueError, TypeError: as :class:`Problem`.

        Examples:
            >>> import torch
            >>> from lipdip.physics import SuperResolution
            >>> Problem.measured(torch.rand(3, 32, 32), SuperResolution((3, 32, 32), factor=4)).y.shape
            torch.Size([1, 3, 8, 8])
        """
        clean = as_picture(x, "x")
        if (wanted := getattr(physics, "image_shape", None)) is not None:
            clean = _shaped(clean, (1, *wanted), "x")
        draw = seed if isinstance(seed, torch.Generator) else stream(seed, "degradation", clean.device)
        return cls(physics.measure(clean, draw), physics, clean, name)

    def to(self, device: torch.device | str) -> "Problem":
        """The same problem on another device; the physics itself moves there."""
        clean = None if self.x is None else self.x.to(device)
        return Problem(self.y.to(device), self.physics.to(device), clean, self.name)

    @torch.no_grad()
    def consistent(self, x_hat: Tensor) -> Tensor | None:
        """The picture next to ``x_hat`` (1, C, H, W) whose measurement is ``y``; see ``Physics.consistent``."""
        return self.physics.consistent(x_hat, self.y)

    def without_noise(self) -> "Problem":
        """The same problem, measured without noise: what a fit sees that looks at the clean picture.

        Raises:
            UserError: if there is no clean picture.
        """
        if self.x is None:
            raise UserError("pruner.target=clean needs a clean picture, and image.clean=false says there is none")
        return replace(self, y=self.physics.A(self.x))


def _shaped(values: Tensor, wanted: tuple[int, ...], what: str) -> Tensor:
    """``values`` in the shape ``wanted``, of which leading ones may have been left out."""
    left_out = len(wanted) - values.dim()
    if left_out < 0 or tuple(values.shape) != wanted[left_out:] or set(wanted[:left_out]) - {1}:
        raise ValueError(f"{what} has shape {tuple(values.shape)}; the physics takes {wanted}")
    return values.reshape(wanted)
