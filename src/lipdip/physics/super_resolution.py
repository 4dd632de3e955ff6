"""Super-resolution: the picture, low-pass filtered and subsampled."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from lipdip.core.check import number
from lipdip.physics.base import Physics


def lanczos2_kernel(factor: int) -> Tensor:
    """The public code's Lanczos2 kernel at phase 0.5, float64, (4 factor, 4 factor), sum 1.

    ``k(t) = sinc(t) sinc(t / 2)`` at ``t = (i - (4 factor - 1) / 2) / factor``, as an outer product.
    """
    t = (torch.arange(4 * factor, dtype=torch.float64) - (4 * factor - 1) / 2) / factor
    line = torch.sinc(t) * torch.sinc(t / 2)
    kernel = torch.outer(line, line)
    return kernel / kernel.sum()


class SuperResolution(Physics):
    """``A``: replicate-padded Lanczos2 filter, then every ``factor``-th pixel; (C, H, W) to (C, H // f, W // f).

    Source: the downsampler of deep image prior, with replicate padding.

    Args:
        image_shape: (C, H, W) of the high-resolution picture.
        generator: not used.
        factor: 2, 4, 8 or any whole number of at least 2.
        sigma: noise on the small picture, 0..255 scale.
        seed: of the noise, where no generator is given.

    Raises:
        ValueError: if ``factor`` is not a whole number of at least 2, or larger than the picture.

    Example:
        >>> SuperResolution((3, 32, 48), factor=4).measurement_shape
        (3, 8, 12)
    """

    kernel: Tensor

    def __init__(
        self,
        image_shape: Sequence[int],
        generator: torch.Generator | None = None,
        factor: int = 4,
        sigma: float = 0.0,
        seed: int = 0,
    ) -> None:
        super().__init__(image_shape, generator, sigma, seed=seed)
        number("factor", factor, low=2, whole=True)
        self.factor = factor
        if factor > min(self.image_shape[1:]):
            raise ValueError(f"factor {factor} leaves nothing of a picture of {self.image_shape[1:]} pixels")
        self.register_buffer("kernel", lanczos2_kernel(factor), persistent=False)

    @override
    @property
    def measurement_shape(self) -> tuple[int, int, int]:
        channels, height, width = self.image_shape
        return channels, height // self.factor, width // self.factor

    @override
    def A(self, x: Tensor) -> Tensor:
        # The kernel has 4 factor taps: padding by (4 f - f) / 2 on both sides keeps the size; an odd factor
        # needs one pixel more behind than in front, and what is beyond the last whole block is never read.
        pad = 3 * self.factor // 2
        extra = 3 * self.factor - 2 * pad
        batch, channels, height, width = x.shape
        planes = x.reshape(batch * channels, 1, height, width)
        padded = functional.pad(planes, (pad, pad + extra, pad, pad + extra), mode="replicate")
        small = functional.conv2d(padded, self.kernel.to(x.dtype)[None, None], stride=self.factor)
        return small.reshape(batch, channels, *small.shape[-2:])

    @override
    def consistent(self, x_hat: Tensor, y: Tensor) -> Tensor:
        """``x_hat``, back-projected: reduced, it is the very ``y``."""
        return self._projected(x_hat, y)
