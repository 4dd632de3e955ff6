"""Masks taken from tickets: a ticket's own, or random ones with a ticket's density in every layer."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lipdip.pruning.context import Context
from lipdip.tickets.mask import Mask


class Given:
    """Score 1 for weights that the ticket of that round keeps, 0 for others: the cut gives the ticket's own mask.

    Args:
        masks: of rounds 0, 1, ...
    """

    def __init__(self, masks: Sequence[Mask]) -> None:
        self._masks = masks

    def __call__(self, context: Context) -> dict[str, Tensor]:
        """Scores by weight name, each of its weight's shape.

        Raises:
            ValueError: if the round's mask is of other weights.
        """
        mask = self._masks[context.round]
        if {name: layer.shape for name, layer in mask.items()} != {n: layer.shape for n, layer in context.mask.items()}:
            raise ValueError("the ticket is of another network, or of another pruner.scope")
        return {name: self._scores(layer, context.generator) for name, layer in mask.items()}

    def _scores(self, kept: Tensor, generator: torch.Generator) -> Tensor:
        return kept.float()


class RandomLayerwise(Given):
    """Random scores, such that each layer keeps as many weights as the ticket of that round (the paper's Fig. 15)."""

    def _scores(self, kept: Tensor, generator: torch.Generator) -> Tensor:
        drawn = torch.rand(kept.numel(), generator=generator)
        lifted = drawn.clone()
        lifted[drawn.argsort(descending=True)[: int(kept.sum())]] += 1  # above all others
        return lifted.view(kept.shape)
