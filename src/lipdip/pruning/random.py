"""Random: the control that every other rule has to beat."""

import torch
from torch import Tensor

from lipdip.pruning.context import Context


class Random:
    """Random scores over all layers together, drawn once for the whole run, so that masks are nested.

    Example:
        >>> from lipdip.pruning.prune import prune
        >>> prune(torch.nn.Linear(4, 5), Random(), keep=3, seed=1).kept
        3
    """

    when = "initialisation"

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores in [0, 1) by weight name, each of its weight's shape, on the CPU."""
        return {name: torch.rand(kept.shape, generator=context.generator) for name, kept in context.mask.items()}
