"""SNIP: a weight matters if removing it would change the loss."""

import torch
from torch import Tensor

from lipdip.pruning.context import Context, normalised


class Snip:
    """Score ``|g * w|`` with ``g`` the gradient of the task's loss; scores sum to 1.

    Source: Lee, Ajanthan & Torr, "SNIP: Single-shot Network Pruning based on Connection Sensitivity", ICLR 2019,
    equations 4 to 6.
    """

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape."""
        network, weights = context.copy()
        gradients = torch.autograd.grad(context.total_loss(network), list(weights.values()))
        pairs = zip(weights.items(), gradients, strict=True)
        return normalised({name: (gradient * weight.detach()).abs() for (name, weight), gradient in pairs})
