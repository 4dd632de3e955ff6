"""A ticket's network, built again, and its initialisation, redrawn from its seed."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from lipdip import networks
from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded
from lipdip.tickets.mask import Mask
from lipdip.tickets.sealed import tensor_digests


class Described(Protocol):
    """What of a ticket says how its network is built; see :class:`~lipdip.tickets.ticket_file.Ticket`."""

    @property
    def mask(self) -> Mask: ...  # noqa: D102

    @property
    def architecture(self) -> Mapping[str, Any]: ...  # noqa: D102

    @property
    def init(self) -> Mapping[str, Any]: ...  # noqa: D102

    @property
    def pretrained(self) -> str | None: ...  # noqa: D102

    def start(self) -> dict[str, Tensor] | None: ...  # noqa: D102


def redraw(ticket: Described, more: Mapping[str, Callable[..., nn.Module]] | None = None) -> dict[str, Tensor]:
    """The weights that the ticket's training starts from: the network's whole state, nothing masked.

    Only lipdip's own networks and those in ``more`` are built; a name in the ticket is looked up among them, never
    imported.

    Args:
        ticket: the ticket.
        more: other networks that the caller trusts, by the name that tickets give them.

    Raises:
        UserError: if the weights do not come from a seed, the network is unknown, or other weights are drawn here.
    """
    if ticket.pretrained is not None:
        raise UserError(f"the ticket's initial weights are those of the pretrained network {ticket.pretrained}")
    seed, stream = ticket.init["seed"], ticket.init.get("stream")
    if seed is None or not isinstance(stream, str):
        raise UserError("the ticket's initial weights do not come from a seed: they cannot be drawn again")
    _check_fit(ticket, more or {})
    other: list[str] = []
    for how in ("portable", "torch", "unfused"):  # the latter two for tickets from before there was the first
        with default_generator_seeded(seed, stream, how):
            state: dict[str, Tensor] = _network(ticket, more or {}).state_dict()
        other = [name for name, digest in tensor_digests(state).items() if ticket.init["tensors"][name] != digest]
        if not other:
            return state
    raise UserError(
        f"this machine draws other weights from seed {seed} than the one that made the ticket ({len(other)} of "
        f"{len(state)} tensors differ): that one had another torch (here {torch.__version__}), or a processor on which "
        "torch rounds otherwise; export or pack the ticket there"
    )


def rebuilt(ticket: Described, kind: Callable[..., nn.Module] | None = None) -> nn.Module:
    """The ticket's network with the weights that its training starts from, masked; draws nothing from torch's streams.

    Args:
        ticket: the ticket.
        kind: the network's class, where it is not lipdip's own.

    Raises:
        UserError: if it cannot be built, does not fit the ticket, or its weights are neither in the file nor a seed's.
    """
    more = {} if kind is None else {str(ticket.architecture.get("target")): kind}
    state = ticket.start()
    if state is None:
        state = redraw(ticket, more)
    else:
        _check_fit(ticket, more)
        whole = {name: tensor for name, tensor in state.items() if name not in ticket.mask}
        if any(ticket.init["tensors"][name] != digest for name, digest in tensor_digests(whole).items()):
            raise UserError("the ticket's weights are not those that its digests name")
    with torch.random.fork_rng(devices=[]):
        network = _network(ticket, more)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise UserError(f"the ticket's weights do not fit its network: {' '.join(str(error).split())}") from None
    ticket.mask.apply_to(network)
    return network


def _check_fit(ticket: Described, more: Mapping[str, Callable[..., nn.Module]]) -> None:
    """Refuse a ticket whose network is unknown, or has other tensors than the ticket names."""
    target = ticket.architecture.get("target")
    try:
        with torch.device("meta"):  # names and shapes alone, so that no setting asks for memory
            planned = _network(ticket, more).state_dict()
    except RecursionError:
        raise UserError(f"the ticket's network, {target}, is nested too deeply to be built") from None
    fits = all(name in planned and planned[name].shape == layer.shape for name, layer in ticket.mask.items())
    if not fits or set(planned) != set(ticket.init["tensors"]):
        raise UserError(f"the ticket's mask does not fit the network that it names, {target}")


def _network(ticket: Described, more: Mapping[str, Callable[..., nn.Module]]) -> nn.Module:
    target: Any = ticket.architecture.get("target")
    own = more.get(target) if isinstance(target, str) and target in more else _own(target)
    if own is None:
        raise UserError(
            f"the ticket's network, {target}, is not lipdip's own: only its maker can draw its weights again"
        )
    try:
        network: nn.Module = own(**ticket.architecture["settings"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        what = " ".join(str(error).split())
        raise UserError(f"the ticket's network, {target}, cannot be built: {what}") from None
    return network


def _own(target: object) -> Callable[..., nn.Module] | None:
    """One of lipdip's own networks, by its public name or as ``lipdip.networks.FILE.CLASS``; None: it is none."""
    parts = str(target).split(".")
    if parts[:2] != ["lipdip", "networks"] or len(parts) not in (3, 4):
        return None
    if len(parts) == 3:
        return getattr(networks, parts[2]) if parts[2] in networks.__all__ else None
    if parts[2] not in {module.name for module in pkgutil.iter_modules(networks.__path__)}:
        return None
    kind = getattr(importlib.import_module(".".join(parts[:3])), parts[3], None)
    fits = isinstance(kind, type) and issubclass(kind, nn.Module) and kind.__module__ == ".".join(parts[:3])
    return kind if fits else None
