"""From scores to the next mask: the one cut that every pruner shares."""

from collections.abc import Callable

import torch
from torch import Tensor

from lipdip.core.check import choice
from lipdip.pruning.context import Context, WeightScores
from lipdip.pruning.top_k import keep_top_k
from lipdip.tickets.mask import Mask

Scorer = Callable[[Context], WeightScores]
EMPTY_LAYERS = ("stop", "keep_one", "allow")


class EmptiedLayerError(ValueError):
    """A cut that would leave a whole layer without a weight."""


def cut(scorer: Scorer, context: Context, empty_layers: str = "stop") -> Mask:
    """The mask of exactly ``context.keep`` weights inside ``context.mask``.

    A scorer with an attribute ``iterations`` is called that often, and each call shrinks the mask by the same ratio.

    Args:
        scorer: the scoring rule.
        context: what the scorer sees.
        empty_layers: what happens if a layer would lose its last weight: ``stop`` with an error, ``keep_one`` (the
            layer keeps its best-scored weight, at the cost of the worst one elsewhere), or ``allow``.

    Raises:
        EmptiedLayerError: if a layer would lose its last weight, and that is not allowed.
        ValueError: if a score is not finite.
    """
    choice("empty_layers", empty_layers, EMPTY_LAYERS)
    iterations: int = getattr(scorer, "iterations", 1)
    start, mask = context.mask.kept, context.mask
    for iteration in range(1, iterations + 1):
        keep = min(round(start * (context.keep / start) ** (iteration / iterations)), mask.kept)
        scores = scorer(context.with_mask(mask))
        mask = keep_top_k(_best_lifted(scores, mask) if empty_layers == "keep_one" else scores, mask, keep)
    emptied = [name for name, layer in mask.items() if not bool(layer.any())]
    if emptied and empty_layers != "allow":
        more = f" and {len(emptied) - 1} more" if len(emptied) > 1 else ""
        raise EmptiedLayerError(
            f"at sparsity {mask.sparsity:.3f} (round {context.round}) nothing would be left of the layer "
            f"{emptied[0]}{more}"
        )
    return mask


def _best_lifted(scores: WeightScores, mask: Mask) -> dict[str, Tensor]:
    """The scores, with each layer's best kept weight above all others; finite scores stay finite."""
    highest = max(score.max().item() for score in scores.values()) + 1
    lifted = {}
    for name, layer in mask.items():
        score = scores[name].detach().double().clone(memory_format=torch.contiguous_format)
        if bool(layer.any()):
            inside = torch.where(layer.to(score.device), score, -torch.inf)
            score.view(-1)[inside.argmax()] = highest
        lifted[name] = score
    return lifted
