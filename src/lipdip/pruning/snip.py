"""SNIP: a weight matters if removing it would change the loss."""

import torch
from torch import Tensor

from lipdip.pruning.context import Context, Loss, normalised


class Snip:
    """Score ``|g * w|`` with ``g`` the gradient of the task's loss; scores sum to 1.

    Source: Lee, Ajanthan & Torr, "SNIP: Single-shot Network Pruning based on Connection Sensitivity", ICLR 2019,
    equations 4 to 6.

    Args:
        loss: from the network's output to a scalar; that of the task by default.
        z: an input of the network; the task's codes by default.

    Example:
        >>> from lipdip.pruning.prune import prune
        >>> module, x = torch.nn.Linear(6, 2), torch.ones(1, 6)
        >>> prune(module, Snip(lambda output: output.square().sum(), x), keep=0.5).kept
        6
    """

    when = "initialisation"

    def __init__(self, loss: Loss | None = None, z: Tensor | None = None) -> None:
        self.loss = loss
        self.z = z

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape."""
        context = context.seen_with(self.loss, self.z)
        network, weights = context.copy()
        gradients = torch.autograd.grad(context.total_loss(network), list(weights.values()), materialize_grads=True)
        pairs = zip(weights.items(), gradients, strict=True)
        return normalised({name: (gradient * weight.detach()).abs() for (name, weight), gradient in pairs})
