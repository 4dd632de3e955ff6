"""Compressive sensing: a few random projections of a picture, some of them outliers."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

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
        generator: on the CPU; draws the matrix, and which measurements are outliers.
        measurements: rows of M.
        noise: standard deviation of the noise on a measurement, in units of the picture's own range.
        outliers: share of the measurements that are outliers, rounded to a whole number of them.
        outlier_value: the value of an outlier's measurement.
        outlier_kind: ``rows`` or ``values`` (the row stays, the measurement is wrong).

    Raises:
        ValueError: on an invalid value.
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
    ) -> None:
        if isinstance(noise, bool) or not isinstance(noise, int | float) or not 0 <= noise < math.inf:
            raise ValueError(f"noise must be a number of at least 0, not {noise!r}")
        super().__init__(image_shape, generator, sigma=255 * noise)
        if isinstance(measurements, bool) or not isinstance(measurements, int) or measurements < 1:
            raise ValueError(f"measurements must be a whole number of at least 1, not {measurements!r}")
        if isinstance(outliers, bool) or not isinstance(outliers, int | float) or not 0 <= outliers < 1:
            raise ValueError(f"outliers must be a share of the measurements in [0, 1), not {outliers!r}")
        if isinstance(outlier_value, bool) or not isinstance(outlier_value, int | float):
            raise ValueError(f"outlier_value must be a number, not {outlier_value!r}")
        if outlier_kind not in OUTLIER_KINDS:
            raise ValueError(f"outlier_kind must be {' or '.join(OUTLIER_KINDS)}, not {outlier_kind!r}")
        if generator is None:
            raise ValueError("a generator is needed to draw the matrix")
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
    def measure(self, x: Tensor, generator: torch.Generator) -> Tensor:
        """``M x`` with noise and outliers."""
        return torch.where(self.outlying, self.outlier_value, super().measure(x, generator))
