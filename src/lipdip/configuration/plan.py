"""How a configuration's pruner climbs down: which weights may go, how many stay in each round, and who decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig
from torch import Tensor, nn

from lipdip.configuration.build import build
from lipdip.core.errors import UserError
from lipdip.core.mask import Mask
from lipdip.core.ticket import Ticket, weights_digest
from lipdip.lottery.schedule import ladder, ladder_to, target
from lipdip.lottery.stopping import rising
from lipdip.pruning.cut import EMPTY_LAYERS, Scorer
from lipdip.pruning.scope import ends, prunable
from lipdip.training.experiment import Pruning


@dataclass(frozen=True)
class Plan:
    """What ``plan_pruning`` found: a scorer or None, weights kept in each round, the rest, and the tickets given."""

    scorer: Scorer | None
    ladder: Sequence[int]
    pruning: Pruning
    tickets: Sequence[Ticket] = ()


def plan_pruning(node: DictConfig, network: nn.Module, code: Tensor, steps: int) -> Plan:
    """The plan that the configuration's ``pruner`` describes.

    Raises:
        UserError, ValueError: if a value makes no sense.
    """
    _check(node)
    weights = prunable(network, node.scope, code)
    total = sum(weight.numel() for weight in weights.values())
    if not node.scorer:
        return Plan(None, [total], Pruning(list(weights)))
    pruning = Pruning(
        scope=list(weights),
        trained=node.when == "training",
        rewind_step=_rewind_step(node.rewind, steps),
        clean=node.target == "clean",
        stop=node.stop,
        empty_layers=node.empty_layers,
        unmasked=ends(network, code)[0] if node.input_convs_stay_dense else (),
    )
    if "ticket" in node:
        tickets = _tickets(node, network)
        dense = Mask.dense(weights)
        masks = [dense, *(ticket.mask for ticket in tickets if ticket.mask.kept < ticket.mask.total)]
        kept = [mask.kept for mask in masks]
        return Plan(build(node.scorer, masks=masks), kept, pruning, tickets)
    # The public random baseline lists every convolution twice and so prunes twice a round.
    rate = 1 - (1 - node.rate) ** 2 if node.listed_twice else node.rate
    if node.sparsity is None:
        kept = ladder(total, rate, node.rounds)
    else:
        kept = ladder_to(total, rate, node.sparsity) if pruning.trained else [total, target(total, node.sparsity)]
    return Plan(build(node.scorer), kept, pruning)


def _check(node: DictConfig) -> None:
    choices = {
        "when": ("training", "initialisation"),
        "target": ("degraded", "clean"),
        "init": ("original", "reinit"),
        "empty_layers": EMPTY_LAYERS,
        "input_convs_stay_dense": (True, False),
        "listed_twice": (True, False),
    }
    for name, allowed in choices.items():
        if node[name] not in allowed:
            raise ValueError(f"{name} must be {' or '.join(map(str, allowed))}, not {node[name]!r}")
    if node.stop is not None:
        rising([], node.stop)


def _rewind_step(rewind: object, steps: int) -> int:
    if isinstance(rewind, bool) or not isinstance(rewind, int | float) or not 0 <= rewind <= steps:
        raise ValueError(f"rewind must be a step of the dense round up to {steps}, or a share of it, not {rewind!r}")
    if isinstance(rewind, int):
        return rewind
    if rewind >= 1:
        raise ValueError(f"rewind must be a whole step or a share below 1, not {rewind!r}")
    return round(rewind * steps)


def _tickets(node: DictConfig, network: nn.Module) -> list[Ticket]:
    """The tickets of a run directory, round by round, or the one of a file."""
    if node.ticket is None:
        raise UserError(f"pruner={node.name} needs pruner.ticket=PATH, a ticket file or a run directory")
    path = Path(node.ticket).expanduser()
    files = sorted((path / "tickets").glob("round_*.safetensors")) if path.is_dir() else [path]
    if not files:
        raise UserError(f"there are no tickets in {path}")
    tickets = [Ticket.load(file) for file in files]
    own = weights_digest(network.state_dict())
    if node.init == "original" and node.name == "ticket" and any(t.init["sha256"] != own for t in tickets):
        raise UserError(
            f"the ticket belongs to another initialisation (seed={tickets[0].init['seed']}); give that seed and the "
            "same model, or pruner=reinit to try its mask on new weights"
        )
    return tickets
