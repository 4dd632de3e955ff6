"""Pruning anybody's module in one call."""

import math

from torch import Tensor, nn

from lipdip.core.check import number
from lipdip.core.seeds import stream
from lipdip.networks.protocol import unwrapped
from lipdip.pruning.context import Context, LossTerm, no_loss
from lipdip.pruning.cut import Scorer, cut
from lipdip.tickets.mask import Mask
from lipdip.tickets.scope import prunable


def prune(
    module: nn.Module,
    scorer: Scorer,
    keep: float = 0.2,
    *,
    mask: Mask | None = None,
    scope: str = "all",
    inputs: Tensor | None = None,
    empty_layers: str = "stop",
    seed: int = 0,
) -> Mask:
    """Choose which weights of a module to keep, and set the others to zero in place.

    Training brings them back; :meth:`lipdip.tickets.mask.Mask.held` keeps them at zero.

    Args:
        module: any module; the weights of its convolutions and linear layers can be pruned.
        scorer: the rule, such as ``Magnitude()`` or ``Snip(loss, z)``.
        keep: a float is the fraction of all prunable weights, a whole number a count: ``1.0`` is all, ``1`` a single
            one. A fraction is rounded to the nearest count, a half down.
        mask: prune further inside this one; all weights by default.
        scope: ``all`` layers, or ``inner``: without those that read the input and the last one; only without ``mask``.
        inputs: an input of the module, for ``inner`` and for a rule that has none of its own; layers that it does not
            pass through are left out.
        empty_layers: if a layer would lose its last weight, ``stop`` with an error, ``keep_one``, or ``allow`` it.
        seed: of whatever the rule draws.

    Returns:
        The mask, of exactly that many weights, by parameter name.

    Raises:
        ValueError: if a setting makes no sense for this module, a score is not finite, or a layer would be emptied;
            the module is then as it was.

    Example:
        >>> from lipdip.pruning.magnitude import Magnitude
        >>> module = nn.Sequential(nn.Conv1d(2, 5, 3), nn.ReLU(), nn.ConvTranspose1d(5, 2, 3))
        >>> mask = prune(module, Magnitude(), keep=0.25)
        >>> mask.kept, mask.total, sum(int((p != 0).sum()) for n, p in module.named_parameters() if n in mask)
        (15, 60, 15)
    """
    module = unwrapped(module)
    start = mask if mask is not None else Mask.dense(prunable(module, scope, inputs))
    start.check(module)
    terms = [] if inputs is None else [LossTerm(inputs, no_loss)]
    context = Context(module, start, terms, _count(keep, start), 1, stream(seed, "pruning"))
    found = cut(scorer, context, empty_layers)
    found.apply_to(module)
    return found


def _count(keep: float, mask: Mask) -> int:
    if isinstance(keep, float):
        number("keep", keep, above=0, high=1)
        count = math.ceil(keep * mask.total - 0.5)
    else:
        number("keep", keep, low=1, whole=True)
        count = keep
    if not 0 < count <= mask.kept:
        raise ValueError(f"keep={keep} is {count} weights, and there are {mask.kept} to choose from")
    return count
