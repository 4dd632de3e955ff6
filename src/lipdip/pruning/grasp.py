"""GraSP: keep the weights whose removal would lower the gradient flow."""

import torch
from torch import Tensor

from lipdip.core.check import LARGE, number
from lipdip.pruning.context import Context, Loss, normalised


class Grasp:
    """Score ``(H g) * w``: the largest are kept, as in the public code; divided by the absolute value of their sum.

    The paper scores ``-(H g) * w`` and removes the largest; ``H g`` is the gradient of ``g . stop(g)``. Source:
    Wang, Zhang & Grosse, "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR 2020, eq. 8.

    Args:
        loss: from the network's output to a scalar; that of the task by default.
        z: an input of the network; the task's codes by default.
        temperature: divides the network's output before the loss. The public code, meant for logits, uses 200; a
            picture divided by 200 has no meaningful loss, so the default is 1.

    Example:
        >>> from lipdip.pruning.prune import prune
        >>> module, x = torch.nn.Linear(6, 2), torch.ones(1, 6)
        >>> prune(module, Grasp(lambda output: output.square().sum(), x), keep=0.5).kept
        6
    """

    when = "initialisation"

    def __init__(self, loss: Loss | None = None, z: Tensor | None = None, temperature: float = 1.0) -> None:
        number("temperature", temperature, above=0, most=LARGE)
        self.loss = loss
        self.z = z
        self.temperature = temperature

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape."""
        context = context.seen_with(self.loss, self.z)
        network, weights = context.copy()
        parameters = list(weights.values())
        loss = context.total_loss(network, self.temperature)
        gradients = torch.autograd.grad(loss, parameters, create_graph=True, materialize_grads=True)
        flow = torch.stack([(gradient * gradient.detach()).sum() for gradient in gradients]).sum()
        curved = torch.autograd.grad(flow, parameters, materialize_grads=True)
        pairs = zip(weights.items(), curved, strict=True)
        return normalised({name: product * weight.detach() for (name, weight), product in pairs}, epsilon=1e-10)
