"""SynFlow: uses no data; a weight matters by the flow through all paths that contain it."""

import torch
from torch import Tensor, nn

from lipdip.core.check import STEPS, choice, number
from lipdip.networks.protocol import logits_of
from lipdip.pruning.context import Context


class SynFlow:
    """Score ``w dR/dw`` of ``R = sum f(1)`` with all parameters replaced by their absolute values.

    Scored before the sigmoid, with BatchNorm in eval mode and in float64: on the hourglass a sigmoid makes every
    score zero, and float32 overflows. Pruned in ``iterations`` steps on an exponential schedule.

    Source: Tanaka, Kunin, Yamins & Ganguli, "Pruning neural networks without any data by iteratively conserving
    synaptic flow", NeurIPS 2020, Algorithm 1.

    Args:
        z: an input of the network, of which the shape alone counts if ``input`` is ``ones``; by default the codes.
        iterations: cuts on the way to the mask, each scored anew.
        statistics: what BatchNorm normalises by: ``running`` averages, which at the initialisation are 0 and 1 and so
            change nothing, as published; or ``batch``, those of the very input, as while training. With the former
            activations grow at every convolution, and hardly any flow goes through a short path, such as a skip.
        input: ``ones``, as published, or the ``code`` itself. Over a picture of ones there is no batch to normalise.

    Example:
        >>> from lipdip.pruning.prune import prune
        >>> prune(torch.nn.Linear(6, 2), SynFlow(torch.ones(1, 6)), keep=0.5).kept
        6
    """

    when = "initialisation"

    def __init__(
        self, z: Tensor | None = None, iterations: int = 100, statistics: str = "running", input: str = "ones"
    ) -> None:
        number("iterations", iterations, low=1, most=STEPS, whole=True)
        choice("statistics", statistics, ("running", "batch"))
        choice("input", input, ("ones", "code"))
        self.z = z
        self.iterations = iterations
        self.statistics, self.input = statistics, input

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape, float64, at least 0."""
        context = context.seen_with(None, self.z)
        network, weights = context.copy(torch.float64)
        network.eval()
        with torch.no_grad():
            for tensor in (*network.parameters(), *network.buffers()):
                tensor.abs_()
        if self.statistics == "batch":
            for module in network.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.train()
        logits, codes = logits_of(network), [term.code.double() for term in context.loss_terms]
        inputs = [torch.ones_like(code) for code in codes] if self.input == "ones" else codes
        flow = torch.stack([logits(one).sum() for one in inputs]).sum()
        gradients = torch.autograd.grad(flow, list(weights.values()), materialize_grads=True)
        pairs = zip(weights.items(), gradients, strict=True)
        return {name: (gradient * weight.detach()).abs() for (name, weight), gradient in pairs}
