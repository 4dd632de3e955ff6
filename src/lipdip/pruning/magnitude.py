"""Magnitude: the larger a weight is, the more it matters. After training this is IMP's rule."""

from torch import Tensor

from lipdip.pruning.context import Context


class Magnitude:
    """Score ``|w|``, compared over all layers together.

    Source: Frankle & Carbin, "The Lottery Ticket Hypothesis", ICLR 2019; the paper's Algorithm 1.

    Example:
        >>> import torch
        >>> from lipdip.pruning.prune import prune
        >>> module = torch.nn.Linear(4, 1)
        >>> _ = module.weight.data.copy_(torch.tensor([[3.0, -4.0, 1.0, 2.0]]))
        >>> prune(module, Magnitude(), keep=0.5)["weight"]
        tensor([[ True,  True, False, False]])
    """

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape."""
        return {name: weight.abs() for name, weight in context.weights.items()}
