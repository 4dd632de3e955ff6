"""What sparsity alone hides: which layers lose weights, which channels are dead, how much arithmetic is left."""

from collections import Counter
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lipdip.tickets.mask import Mask
from lipdip.tickets.scope import PrunableLayer, TransposedLayer, layers, uses


@dataclass(frozen=True)
class Layer:
    """One convolution or linear layer under a mask.

    ``dead_channels``: output channels (of a linear layer, outputs) that keep no weight and so are constant.
    ``flops``: of one forward pass, a multiplication and an addition for each weight and place; ``flops_kept``: of kept
    weights only.
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
    """A row for every prunable layer, in the network's order; a layer outside the mask keeps all its weights.

    Args:
        network: is not changed.
        mask: of some or all of these layers.
        code: an input, from which the sizes of the feature maps follow.
        number: the number of the round.
    """
    places = Counter[str]()
    for use in uses(network, code):
        places[use.name] += use.places
    rows = []
    for name, layer in layers(network).items():
        kept = mask[name] if name in mask else torch.ones_like(layer.weight, dtype=torch.bool)
        count, each = int(kept.sum()), 2 * places[name]
        alive, total = _alive(layer, kept), kept.numel()
        dead = alive.numel() - int(alive.sum())
        rows.append(Layer(number, name, total, count, count / total, alive.numel(), dead, each * total, each * count))
    return rows


def _alive(layer: PrunableLayer, kept: Tensor) -> Tensor:
    """Whether an output channel keeps any weight."""
    if isinstance(layer, TransposedLayer):  # (inputs, outputs of a group, ...): the groups lie one behind the other
        return kept.view(layer.groups, -1, *kept.shape[1:]).transpose(1, 2).flatten(2).any(2).flatten()
    return kept.flatten(1).any(1)
