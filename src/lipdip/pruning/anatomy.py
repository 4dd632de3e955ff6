"""What sparsity alone hides: which layers lose weights, which channels are dead, how much arithmetic is left."""

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lipdip.tickets.mask import Mask
from lipdip.tickets.scope import convolutions, uses


@dataclass(frozen=True)
class Layer:
    """One convolution under a mask.

    ``dead_channels``: output channels that keep no weight and so are constant. ``flops``: of one forward pass, a
    multiplication and an addition for each weight and place; ``flops_kept``: of kept weights only.
    """

    round: int
    layer: str
    weights: int
    kept: int
    density: float
    channels: int
    dead_channels: int
    flops: int
    flops_kept: int


def anatomy(network: nn.Module, mask: Mask, code: Tensor, number: int = 0) -> list[Layer]:
    """A row for every convolution, in the network's order; a layer outside the mask keeps all its weights.

    Args:
        network: is not changed.
        mask: of some or all of its convolutions.
        code: an input, from which the sizes of the feature maps follow.
        number: the number of the round.
    """
    places = Counter[str]()
    for use in uses(network, code):
        places[use.name] += use.places
    rows = []
    for name, conv in convolutions(network).items():
        kept = mask[name] if name in mask else torch.ones_like(conv.weight, dtype=torch.bool)
        count, each = int(kept.sum()), 2 * places[name]
        dead = int((~kept.flatten(1).any(1)).sum())
        total = conv.weight.numel()
        rows.append(
            Layer(number, name, total, count, count / total, conv.out_channels, dead, each * total, each * count)
        )
    return rows
