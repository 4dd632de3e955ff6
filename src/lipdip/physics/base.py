"""What every physics is: a forward operator on pictures of one shape, with its adjoint and its noise."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lipdip.core.check import LARGE, flag, number
from lipdip.core.seeds import stream


class Physics(nn.Module):
    """``y = A(x) + noise`` for pictures x of shape (N, C, H, W) with values in [0, 1].

    A subclass defines :meth:`A` and, if measurements have another shape, :attr:`measurement_shape`; tensors that it
    needs on the device are buffers. Every physics is built from ``image_shape``, a ``generator`` for
    what is drawn once (a pixel mask, a matrix; most draw nothing), and its own settings by name.

    Args:
        image_shape: (C, H, W) of the pictures.
        generator: on the CPU, for what is drawn once; None: one made of ``seed``, as a command makes it of
            ``task.seed``. Nothing is drawn here.
        sigma: standard deviation of additive Gaussian noise, on the 0..255 scale.
        clip: whether a measurement is clipped to [0, 1], as a stored picture is.
        seed: of what is drawn once, and of the noise, where no generator is given.

    Raises:
        ValueError: on a shape that is not three positive numbers, or a negative sigma.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        generator: torch.Generator | None = None,
        sigma: float = 0.0,
        clip: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if len(image_shape) != 3 or min(image_shape) < 1:
            raise ValueError(f"image_shape must be (channels, height, width), not {tuple(image_shape)}")
        number("sigma", sigma, low=0, most=255 * LARGE)
        flag("clip", clip)
        number("seed", seed, whole=True)
        self.image_shape: tuple[int, int, int] = (image_shape[0], image_shape[1], image_shape[2])
        self.sigma = sigma
        self.clip = clip
        self.seed = seed
        self._state: Tensor | None = None  # of the generator after what was drawn once: the noise goes on from there

    @property
    def measurement_shape(self) -> tuple[int, ...]:
        """Shape of one measurement, for lipdip's own physics (C, h, w); here the picture's own."""
        return self.image_shape

    def A(self, x: Tensor) -> Tensor:  # noqa: N802 - the paper's symbol
        """The forward operator: (N, *image_shape) to (N, *measurement_shape)."""
        raise NotImplementedError

    def A_adjoint(self, y: Tensor) -> Tensor:  # noqa: N802 - the paper's symbol
        """The adjoint, <A x, y> = <x, A_adjoint y>: A is linear, so it is A's vector-Jacobian product."""
        at = torch.zeros(y.shape[0], *self.image_shape, dtype=y.dtype, device=y.device)
        x: Tensor = torch.func.vjp(self.A, at)[1](y)[0]
        return x

    def measure(self, x: Tensor, generator: torch.Generator | int | None = None) -> Tensor:
        """A noisy measurement of ``x``; ``physics(x)`` is the same.

        Args:
            x: (N, *image_shape).
            generator: the noise comes from it alone; on ``x``'s device. A number is the seed of one. None: the noise
                is ``seed``'s, every time the same, and what a command with that ``task.seed`` measures on a CPU.

        Returns:
            (N, *measurement_shape).
        """
        y = self.A(x)
        if self.sigma:
            noise = torch.randn(y.shape, dtype=y.dtype, device=y.device, generator=self._noise(generator, y.device))
            y = y + self.sigma / 255 * noise
        return y.clamp(0, 1) if self.clip else y

    def forward(self, x: Tensor, generator: torch.Generator | int | None = None) -> Tensor:
        """:meth:`measure`, as a physics of deepinv is called."""
        return self.measure(x, generator)

    def loss(self, x_hat: Tensor, y: Tensor) -> Tensor:
        """``mean |A x_hat - y|^2`` over all values of the measurement, on the scale of ``y``: a scalar tensor."""
        residual = self.A(x_hat) - y
        return (residual.abs() if residual.is_complex() else residual).square().mean()

    @property
    def exact(self) -> bool:
        """Whether measurements have no noise, so that a restored picture should have the very same ones."""
        return self.sigma == 0

    def consistent(self, x_hat: Tensor, y: Tensor) -> Tensor | None:
        """The picture next to ``x_hat`` whose measurement is ``y``: known pixels are kept, a reduced picture is met.

        That is the solution of ``A x = y`` with the least ``|x - x_hat|``. Its values may lie outside [0, 1].

        Args:
            x_hat: (1, *image_shape).
            y: (1, *measurement_shape).

        Returns:
            (1, *image_shape) of ``x_hat``'s dtype; here None: for this physics there is no such picture, or the small
            errors of a measurement would grow large in it.
        """
        return None

    def _projected(self, x_hat: Tensor, y: Tensor, steps: int = 200, tolerance: float = 1e-10) -> Tensor:
        """:meth:`consistent` for a linear ``A`` of full row rank, by conjugate gradients on ``A A^T u = y - A x_hat``.

        Source: Hestenes & Stiefel, 1952; of iterated back-projection this is the limit (Irani & Peleg, 1991).
        """
        wide = x_hat.double()
        residual = y.double() - self.A(wide)
        solution, direction, squared = torch.zeros_like(residual), residual, residual.square().sum()
        enough = tolerance**2 * max(float(squared), float(y.double().square().sum()))
        for _ in range(steps):
            if float(squared) <= enough:
                break
            image = self.A(self.A_adjoint(direction))
            length = squared / (direction * image).sum()
            solution, residual = solution + length * direction, residual - length * image
            before, squared = squared, residual.square().sum()
            direction = residual + squared / before * direction
        return (wide + self.A_adjoint(solution)).to(x_hat.dtype)

    def received(self, y: Tensor) -> Tensor:
        """A given measurement, in the form that this physics would have produced (inpainting blanks unknown pixels)."""
        return y

    def preview(self, y: Tensor) -> Tensor | None:
        """A picture of the measurement ``y`` (1, *measurement_shape): here y itself. None: there is none."""
        return y

    def _drawn(self, generator: torch.Generator) -> None:
        """What is drawn once has been drawn from ``generator``: noise without a generator goes on from here."""
        self._state = generator.get_state()

    def _noise(self, generator: torch.Generator | int | None, device: torch.device) -> torch.Generator:
        """The generator, on ``device``, that ``measure`` was asked to draw from."""
        if isinstance(generator, torch.Generator):
            return generator
        if generator is None and self._state is not None and device.type == "cpu":
            return torch.Generator().set_state(self._state)
        return stream(self.seed if generator is None else generator, "degradation", device)
