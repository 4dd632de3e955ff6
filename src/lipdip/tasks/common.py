"""What every kind of experiment has: a network, where it starts, how it is pruned, its hardware and its identity."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig
from torch import Tensor, nn

from lipdip.fit.experiment import Origin
from lipdip.tasks.build import blaming, build
from lipdip.tasks.pruning_plan import plan_pruning
from lipdip.tasks.science import science
from lipdip.tasks.sources import whole
from lipdip.tasks.starting_point import Given, start


def common(
    cfg: DictConfig,
    network: nn.Module,
    origin: Origin,
    code: Tensor,
    given: Given,
    steps: int,
    notes: Sequence[str],
    **identity: Any,
) -> dict[str, Any]:
    """The arguments that all subclasses of :class:`~lipdip.training.experiment.Experiment` share.

    Args:
        cfg: the whole configuration.
        network: at its own initialisation; the weights of a given ticket are copied into it.
        origin: where the network's weights are from, before a ticket is laid over it.
        code: an input of the network.
        given: the ticket to start from, if any.
        steps: optimisation steps of a round.
        notes: what was done to pictures and data on the way.
        identity: parts of the run's identity that the configuration alone does not give, such as a picture's hash.

    Raises:
        UserError: if the ticket does not fit the network, or a setting of the pruner makes no sense.
    """
    hardware, seed = build(cfg.trainer), whole(cfg, "seed")
    with blaming(cfg.pruner):
        begin = start(cfg, network, code, given, pretrained=origin.pretrained is not None)
        pruning, tickets = plan_pruning(cfg.pruner, network, code, begin.mask, steps)
    return {
        "network": network,
        "origin": origin.after(begin.own),
        "pruning": pruning,
        "hardware": hardware,
        "seed": seed,
        "configuration": science(cfg, begin, tickets, **identity),
        "notes": [*begin.notes, *_unused(cfg.pruner), *notes],
    }


def _unused(pruner: DictConfig) -> list[str]:
    """A note where a rule for ending rounds was given to a run that has only one."""
    if pruner.scorer is not None or pruner.stop is None:
        return []
    return [f"pruner.stop={pruner.stop} changes nothing: pruner={pruner.name} has one round"]
