"""What a code is searched by: how far a generator's pictures are from the measurements, robust or not."""

from torch import Tensor

OBJECTIVES = ("mse", "l1", "median_of_means")


def mean_squares(residual: Tensor) -> Tensor:
    """Mean of squared residuals (N, m), one number for each picture, (N,)."""
    return residual.square().mean(1)


def mean_absolutes(residual: Tensor) -> Tensor:
    """Mean of absolute residuals (N, m), one number for each picture, (N,)."""
    return residual.abs().mean(1)


def block_means(values: Tensor, permutation: Tensor, block: int) -> Tensor:
    """Means of ``values`` (N, m), shuffled, over blocks of ``block``, (N, m // block); a rest is left out."""
    count = values.shape[1] // block
    return values[:, permutation[: count * block]].view(-1, count, block).mean(2)


def median_of_means(residual_f: Tensor, residual_g: Tensor, permutation: Tensor, block: int) -> Tensor:
    """The tournament of two candidates f and g: the median over blocks of the mean of ``r_f^2 - r_g^2``.

    Gradients reach the one block that is the median (the lower of two). Minimised over f and maximised over g.
    Source: Jalal, Liu, Dimakis & Caramanis, "Robust compressed sensing using generative models", NeurIPS 2020.

    Args:
        residual_f: ``y - A G(z_f)``, (N, m).
        residual_g: ``y - A G(z_g)``, (N, m).
        permutation: of the m measurements.
        block: measurements in a block.

    Returns:
        One number for each of the N pictures, (N,).
    """
    means = block_means(residual_f.square() - residual_g.square(), permutation, block)
    return means.median(1).values


def median_squares(residual: Tensor) -> Tensor:
    """The median of squared residuals (N, m), (N,): compares restarts where fewer than half of them are outliers."""
    return residual.square().median(1).values
