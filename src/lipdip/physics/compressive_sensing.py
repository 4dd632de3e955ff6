"""Compressive sensing: a few random projections of a picture, some of them outliers."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from lipdip.core.check import FEATURES, LARGE, choice, number
from lipdip.core.seeds import stream
from lipdip.physics.base import Physics

OUTLIER_KINDS = ("rows", "values")


class CompressiveSensing(Physics):
    """``A(x) = M x`` with a Gaussian matrix M of ``measurements`` rows and variance ``1 / measurements``.

    An outlier's measurement is ``outlier_value`` whatever the picture; of kind ``rows`` its row of M is all ones as
    well, so that trusting it does the most harm. Source: Bora, Jalal, Price & Dimakis, "Compressed sensing using
    generative models", ICML 2017; outliers: Jalal, Liu, Dimakis & Caramanis, "Robust compressed sensing using
    generative models", NeurIPS 2020.

    The matrix is drawn once, in float32 and in place: at the paper's size, 1000 x 196,608, it takes 786 MB.

    Args:
        image_shape: (C, H, W).
        generator: on the CPU; draws the matrix, and which measurements are outliers. None: one made of ``seed``.
        measurements: rows of M.
        noise: standard deviation of the noise on a measurement, in units of the picture's own range.
        outliers: share of the measurements that are outliers, rounded to a whole number of them.
        outlier_value: the value of an outlier's measurement.
        outlier_kind: ``rows`` or ``values`` (the row stays, the measurement is wrong).
        seed: of the matrix, the outliers and the noise, where no generator is given.

    Raises:
        ValueError: on an invalid value.

    Example:
        >>> physics = CompressiveSensing((1, 8, 8), measurements=20, seed=1)
        >>> physics.measure(torch.rand(2, 1, 8, 8)).shape
        torch.Size([2, 1, 1, 20])
    """

    matrix: Tensor
    outlying: Tensor

    def __init__(
        self,
        image_shape: Sequence[int],
        generator: torch.Generator | None = None,
        measurements: int = 1000,
        noise: float = 0.01,
        outliers: float = 0.0,
        outlier_value: float = 10_000.0,
        outlier_kind: str = "rows",
        seed: int = 0,
    ) -> None:
        number("noise", noise, low=0, most=LARGE)
        number("measurements", measurements, low=1, most=10 * FEATURES, whole=True)
        number("outliers", outliers, low=0, below=1)
        number("outlier_value", outlier_value, low=-1e30, most=1e30)
        choice("outlier_kind", outlier_kind, OUTLIER_KINDS)
        super().__init__(image_shape, generator, sigma=255 * noise, seed=seed)
        generator = generator or stream(seed, "degradation")
        self.outlier_value = float(outlier_value)
        matrix = torch.empty(measurements, math.prod(self.image_shape)).normal_(generator=generator)
        matrix.mul_(1 / math.sqrt(measurements))
        count = math.floor(outliers * measurements + 0.5)
        outlying = torch.zeros(measurements, dtype=torch.bool)
        outlying[torch.randperm(measurements, generator=generator)[:count]] = True
        if outlier_kind == "rows":
            matrix[outlying] = 1.0
        self.register_buffer("matrix", matrix, persistent=False)
        self.register_buffer("outlying", outlying, persistent=False)
        self._drawn(generator)

    @property
    @override
    def measurement_shape(self) -> tuple[int, int, int]:
        return 1, 1, len(self.matrix)

    @override
    def A(self, x: Tensor) -> Tensor:
        return (x.flatten(1) @ self.matrix.to(x.dtype).T)[:, None, None, :]

    @override
    def A_adjoint(self, y: Tensor) -> Tensor:
        return (y.flatten(1) @ self.matrix.to(y.dtype)).view(-1, *self.image_shape)

    @override
    def preview(self, y: Tensor) -> None:
        """None: a row of projections is no picture."""

    @override
    def measure(self, x: Tensor, generator: torch.Generator | int | None = None) -> Tensor:
        """``M x`` with noise and outliers."""
        return torch.where(self.outlying, self.outlier_value, super().measure(x, generator))

    @override
    def consistent(self, x_hat: Tensor, y: Tensor) -> Tensor | None:
        """``x_hat`` with the same projections as the picture; None where some are outliers or too many."""
        solvable = len(self.matrix) < self.matrix.shape[1] and not bool(self.outlying.any())
        return self._projected(x_hat, y) if solvable else None
