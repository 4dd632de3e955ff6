"""Inpainting: some pixels are known, the others are zero."""

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from typing_extensions import override

from lipdip.core.check import flag, number
from lipdip.core.seeds import stream
from lipdip.physics.base import Physics


class Inpaint(Physics):
    """``y = pixel_mask * (x + noise)``.

    Args:
        image_shape: (C, H, W).
        generator: draws the mask, if ``pixel_mask`` is None. None: one made of ``seed``.
        pixel_mask: 1 where a pixel is known and 0 elsewhere, (H, W), (1, H, W) or (C, H, W), a tensor or a NumPy
            array; or None to draw one.
        keep: probability that a pixel is known, for a drawn mask (Bernoulli); the paper's is 0.5.
        per_channel: draw each channel's mask independently, as the public code does.
        sigma: noise on the known pixels, 0..255 scale.
        seed: of the mask and the noise, where no generator is given.

    Raises:
        ValueError: if the mask does not fit the picture, has values other than 0 and 1, or marks no pixel as known;
            if ``keep`` is not in (0, 1].

    Example:
        >>> physics = Inpaint((3, 8, 8), keep=0.5, seed=0)
        >>> physics.pixel_mask.shape
        torch.Size([1, 8, 8])
        >>> y = physics.measure(torch.rand(1, 3, 8, 8))
    """

    pixel_mask: Tensor

    def __init__(
        self,
        image_shape: Sequence[int],
        generator: torch.Generator | None = None,
        pixel_mask: Tensor | NDArray[Any] | None = None,
        keep: float = 0.5,
        per_channel: bool = False,
        sigma: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(image_shape, generator, sigma, seed=seed)
        channels, height, width = self.image_shape
        if pixel_mask is None:
            number("keep", keep, above=0, high=1)
            flag("per_channel", per_channel)
            generator = generator or stream(seed, "degradation")
            drawn = torch.rand(channels if per_channel else 1, height, width, generator=generator)
            pixel_mask = (drawn < keep).float()
            self._drawn(generator)
        pixel_mask = torch.as_tensor(pixel_mask)
        if pixel_mask.dim() == 2:
            pixel_mask = pixel_mask[None]
        if pixel_mask.dim() != 3 or tuple(pixel_mask.shape[1:]) != (height, width):
            raise ValueError(
                f"the pixel mask is {tuple(pixel_mask.shape[-2:])} (height, width), "
                f"the picture {(height, width)}: they must have the same size"
            )
        if pixel_mask.shape[0] not in (1, channels):
            raise ValueError(f"the pixel mask has {pixel_mask.shape[0]} channels, the picture {channels}")
        if not bool(((pixel_mask == 0) | (pixel_mask == 1)).all()):
            raise ValueError("a pixel mask holds 0 (unknown) and 1 (known) only")
        if not bool(pixel_mask.any()):
            raise ValueError("the pixel mask knows no pixel: nothing was measured")
        self.register_buffer("pixel_mask", pixel_mask, persistent=False)

    @override
    def A(self, x: Tensor) -> Tensor:
        return self.pixel_mask.to(x.dtype) * x

    @override
    def A_adjoint(self, y: Tensor) -> Tensor:
        return self.A(y)

    @override
    def measure(self, x: Tensor, generator: torch.Generator | int | None = None) -> Tensor:
        """Unknown pixels stay zero, whatever the noise."""
        return self.A(super().measure(x, generator))

    @override
    def consistent(self, x_hat: Tensor, y: Tensor) -> Tensor:
        """``x_hat`` with the known pixels as they were measured."""
        return torch.where(self.pixel_mask > 0, y.to(x_hat.dtype), x_hat)

    @override
    def received(self, y: Tensor) -> Tensor:
        return self.A(y)
