"""Where an experiment starts: at a network's own initialisation, dense, or at a ticket that was found before."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from lipdip.core.errors import UserError
from lipdip.runs.contents import check_table
from lipdip.runs.matching import answer
from lipdip.runs.reading import read_base_rounds, read_summary
from lipdip.runs.rows import Round
from lipdip.tasks.configuration import Config, make
from lipdip.tickets.mask import Mask
from lipdip.tickets.redraw import redraw
from lipdip.tickets.scope import ends, prunable
from lipdip.tickets.ticket_file import Ticket, tensor_digests
from lipdip.tickets.transfer_mask import TransferredMask, transfer_mask

INITS = ("original", "reinit", "model")
GivenTicket = tuple[Path, Ticket] | None  # a ticket to start from, and its file


@dataclass(frozen=True)
class Start:
    """What round 0 begins with.

    Args:
        mask: over the network's prunable weights.
        own: True if no initial weight was taken from a ticket.
        identity: plain values that tell this start from others; None where the network starts dense, with own weights.
        notes: what was done with the ticket, for the user to know.
    """

    mask: Mask
    own: bool = True
    identity: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()


def given_ticket(config: Config) -> GivenTicket:
    """The ticket that ``ticket`` names, and its file; None where a run starts dense.

    Raises:
        UserError: if there is no such ticket, or the settings beside it do not go with it.
    """
    path, number, init = (config["ticket"][name] for name in ("path", "round", "init"))
    if init not in INITS:
        raise UserError(f"ticket.init must be {', '.join(INITS)}, not {init!r}")
    if path is None:
        if number is not None or init != "original":
            raise UserError(f"ticket.{'init' if number is None else 'round'} needs ticket=RUN_DIR beside it")
        return None
    if not isinstance(path, str) or not path:
        raise UserError(f"ticket must be the path of a ticket or of a run directory, not {path!r}")
    pruner = config["pruner"]
    if pruner.get("ticket") is not None:
        raise UserError(f"ticket= starts from a ticket, and pruner={pruner['name']} has its own: give one of them")
    file = ticket_file(Path(path), number)
    return file, Ticket.load(file)


def init_stream(config: Config, given: GivenTicket) -> str:
    """The name of the random stream that draws the network's own initial weights; never the ticket's for ``reinit``."""
    if given is not None and config["ticket"]["init"] == "reinit":
        return f"{given[1].init.get('stream', 'init')}/reinit"
    return "reinit" if config["pruner"]["init"] == "reinit" else "init"


def start(config: Config, network: nn.Module, code: Tensor, given: GivenTicket, pretrained: bool = False) -> Start:
    """Lay a ticket over ``network`` and give it that ticket's initial weights.

    Args:
        config: the whole configuration.
        network: at its own initialisation; changed in place.
        code: an input of the network.
        given: from :func:`given_ticket`.
        pretrained: whether ``network`` has a pretrained network's weights.

    Raises:
        UserError: if the ticket does not belong to this network.
    """
    weights = prunable(network, config["pruner"]["scope"], code)
    _check_weights(config, pretrained)
    if given is None:
        return Start(Mask.dense(weights))
    file, ticket = given
    applied = _applied(ticket, file, config["model"], network, weights, code)
    identity = {"mask": applied.mask.digest(), "init": config["ticket"]["init"]}
    if config["ticket"]["init"] == "reinit" and init_stream(config, given) != "init/reinit":
        identity["stream"] = init_stream(
            config, given
        )  # a ticket of reinitialised weights: the same mask, other weights
    own = tensor_digests(network.state_dict())
    if config["ticket"]["init"] == "original":
        if pretrained or ticket.pretrained is not None:
            _check_pretrained(file, ticket, own)
        network.load_state_dict({**network.state_dict(), **_transferred(ticket, config["model"], network)})
        digests = json.dumps(tensor_digests(network.state_dict()))
        identity["weights"] = hashlib.sha256(digests.encode()).hexdigest()
    unchanged = tensor_digests(network.state_dict()) == own
    return Start(applied.mask, unchanged, identity, _notes(file, ticket, applied, weights, config["ticket"]["init"]))


def ticket_file(path: Path, number: int | None = None) -> Path:
    """The ticket that ``path`` means: itself, or a run directory's answer (see ``runs.matching``), or that of a round.

    Raises:
        UserError: if there is none.
    """
    path = path.expanduser()
    if not path.is_dir():
        if number is not None:
            raise UserError(f"ticket.round chooses among the rounds of a run directory, and {path} is a file")
        return path
    check_table(path, "rounds.csv")
    rounds = read_base_rounds(path)
    if number is None:
        number = _answer(path, rounds)
        if number is None:
            raise UserError(f"no sparse ticket of {path} matches its dense network; choose one by ticket.round=NUMBER")
    there = [row.round for row in rounds]
    if isinstance(number, bool) or number not in there:
        raise UserError(f"{path} has rounds {min(there, default=0)} to {max(there, default=0)}, no round {number!r}")
    return path / "tickets" / f"round_{number:02d}.safetensors"


def _answer(run: Path, rounds: Sequence[Round]) -> int | None:
    """The round that a run names; its summary knows of scores, which are not among the columns that all runs have."""
    try:
        named: int | None = read_summary(run)["answer"]
    except (UserError, KeyError):  # it is not finished
        found = answer(rounds)
        return None if found is None else found.round
    return named


def _applied(
    ticket: Ticket, file: Path, model: Config, network: nn.Module, weights: Mapping[str, Tensor], code: Tensor
) -> TransferredMask:
    first, last = ends(network, code)
    try:
        return transfer_mask(ticket.mask, weights, first if last is None else first | {last})
    except ValueError as error:
        raise UserError(f"{file} does not fit this network: {error}{_needed(ticket, model)}") from None


def _needed(ticket: Ticket, model: Config) -> str:
    """What to say on the command line to get the ticket's network, where that can be known."""
    target, settings = str(ticket.architecture.get("target", "")), ticket.architecture.get("settings")
    groups = {"Hourglass": "hourglass", "Classifier": "hourglass", "DeepDecoder": "deep_decoder", "Generator": "pggan"}
    group = groups.get(target.rpartition(".")[2])
    if group is None or not isinstance(settings, dict):
        return f"; it was found on {target or 'an unknown network'}"
    same = str(model["_target_"]).rpartition(".")[2] in [name for name, own in groups.items() if own == group]
    needed = {name: value for name, value in settings.items() if name in ("channels", "scales", "skip_channels")}
    words = [] if same else [f"model={group}"]
    words += [f"model.{name}={value}" for name, value in needed.items() if model.get(name) != value]
    return f"; it needs {' '.join(words)}" if words else ""


def _check_weights(config: Config, pretrained: bool) -> None:
    """Refuse settings that do not fit the weights, pretrained or not, that the run's network has."""
    if pretrained and (config["ticket"]["init"] == "reinit" or config["pruner"]["init"] == "reinit"):
        raise UserError(
            "the weights of a pretrained network are not drawn anew; ticket.init=model lays a ticket's mask on them"
        )
    if not pretrained and config["ticket"]["init"] == "model":
        raise UserError("ticket.init=model is for a pretrained network (model.path); give original or reinit")


def _check_pretrained(file: Path, ticket: Ticket, own: Mapping[str, str]) -> None:
    """Refuse a ticket without weights of its own on other pretrained weights than those that it was found on."""
    if ticket.weights is not None or dict(ticket.init["tensors"]) == dict(own):
        return
    if ticket.pretrained is None:
        raise UserError(f"{file} was found on a network without training; ticket.init=model takes its mask alone")
    raise UserError(
        f"{file} belongs to the pretrained network {ticket.pretrained}, and this run has other weights; give "
        f"model.path={ticket.pretrained} or where that lies now, or ticket.init=model to take its mask alone"
    )


def _transferred(ticket: Ticket, model: Config, network: nn.Module) -> dict[str, Tensor]:
    """The ticket's initial weights, for all layers whose weight has the same shape in both networks."""
    if ticket.pretrained is not None:
        return {}  # they are here already
    foreign = model["_target_"] == ticket.architecture.get("target") and not model["_target_"].startswith(
        "lipdip.networks."
    )
    own = {model["_target_"]: lambda **settings: make(model, "model", **settings)} if foreign else {}
    state, here = ticket.start() or redraw(ticket, own), network.state_dict()

    def fits(name: str) -> bool:
        weight = f"{name.rpartition('.')[0]}.weight"
        pairs = [(state.get(one), here.get(one)) for one in (name, weight) if one in state or one in here]
        return all(a is not None and b is not None and a.shape == b.shape for a, b in pairs)

    return {name: tensor for name, tensor in state.items() if fits(name)}


def _notes(
    file: Path, ticket: Ticket, applied: TransferredMask, weights: Mapping[str, Tensor], init: str
) -> tuple[str, ...]:
    found = ticket.provenance.get("picture")
    where = f", found on {found}" if isinstance(found, str) else ""
    with_ = {
        "original": "its own initial weights",
        "reinit": "new weights (ticket.init=reinit)",
        "model": "the pretrained weights of this run (ticket.init=model)",
    }[init]
    notes = [f"started from {file}: sparsity {ticket.mask.sparsity:.3f}{where}, with {with_}"]
    outside = [n for n in applied.left_out if (n in weights) != (n in ticket.mask)]
    other = [name for name in applied.left_out if name not in outside]
    if other:
        notes.append(f"of another shape in the ticket, and so dense and with own weights here: {', '.join(other)}")
    if outside:
        notes.append(f"in one of ticket and run only, and so without the ticket's mask: {', '.join(outside)}")
    return tuple(notes)
