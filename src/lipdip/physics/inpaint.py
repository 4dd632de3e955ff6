"""Inpainting: some pixels are known, the others are zero."""

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from lipdip.physics.base import Physics


class Inpaint(Physics):
    """``A(x) = pixel_mask * x``.

    Args:
        image_shape: (C, H, W).
        generator: draws the mask; needed if ``pixel_mask`` is None.
        pixel_mask: 1 where a pixel is known and 0 elsewhere, (1, H, W) or (C, H, W); or None to draw one.
        keep: probability that a pixel is known, for a drawn mask (Bernoulli); the paper's is 0.5.
        per_channel: draw each channel's mask independently, as the public code does.
        sigma: noise on the known pixels, 0..255 scale.

    Raises:
        ValueError: if the mask does not fit the picture, has values other than 0 and 1, or marks no pixel as known;
            if ``keep`` is not in (0, 1].
    """

    pixel_mask: Tensor

    def __init__(
        self,
        image_shape: Sequence[int],
        generator: torch.Generator | None = None,
        pixel_mask: Tensor | None = None,
        keep: float = 0.5,
        per_channel: bool = False,
        sigma: float = 0.0,
    ) -> None:
        super().__init__(image_shape, generator, sigma)
        channels, height, width = self.image_shape
        if pixel_mask is None:
            if isinstance(keep, bool) or not isinstance(keep, int | float) or not 0 < keep <= 1:
                raise ValueError(f"keep must lie in (0, 1], not {keep!r}")
            if not isinstance(per_channel, bool):
                raise ValueError(f"per_channel must be true or false, not {per_channel!r}")
            if generator is None:
                raise ValueError("a generator is needed to draw a pixel mask")
            drawn = torch.rand(channels if per_channel else 1, height, width, generator=generator)
            pixel_mask = (drawn < keep).float()
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
    def measure(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """Unknown pixels stay zero, whatever the noise."""
        return self.A(super().measure(x, generator))

    @override
    def received(self, y: Tensor) -> Tensor:
        return self.A(y)
