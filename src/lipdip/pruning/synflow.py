"""SynFlow: uses no data; a weight matters by the flow through all paths that contain it."""

import torch
from torch import Tensor

from lipdip.core.check import STEPS, number
from lipdip.networks.protocol import logits_of
from lipdip.pruning.context import Context


class SynFlow:
    """Score ``w dR/dw`` of ``R = sum f(1)`` with all parameters replaced by their absolute values.

    Scored before the sigmoid, with BatchNorm in eval mode and in float64: on the hourglass a sigmoid makes every
    score zero, and float32 overflows. Pruned in ``iterations`` steps on an exponential schedule.

    Source: Tanaka, Kunin, Yamins & Ganguli, "Pruning neural networks without any data by iteratively conserving
    synaptic flow", NeurIPS 2020, Algorithm 1.

    Args:
        z: an input of the network, of which the shape alone counts; the task's codes by default.
        iterations: cuts on the way to the mask, each scored anew.

    Example:
        >>> from lipdip.pruning.prune import prune
        >>> prune(torch.nn.Linear(6, 2), SynFlow(torch.ones(1, 6)), keep=0.5).kept
        6
    """

    when = "initialisation"

    def __init__(self, z: Tensor | None = None, iterations: int = 100) -> None:
        number("iterations", iterations, low=1, most=STEPS, whole=True)
        self.z = z
        self.iterations = iterations

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape, float64, at least 0."""
        context = context.seen_with(None, self.z)
        network, weights = context.copy(torch.float64)
        network.eval()
        with torch.no_grad():
            for tensor in (*network.parameters(), *network.buffers()):
                tensor.abs_()
        logits, codes = logits_of(network), [term.code for term in context.loss_terms]
        flow = torch.stack([logits(torch.ones_like(code).double()).sum() for code in codes]).sum()
        gradients = torch.autograd.grad(flow, list(weights.values()), materialize_grads=True)
        pairs = zip(weights.items(), gradients, strict=True)
        return {name: (gradient * weight.detach()).abs() for (name, weight), gradient in pairs}
