"""Applying a mask found on one network to another of nearly the same shape."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from torch import Tensor

from lipdip.tickets.mask import Mask


@dataclass(frozen=True)
class TransferredMask:
    """A mask applied to another network.

    Args:
        mask: over all of the network's prunable weights; dense where the original has no layer.
        taken: names of the layers that take the original's mask.
        left_out: names of the layers at the ends, of either network, that have no counterpart in the other.
    """

    mask: Mask
    taken: tuple[str, ...]
    left_out: tuple[str, ...]


def transfer_mask(mask: Mask, weights: Mapping[str, Tensor], ends: Collection[str]) -> TransferredMask:
    """Apply ``mask`` to ``weights``, layer by layer where names and shapes agree.

    Only layers at the ends may differ, and then stay dense: the convolutions that read the input, whose number of
    channels is the code's or the picture's, and the last one, which has the picture's channels or is replaced by a
    classifier's head.

    Args:
        mask: the mask found, in its own network's order.
        weights: the other network's prunable weights, by name.
        ends: of those, the names that read the input or give the output.

    Raises:
        ValueError: if any other layer differs, or none agrees.
    """
    taken = tuple(name for name in weights if name in mask and mask[name].shape == weights[name].shape)
    left_out = tuple(name for name in dict.fromkeys([*mask, *weights]) if name not in taken)
    last = list(mask)[-1]
    for name in left_out:
        if name not in ends and not (name == last and name not in weights):
            here = tuple(weights[name].shape) if name in weights else "not there"
            there = tuple(mask[name].shape) if name in mask else "not there"
            raise ValueError(f"the layer {name} is {there} in the ticket and {here} here")
    if not taken:
        raise ValueError("the ticket and this network have no layer in common")
    dense = Mask.dense(weights)
    mask = Mask({name: mask[name] if name in taken else dense[name] for name in weights})
    return TransferredMask(mask, taken, left_out)
