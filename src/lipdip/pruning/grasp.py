"""GraSP: keep the weights whose removal would lower the gradient flow."""

import torch
from torch import Tensor

from lipdip.pruning.context import Context, normalised


class Grasp:
    """Score ``(H g) * w``: the largest are kept, as in the public code; divided by the absolute value of their sum.

    The paper scores ``-(H g) * w`` and removes the largest; ``H g`` is the gradient of ``g . stop(g)``. Source:
    Wang, Zhang & Grosse, "Picking Winning Tickets Before Training by Preserving Gradient Flow", ICLR 2020, eq. 8.

    Args:
        temperature: divides the network's output before the loss. The public code, meant for logits, uses 200; a
            picture divided by 200 has no meaningful loss, so the default is 1.
    """

    def __init__(self, temperature: float = 1.0) -> None:
        if isinstance(temperature, bool) or not isinstance(temperature, int | float) or not temperature > 0:
            raise ValueError(f"temperature must be a positive number, not {temperature!r}")
        self.temperature = temperature

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape."""
        network, weights = context.copy()
        parameters = list(weights.values())
        loss = context.total_loss(network, self.temperature)
        gradients = torch.autograd.grad(loss, parameters, create_graph=True)
        flow = torch.stack([(gradient * gradient.detach()).sum() for gradient in gradients]).sum()
        curved = torch.autograd.grad(flow, parameters)
        pairs = zip(weights.items(), curved, strict=True)
        return normalised({name: product * weight.detach() for (name, weight), product in pairs}, epsilon=1e-10)
