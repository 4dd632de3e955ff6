"""From scores to the next mask: the one cut that every pruner shares."""

from collections.abc import Callable, Mapping

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
        ValueError: if the scorer gives anything but a finite number for each weight.
    """
    choice("empty_layers", empty_layers, EMPTY_LAYERS)
    iterations: int = getattr(scorer, "iterations", 1)
    start, mask = context.mask.kept, context.mask
    for iteration in range(1, iterations + 1):
        keep = min(round(start * (context.keep / start) ** (iteration / iterations)), mask.kept)
        scores = _checked(scorer(context.with_mask(mask)), mask, scorer)
        mask = keep_top_k(_best_lifted(scores, mask) if empty_layers == "keep_one" else scores, mask, keep)
    emptied = [name for name, layer in mask.items() if not bool(layer.any())]
    if emptied and empty_layers != "allow":
        more = f" and {len(emptied) - 1} more" if len(emptied) > 1 else ""
        raise EmptiedLayerError(
            f"at sparsity {mask.sparsity:.3f} (round {context.round}) nothing would be left of the layer "
            f"{emptied[0]}{more}"
        )
    return mask


def _checked(scores: object, mask: Mask, scorer: Scorer) -> WeightScores:
    """What a scorer gave, if it is a number for each weight."""
    name = getattr(scorer, "__name__", type(scorer).__name__)
    wants = f"the scoring rule {name} must give a mapping from each parameter's name to a tensor of scores"
    if not isinstance(scores, Mapping):
        raise ValueError(f"{wants}, not a {type(scores).__name__}")
    missing = [own for own in mask if own not in scores]
    if missing:
        raise ValueError(f"{wants}; it gave none for {missing[0]}")
    for own, layer in mask.items():
        score = scores[own]
        if not isinstance(score, Tensor) or score.is_complex():
            what = f"a tensor of {score.dtype}" if isinstance(score, Tensor) else f"a {type(score).__name__}"
            raise ValueError(f"{wants}; for {own} it gave {what}")
        if score.shape != layer.shape:
            raise ValueError(f"{wants}; for {own} it gave {tuple(score.shape)} where {tuple(layer.shape)} is the shape")
    return scores


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
