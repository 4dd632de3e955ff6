"""What every kind of experiment has: a network, where it starts, how it is pruned, its hardware and its identity."""

from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig
from torch import Tensor, nn

from lipdip.configuration.build import blaming, build
from lipdip.configuration.pictures import whole
from lipdip.configuration.plan import plan_pruning
from lipdip.configuration.science import science
from lipdip.configuration.start import Given, start
from lipdip.training.experiment import Origin


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
        network: at its own initialisation; a given ticket's weights are put in.
        origin: where its weights are from, before a ticket.
        code: an input of it.
        given: the ticket to start from, if any.
        steps: of optimisation in a round.
        notes: what was done to pictures and data on the way.
        identity: what beside the configuration decides the numbers.

    Raises:
        UserError: if ticket or pruner cannot be.
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
        "notes": [*begin.notes, *notes],
    }
