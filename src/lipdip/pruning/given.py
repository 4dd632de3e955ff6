"""Masks taken from tickets: a ticket's own, or random ones with a ticket's density in every layer."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lipdip.pruning.context import Context
from lipdip.tickets.mask import Mask


class _FromMasks:
    """A scorer that follows given masks, one for each round.

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
    """Score 1 for weights that the ticket of that round keeps, 0 for others: the cut gives the ticket's own mask."""

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape."""
        return {name: layer.float() for name, layer in self._mask(context).items()}


class RandomLayerwise(_FromMasks):
    """Random scores, such that each layer keeps as many weights as the ticket of that round (the paper's Fig. 15)."""

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape; those to keep are above all others."""
        return {name: self._scores(layer, context.generator) for name, layer in self._mask(context).items()}

    @staticmethod
    def _scores(layer: Tensor, generator: torch.Generator) -> Tensor:
        lot = torch.rand(layer.numel(), generator=generator)
        lifted = lot.clone()
        lifted[lot.argsort(descending=True)[: int(layer.sum())]] += 1
        return lifted.view(layer.shape)
