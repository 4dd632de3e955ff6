"""SynFlow: uses no data; a weight matters by the flow through all paths that contain it."""

import torch
from torch import Tensor

from lipdip.pruning.context import Context


class SynFlow:
    """Score ``w dR/dw`` of ``R = sum f(1)`` with all parameters replaced by their absolute values.

    Scored before the sigmoid, with BatchNorm in eval mode and in float64: on the hourglass a sigmoid makes every
    score zero, and float32 overflows. Pruned in ``iterations`` steps on an exponential schedule.

    Source: Tanaka, Kunin, Yamins & Ganguli, "Pruning neural networks without any data by iteratively conserving
    synaptic flow", NeurIPS 2020, Algorithm 1.
    """

    def __init__(self, iterations: int = 100) -> None:
        if isinstance(iterations, bool) or not isinstance(iterations, int) or iterations < 1:
            raise ValueError(f"iterations must be a whole number of at least 1, not {iterations!r}")
        self.iterations = iterations

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape, float64, at least 0."""
        network, weights = context.copy(torch.float64)
        network.eval()
        with torch.no_grad():
            for tensor in (*network.parameters(), *network.buffers()):
                tensor.abs_()
        before_sigmoid = getattr(network, "logits", network)
        flow = torch.stack([before_sigmoid(torch.ones_like(fit.code).double()).sum() for fit in context.fits]).sum()
        gradients = torch.autograd.grad(flow, list(weights.values()))
        pairs = zip(weights.items(), gradients, strict=True)
        return {name: (gradient * weight.detach()).abs() for (name, weight), gradient in pairs}
