"""Masks that are given: a ticket's own, or by lot with a ticket's density in every layer."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lipdip.core.mask import Mask
from lipdip.pruning.context import Context


def _fits(mask: Mask, context: Context) -> Mask:
    shapes = {name: tuple(layer.shape) for name, layer in mask.items()}
    if shapes != {name: tuple(layer.shape) for name, layer in context.mask.items()}:
        raise ValueError("the ticket is of another network, or of another pruner.scope")
    return mask


class Given:
    """Score 1 for what the ticket of that round keeps and 0 for the rest: the cut then gives the ticket's own mask.

    Args:
        masks: of rounds 0, 1, ...
    """

    def __init__(self, masks: Sequence[Mask]) -> None:
        self.masks = masks

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape."""
        mask = _fits(self.masks[context.round], context)
        return {name: layer.float() for name, layer in mask.items()}


class RandomLayerwise:
    """Score by lot, so that every layer keeps as many weights as the ticket of that round does (the paper's Fig. 15).

    Args:
        masks: of rounds 0, 1, ...
    """

    def __init__(self, masks: Sequence[Mask]) -> None:
        self.masks = masks

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape: a layer's best are lifted above all others."""
        mask = _fits(self.masks[context.round], context)
        return {name: self._scores(layer, context.generator) for name, layer in mask.items()}

    @staticmethod
    def _scores(layer: Tensor, generator: torch.Generator) -> Tensor:
        lot = torch.rand(layer.numel(), generator=generator)
        lifted = lot.clone()
        lifted[lot.argsort(descending=True)[: int(layer.sum())]] += 1
        return lifted.view(layer.shape)
