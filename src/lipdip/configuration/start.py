"""Where an experiment starts: at a network's own initialisation, dense, or at a ticket that was found before."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from torch import Tensor, nn

from lipdip.configuration.build import build
from lipdip.core.errors import UserError
from lipdip.core.mask import Mask
from lipdip.core.records import read_rounds
from lipdip.core.ticket import Ticket, tensor_digests
from lipdip.lottery.matching import most_sparse_matching
from lipdip.lottery.redraw import redraw
from lipdip.networks import Classifier
from lipdip.pruning.scope import ends, prunable
from lipdip.pruning.transfer import Laid, lay


@dataclass(frozen=True)
class Start:
    """What round 0 begins with.

    Args:
        mask: over the network's prunable weights.
        drawn: whether all initial weights were drawn from the run's own seed.
        identity: plain values that tell this start from another, or None for a network's own dense one.
        notes: what was done, for the user to know.
    """

    mask: Mask
    drawn: bool = True
    identity: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


def init_stream(cfg: DictConfig) -> str:
    """Name of the stream of the network's own initial weights: another where others than a ticket's are wanted."""
    again = cfg.pruner.init == "reinit" or (cfg.ticket.path is not None and cfg.ticket.init == "reinit")
    return "reinit" if again else "init"


def start(cfg: DictConfig, network: nn.Module, code: Tensor) -> Start:
    """Lay the ticket that ``cfg.ticket`` names over ``network`` and give it that ticket's initial weights.

    Args:
        cfg: the whole configuration.
        network: at its own initialisation; changed in place.
        code: an input of the network.

    Raises:
        UserError: if there is no such ticket, or it does not belong to this network.
    """
    node = cfg.ticket
    weights = prunable(network, cfg.pruner.scope, code)
    if node.path is None:
        if node.round is not None:
            raise UserError("ticket.round needs ticket=RUN_DIR beside it")
        return Start(Mask.dense(weights))
    if node.init not in ("original", "reinit"):
        raise UserError(f"ticket.init must be original or reinit, not {node.init!r}")
    if cfg.pruner.get("ticket") is not None:
        raise UserError(f"ticket= starts from a ticket, and pruner={cfg.pruner.name} has its own: give one of them")
    file = ticket_file(Path(str(node.path)), node.round)
    ticket = Ticket.load(file)
    laid = _laid(ticket, file, cfg.model, network, weights, code)
    identity = {"mask": laid.mask.digest(), "init": node.init}
    if node.init == "original":
        transferred = _transferred(ticket, laid, cfg.model, network)
        network.load_state_dict({**network.state_dict(), **transferred})
        digests = json.dumps(tensor_digests(network.state_dict()))
        identity["weights"] = hashlib.sha256(digests.encode()).hexdigest()
    own = node.init == "reinit" or (ticket.init["seed"] == cfg.seed and not laid.left_out and ticket.weights is None)
    return Start(laid.mask, own, identity, _notes(file, ticket, laid, node.init))


def ticket_file(path: Path, number: int | None = None) -> Path:
    """The ticket that ``path`` means: itself, or a run directory's most sparse matching one, or that of a round.

    Raises:
        UserError: if there is none.
    """
    path = path.expanduser()
    if not path.is_dir():
        if number is not None:
            raise UserError(f"ticket.round chooses among the rounds of a run directory, and {path} is a file")
        return path
    rounds = read_rounds(path)
    if number is None:
        winner = most_sparse_matching(rounds)
        if winner is None:
            raise UserError(f"no sparse ticket of {path} matches its dense network; choose one by ticket.round=NUMBER")
        number = winner.round
    there = [row.round for row in rounds]
    if isinstance(number, bool) or number not in there:
        raise UserError(f"{path} has rounds {min(there, default=0)} to {max(there, default=0)}, no round {number!r}")
    return path / "tickets" / f"round_{number:02d}.safetensors"


def _laid(
    ticket: Ticket, file: Path, model: DictConfig, network: nn.Module, weights: Mapping[str, Tensor], code: Tensor
) -> Laid:
    first, last = ends(network, code)
    loose = first if isinstance(network, Classifier) else first | {last}
    try:
        return lay(ticket.mask, weights, loose)
    except ValueError as error:
        raise UserError(f"{file} does not fit this network: {error}{_needed(ticket, model)}") from None


def _needed(ticket: Ticket, model: DictConfig) -> str:
    """What to say on the command line to get the ticket's network, where that can be known."""
    target, settings = str(ticket.network.get("target", "")), ticket.network.get("settings") or {}
    groups = {"Hourglass": "hourglass", "Classifier": "hourglass", "DeepDecoder": "deep_decoder"}
    group = groups.get(target.rpartition(".")[2])
    if group is None:
        return f"; it was found on {target or 'an unknown network'}"
    here = {name: value for name, value in settings.items() if name in ("channels", "scales", "skip_channels")}
    values = [f"model.{name}={value}" for name, value in here.items() if model.get(name) != value]
    return "; it needs " + " ".join([f"model={group}", *values])


def _transferred(ticket: Ticket, laid: Laid, model: DictConfig, network: nn.Module) -> dict[str, Tensor]:
    """The ticket's initial weights, for all tensors that both networks have but those of layers left out."""
    own = {} if model._target_ != ticket.network.get("target") else {model._target_: lambda **s: build(model, **s)}
    state = ticket.start() or redraw(ticket, own)
    shut = {name.removesuffix("weight") for name in laid.left_out}
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    return {
        name: tensor
        for name, tensor in state.items()
        if shapes.get(name) == tensor.shape and not any(name.startswith(layer) for layer in shut)
    }


def _notes(file: Path, ticket: Ticket, laid: Laid, init: str) -> tuple[str, ...]:
    found = ticket.provenance.get("picture")
    where = f", found on {found}" if found else ""
    weights = "its own initial weights" if init == "original" else "new weights (ticket.init=reinit)"
    notes = [f"started from {file}: sparsity {ticket.mask.sparsity:.3f}{where}, with {weights}"]
    if laid.left_out:
        notes.append(f"left out, since shapes differ at the ends: {', '.join(laid.left_out)}; here these stay dense")
    return tuple(notes)
