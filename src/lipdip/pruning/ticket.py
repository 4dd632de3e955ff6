"""Masks that are given: a ticket's own, or by lot with a ticket's density in every layer."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lipdip.core.mask import Mask
from lipdip.pruning.context import Context


class _FromMasks:
    """A scorer that goes by given masks, one for each round.

    Args:
        masks: of rounds 0, 1, ...
    """

    def __init__(self, masks: Sequence[Mask]) -> None:
        self._masks = masks

    def _mask(self, context: Context) -> Mask:
        mask = self._masks[context.round]
        shapes = {name: tuple(layer.shape) for name, layer in mask.items()}
        if shapes != {name: tuple(layer.shape) for name, layer in context.mask.items()}:
            raise ValueError("the ticket is of another network, or of another pruner.scope")
        return mask


class Given(_FromMasks):
    """Score 1 for what the ticket of that round keeps and 0 for the rest: the cut then gives the ticket's own mask."""

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape."""
        return {name: layer.float() for name, layer in self._mask(context).items()}


class RandomLayerwise(_FromMasks):
    """Score by lot, so that every layer keeps as many weights as the ticket of that round (the paper's Fig. 15)."""

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape: a layer's best are lifted above all others."""
        return {name: self._scores(layer, context.generator) for name, layer in self._mask(context).items()}

    @staticmethod
    def _scores(layer: Tensor, generator: torch.Generator) -> Tensor:
        lot = torch.rand(layer.numel(), generator=generator)
        lifted = lot.clone()
        lifted[lot.argsort(descending=True)[: int(layer.sum())]] += 1
        return lifted.view(layer.shape)
