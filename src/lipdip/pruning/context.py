"""What a scorer may look at: a copy of the network, its fits, and the weights that may be pruned."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from lipdip.tickets.mask import Mask


@dataclass(frozen=True)
class Fit:
    """One image's part in the loss.

    Args:
        code: ``z``, (1, C, h, w).
        loss: from an output ``f(z)`` to the task's own loss, through its physics; a scalar tensor.
    """

    code: Tensor
    loss: Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Context:
    """The situation in which weights are scored.

    Args:
        network: the prior; scorers work on a :meth:`copy` only, so that its weights and buffers do not change.
        mask: the current mask, over every weight that may be pruned.
        fits: one for each image.
        keep: how many weights the next mask will keep.
        round: the number of the round that the next mask is for.
        generator: on the CPU; in the same state at every call of one run.
    """

    network: nn.Module
    mask: Mask
    fits: Sequence[Fit]
    keep: int
    round: int
    generator: torch.Generator = field(default_factory=torch.Generator)

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights that may be pruned, detached, times the mask."""
        named = dict(self.network.named_parameters())
        return {name: named[name].detach() * kept.to(named[name].device) for name, kept in self.mask.items()}

    def copy(self, dtype: torch.dtype | None = None) -> tuple[nn.Module, dict[str, nn.Parameter]]:
        """A copy of the network with masked weights, and its parameters that may be pruned, by name."""
        network = copy.deepcopy(self.network).to(dtype=dtype)
        parameters = dict(network.named_parameters())
        with torch.no_grad():
            for name, kept in self.mask.items():
                parameters[name].mul_(kept.to(parameters[name].device))
        return network, {name: parameters[name] for name in self.mask}

    def total_loss(self, network: nn.Module, temperature: float = 1.0) -> Tensor:
        """The sum of all images' losses of ``network``'s outputs, each divided by ``temperature``."""
        return torch.stack([fit.loss(network(fit.code) / temperature) for fit in self.fits]).sum()

    def with_mask(self, mask: Mask) -> "Context":
        """The same situation with another mask."""
        return replace(self, mask=mask)


Scores = Mapping[str, Tensor]


def normalised(scores: Scores, epsilon: float = 0.0) -> dict[str, Tensor]:
    """The scores divided by the absolute value of their sum over all layers (plus ``epsilon``); the order stays."""
    total = torch.stack([score.sum() for score in scores.values()]).sum().abs() + epsilon
    return {name: score / total for name, score in scores.items()}
