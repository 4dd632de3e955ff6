"""What a scorer may look at: a copy of the network, the terms of its loss, and the weights that may be pruned."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from lipdip.tickets.mask import Mask

Loss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class LossTerm:
    """One image's part in the loss.

    Args:
        code: ``z``, (1, C, h, w), or any other input of the network.
        loss: from an output ``f(z)`` to the task's own loss, through its physics; a scalar tensor.
    """

    code: Tensor
    loss: Loss


@dataclass(frozen=True)
class Context:
    """The situation in which weights are scored.

    Args:
        network: the prior; scorers work on a :meth:`copy` only, so that its weights and buffers do not change.
        mask: the current mask, over every weight that may be pruned.
        loss_terms: one for each image.
        keep: how many weights the next mask will keep.
        round: the number of the round that the next mask is for.
        generator: on the CPU; in the same state at every call of one run.
    """

    network: nn.Module
    mask: Mask
    loss_terms: Sequence[LossTerm]
    keep: int
    round: int
    generator: torch.Generator = field(default_factory=torch.Generator)

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights that may be pruned, detached, times the mask."""
        named = dict(self.network.named_parameters(remove_duplicate=False))
        return {name: named[name].detach() * kept.to(named[name].device) for name, kept in self.mask.items()}

    def copy(self, dtype: torch.dtype | None = None) -> tuple[nn.Module, dict[str, nn.Parameter]]:
        """A copy of the network with masked weights, and its parameters that may be pruned, by name."""
        network = copy.deepcopy(self.network).to(dtype=dtype)
        parameters = dict(network.named_parameters(remove_duplicate=False))
        with torch.no_grad():
            for name, kept in self.mask.items():
                parameters[name].requires_grad_(True).mul_(kept.to(parameters[name].device))
        return network, {name: parameters[name] for name in self.mask}

    def total_loss(self, network: nn.Module, temperature: float = 1.0) -> Tensor:
        """The sum of all images' losses of ``network``'s outputs, each divided by ``temperature``."""
        return torch.stack([term.loss(network(term.code) / temperature) for term in self.loss_terms]).sum()

    def with_mask(self, mask: Mask) -> "Context":
        """The same situation with another mask."""
        return replace(self, mask=mask)

    def seen_with(self, loss: Loss | None, z: Tensor | None) -> "Context":
        """The same situation with a scorer's own loss or input in place of the task's, where it has one.

        Raises:
            ValueError: if then there is no input at all.
        """
        terms = self.loss_terms
        if z is not None:
            terms = [LossTerm(z, no_loss)]
        if loss is not None:
            terms = [LossTerm(term.code, loss) for term in terms]
        if not terms:
            raise ValueError("this rule needs an input: give it one as z, or inputs= to prune")
        return replace(self, loss_terms=terms)


def no_loss(output: Tensor) -> Tensor:
    """The loss where none was given: only rules that do not ask for it can do without."""
    raise ValueError("this rule needs a loss: give it one, from the network's output to a scalar")


WeightScores = Mapping[str, Tensor]


def normalised(scores: WeightScores, epsilon: float = 0.0) -> dict[str, Tensor]:
    """The scores divided by the absolute value of their sum over all layers (plus ``epsilon``); the order stays.

    Where that sum is zero, as for a network without any gradient, the scores stay as they are.
    """
    total = torch.stack([score.sum() for score in scores.values()]).sum().abs() + epsilon
    total = torch.where(total == 0, 1, total)
    return {name: score / total for name, score in scores.items()}
