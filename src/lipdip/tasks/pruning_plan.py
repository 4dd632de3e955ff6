"""From a configuration's pruner to a plan: which weights may be pruned, how many stay in each round, and which rule
chooses them.
"""

from pathlib import Path

from omegaconf import DictConfig
from torch import Tensor, nn

from lipdip.core.errors import UserError
from lipdip.fit.experiment import Pruning
from lipdip.pruning.cut import EMPTY_LAYERS
from lipdip.pruning.schedule import ladder, ladder_to, target
from lipdip.runs.rising import rising
from lipdip.tasks.build import build
from lipdip.tickets.mask import Mask
from lipdip.tickets.scope import ends
from lipdip.tickets.ticket_file import Ticket, tensor_digests


def plan_pruning(
    node: DictConfig, network: nn.Module, code: Tensor, start: Mask, steps: int
) -> tuple[Pruning, list[Ticket]]:
    """What the configuration's ``pruner`` describes, and the tickets that it was given.

    Args:
        node: the configuration's ``pruner``.
        network: at its initialisation.
        code: an input of it.
        start: the mask of round 0.
        steps: of optimisation in a round.

    Raises:
        UserError, ValueError: if a value makes no sense.
    """
    _check(node)
    unmasked = ends(network, code)[0] if node.input_convs_stay_dense else set[str]()
    if not node.scorer:
        return Pruning(start, [start.kept], None, unmasked=unmasked), []
    tickets = _tickets(node, network) if "ticket" in node else []
    if tickets:
        masks = [start, *(ticket.mask for ticket in tickets if ticket.mask.sparsity > 0)]
        kept, scorer = [mask.kept for mask in masks], build(node.scorer, masks=masks)
    else:
        kept, scorer = _ladder(node, start), build(node.scorer)
    pruning = Pruning(
        start=start,
        ladder=kept,
        scorer=scorer,
        trained=node.when == "training",
        rewind_step=_rewind_step(node.rewind, steps),
        clean=node.target == "clean",
        stop=node.stop,
        empty_layers=node.empty_layers,
        unmasked=unmasked,
    )
    return pruning, tickets


def _ladder(node: DictConfig, start: Mask) -> list[int]:
    # The public random baseline lists every convolution twice and so prunes twice a round.
    rate = 1 - (1 - node.rate) ** 2 if node.listed_twice else node.rate
    if node.sparsity is None:
        return ladder(start.kept, rate, node.rounds)
    last = target(start.total, node.sparsity)
    if last >= start.kept:
        raise ValueError(f"sparsity={node.sparsity} is no more than the {start.sparsity:.3f} that the run starts with")
    return ladder_to(start.kept, rate, last) if node.when == "training" else [start.kept, last]


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


def _rewind_step(rewind: object, steps: int) -> int | None:
    if rewind == "never":
        return None
    if isinstance(rewind, bool) or not isinstance(rewind, int | float) or not 0 <= rewind <= steps:
        raise ValueError(
            f"rewind must be a step of the first round up to {steps}, a share of it, or never, not {rewind!r}"
        )
    if isinstance(rewind, int):
        return rewind
    if rewind >= 1:
        raise ValueError(f"rewind must be a whole step or a share below 1, not {rewind!r}")
    return round(rewind * steps)


def _tickets(node: DictConfig, network: nn.Module) -> list[Ticket]:
    """All tickets of a run directory in the order of its rounds, or the one ticket of a file."""
    if node.ticket is None:
        raise UserError(f"pruner={node.name} needs pruner.ticket=PATH, a ticket file or a run directory")
    path = Path(node.ticket).expanduser()
    files = sorted((path / "tickets").glob("round_*.safetensors")) if path.is_dir() else [path]
    if not files:
        raise UserError(f"there are no tickets in {path}")
    tickets = [Ticket.load(file) for file in files]
    own = tensor_digests(network.state_dict())
    if node.init == "original" and node.name == "ticket" and any(t.init["tensors"] != own for t in tickets):
        raise UserError(
            f"the ticket belongs to another initialisation (seed={tickets[0].init['seed']}); give that seed and the "
            "same model, or pruner=reinit to try its mask on new weights, or ticket=PATH pruner=none to bring its own"
        )
    return tickets
