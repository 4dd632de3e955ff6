"""Control tickets: random masks that are as sparse as a ticket."""

from dataclasses import replace

import torch

from lipdip.core.check import choice
from lipdip.core.errors import UserError
from lipdip.core.seeds import stream
from lipdip.tickets.mask import Mask
from lipdip.tickets.ticket_file import Ticket

KINDS = ("random", "layerwise")


def control(ticket: Ticket, kind: str, seed: int) -> Ticket:
    """The same network, initialisation and code under a random mask that keeps exactly as many weights.

    Args:
        ticket: the ticket that it is a control for.
        kind: ``random``, uniformly over all layers; or ``layerwise``, with as many weights in each layer as the ticket.
        seed: of the random mask; the same seed gives the same mask.

    Raises:
        ValueError: if ``kind`` is neither.
        UserError: if the initialisation cannot be redrawn, since the ticket's file has none of the weights that its
            own mask does not keep.
    """
    choice("kind", kind, KINDS)
    if ticket.init["seed"] is None and ticket.pretrained is None:
        raise UserError(
            "this ticket can have no control: its initial weights do not come from a seed, and it holds those alone "
            "that its mask keeps"
        )
    generator = stream(seed, "control")
    sizes = [layer.numel() for layer in ticket.mask.values()]
    if kind == "random":
        pieces = torch.split(_drawn(sum(sizes), ticket.mask.kept, generator), sizes)
    else:
        pieces = tuple(_drawn(layer.numel(), int(layer.sum()), generator) for layer in ticket.mask.values())
    mask = Mask({name: piece.view(ticket.mask[name].shape) for name, piece in zip(ticket.mask, pieces, strict=True)})
    provenance = {"control": kind, "seed": seed, "of": ticket.mask.digest(), "scores": {}}
    return replace(ticket, mask=mask, provenance=provenance, weights=None)


def _drawn(size: int, count: int, generator: torch.Generator) -> torch.Tensor:
    """``size`` booleans, ``count`` of them True, chosen uniformly."""
    row = torch.zeros(size, dtype=torch.bool)
    row[torch.randperm(size, generator=generator)[:count]] = True
    return row
