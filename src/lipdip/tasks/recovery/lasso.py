"""Sparse recovery without any network: the Lasso in a cosine basis, the baseline of compressive sensing."""

import numpy as np
import torch
from scipy.fft import idctn
from torch import Tensor

from lipdip.pictures.problem import Problem

LARGEST = 64 * 64 * 3  # values of a picture; beyond it the dense design matrix grows too large


def lasso(problem: Problem, alpha: float = 1e-3) -> Tensor:
    """``min_c |y - A Phi c|^2 / (2 m) + alpha |c|_1`` with an orthonormal 2-D cosine basis Phi; the picture ``Phi c``.

    Solved by scikit-learn's coordinate descent. ``alpha`` is in units of the measurements' largest correlation with a
    basis function (1 gives the empty picture). Source: Tibshirani 1996; as a baseline: Bora et al., ICML 2017.

    Args:
        problem: any linear physics, of a picture of at most 64x64x3 values.
        alpha: weight of the penalty, in (0, 1].

    Returns:
        The picture, (1, C, H, W), on the scale that the measurement was taken on.

    Raises:
        ValueError: if the picture is larger.
    """
    from sklearn.linear_model import Lasso  # takes a second, which nothing else need wait for

    shape = problem.physics.image_shape
    size = int(np.prod(shape))
    if size > LARGEST:
        raise ValueError(f"the Lasso baseline takes pictures of at most {LARGEST} values, not {size}")
    basis = idctn(np.eye(size).reshape(size, *shape), axes=(2, 3), norm="ortho").astype(np.float32)
    design = problem.physics.A(torch.from_numpy(basis)).flatten(1).T.numpy()
    y = problem.y.flatten().numpy()
    known = np.abs(design).sum(1) > 0  # inpainting's unknown pixels measure nothing
    design, y = design[known], y[known]
    strongest = float(np.abs(design.T @ y).max()) / len(y)
    model = Lasso(alpha=alpha * strongest, fit_intercept=False, max_iter=5000, tol=1e-3).fit(design, y)
    picture = idctn(model.coef_.reshape(shape), axes=(1, 2), norm="ortho")
    return torch.from_numpy(picture.astype(np.float32))[None]
