"""Denoising: the picture itself, with Gaussian noise."""

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from lipdip.physics.base import Physics


class Denoise(Physics):
    """``y = x + noise``: ``A`` is the identity. The public code clips y to [0, 1]; so does the default.

    Args:
        image_shape: (C, H, W).
        generator: not used.
        sigma: noise level on the 0..255 scale; the paper's is 25.
        clip: clip the measurement to [0, 1].
        seed: of the noise, where no generator is given.

    Example:
        >>> physics = Denoise((3, 8, 8), sigma=25, seed=1)
        >>> x = torch.rand(1, 3, 8, 8)
        >>> torch.equal(physics(x), physics(x))  # the noise is the seed's; physics.measure(x, 2) is another draw
        True
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        generator: torch.Generator | None = None,
        sigma: float = 25.0,
        clip: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__(image_shape, generator, sigma, clip, seed)

    @override
    def A(self, x: Tensor) -> Tensor:
        return x

    @override
    def A_adjoint(self, y: Tensor) -> Tensor:
        return y
