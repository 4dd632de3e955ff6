"""The one cut that every pruner shares: keep exactly k weights, the best-scored of those still there."""

from collections.abc import Mapping

import torch
from torch import Tensor

from lipdip.tickets.mask import Mask


def keep_top_k(scores: Mapping[str, Tensor], mask: Mask, k: int) -> Mask:
    """The mask of exactly ``k`` weights inside ``mask`` with the highest scores, over all layers together.

    Ties are broken by position (the earlier layer and weight stays), so the count is exact and the choice
    the same on every device.

    Raises:
        ValueError: if ``k`` is not in 0..mask.kept, the names differ, or a score of a kept weight is not finite.
    """
    if list(scores) != list(mask):
        raise ValueError("the scores and the mask name different weights")
    if not 0 <= k <= mask.kept:
        raise ValueError(f"cannot keep {k} of {mask.kept} weights")
    kept = torch.cat([mask[name].flatten().cpu() for name in mask])
    flat = torch.cat([scores[name].detach().flatten().cpu().double() for name in mask])
    if not bool(torch.isfinite(flat[kept]).all()):
        bad = next(name for name in mask if not bool(torch.isfinite(scores[name].cpu()[mask[name].cpu()]).all()))
        raise ValueError(f"the scores of {bad} are not finite")
    candidates = kept.nonzero().squeeze(1)
    order = torch.argsort(flat[candidates], descending=True, stable=True)
    chosen = torch.zeros_like(kept)
    chosen[candidates[order[:k]]] = True
    pieces = torch.split(chosen, [layer.numel() for layer in mask.values()])
    return Mask({name: piece.view_as(mask[name]) for name, piece in zip(mask, pieces, strict=True)})
