"""What sparsity alone hides: where the weights are gone, what is dead, what is left of the arithmetic."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lipdip.core.mask import Mask
from lipdip.pruning.scope import convolutions


@dataclass(frozen=True)
class Layer:
    """One convolution under a mask.

    ``dead_channels``: output channels that keep no weight and so give a constant. ``flops``: of one forward pass, a
    multiplication and an addition for each weight and place; ``flops_kept``: counted over kept weights alone.
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
        network: left as it is.
        mask: of some or all of its convolutions.
        code: an input, for the sizes of the feature maps.
        number: the round that the rows are of.
    """
    positions = _positions(network, code)
    rows = []
    for name, conv in convolutions(network).items():
        kept = mask[name] if name in mask else torch.ones_like(conv.weight, dtype=torch.bool)
        count, each = int(kept.sum()), 2 * positions[name]
        dead = int((~kept.flatten(1).any(1)).sum())
        total = conv.weight.numel()
        rows.append(
            Layer(number, name, total, count, count / total, conv.out_channels, dead, each * total, each * count)
        )
    return rows


def _positions(network: nn.Module, code: Tensor) -> dict[str, int]:
    """How many places each convolution is applied at, seen in one forward pass in eval mode."""
    seen: dict[str, int] = {}

    def watch(name: str) -> object:
        def look(_: nn.Module, __: tuple[Tensor, ...], output: Tensor) -> None:
            seen[name] = seen.get(name, 0) + output.shape[-2] * output.shape[-1]

        return look

    hooks = [conv.register_forward_hook(watch(name)) for name, conv in convolutions(network).items()]  # type: ignore[arg-type]
    training = network.training
    try:
        with torch.no_grad():
            network.eval()(code)
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return seen
