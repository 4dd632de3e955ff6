"""What every physics is: a linear forward operator on pictures of one shape, with its adjoint and its noise."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Physics(nn.Module):
    """``y = A(x) + noise`` for pictures x of shape (N, C, H, W) with values in [0, 1].

    A subclass defines :meth:`A` and, if measurements have another shape, :attr:`measurement_shape`; tensors that it
    needs on the device are buffers. Every physics is built from ``image_shape``, a ``generator`` for
    what is drawn once (a pixel mask, a matrix; most draw nothing), and its own settings by name.

    Args:
        image_shape: (C, H, W) of the pictures.
        generator: on the CPU; not used here.
        sigma: standard deviation of additive Gaussian noise, on the 0..255 scale.
        clip: whether a measurement is clipped to [0, 1], as a stored picture is.

    Raises:
        ValueError: on a shape that is not three positive numbers, or a negative sigma.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        generator: torch.Generator | None = None,
        sigma: float = 0.0,
        clip: bool = False,
    ) -> None:
        super().__init__()
        if len(image_shape) != 3 or min(image_shape) < 1:
            raise ValueError(f"image_shape must be (channels, height, width), not {tuple(image_shape)}")
        if isinstance(sigma, bool) or not isinstance(sigma, int | float) or not 0 <= sigma < float("inf"):
            raise ValueError(f"sigma must be a number of at least 0 (on the 0..255 scale), not {sigma!r}")
        if not isinstance(clip, bool):
            raise ValueError(f"clip must be true or false, not {clip!r}")
        self.image_shape: tuple[int, int, int] = (image_shape[0], image_shape[1], image_shape[2])
        self.sigma = sigma
        self.clip = clip

    @property
    def measurement_shape(self) -> tuple[int, int, int]:
        """(C, h, w) of a measurement; here the picture's own shape."""
        return self.image_shape

    def A(self, x: Tensor) -> Tensor:  # noqa: N802 - the paper's symbol
        """The forward operator: (N, *image_shape) to (N, *measurement_shape)."""
        raise NotImplementedError

    def A_adjoint(self, y: Tensor) -> Tensor:  # noqa: N802 - the paper's symbol
        """The adjoint, <A x, y> = <x, A_adjoint y>: A is linear, so it is A's vector-Jacobian product."""
        at = torch.zeros(y.shape[0], *self.image_shape, dtype=y.dtype, device=y.device)
        x: Tensor = torch.func.vjp(self.A, at)[1](y)[0]
        return x

    def measure(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """A noisy measurement of ``x``; the noise comes from ``generator`` (on ``x``'s device) alone."""
        y = self.A(x)
        if self.sigma:
            y = y + self.sigma / 255 * torch.randn(y.shape, dtype=y.dtype, device=y.device, generator=generator)
        return y.clamp(0, 1) if self.clip else y

    def received(self, y: Tensor) -> Tensor:
        """A given measurement, in the form that this physics would have produced (inpainting blanks unknown pixels)."""
        return y

    def loss(self, x_hat: Tensor, y: Tensor) -> Tensor:
        """``mean |A x_hat - y|^2`` over all values of the measurement; a scalar tensor.

        Inpainting's unknown pixels are zero on both sides and so enter only through the count, as in the public code.
        """
        return (self.A(x_hat) - y).square().mean()
