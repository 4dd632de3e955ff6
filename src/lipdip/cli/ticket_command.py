"""``python -m lipdip.ticket``: look at ticket files, compare them, and make others of them."""

import argparse
import io
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from lipdip.cli.arguments import Parser, dispatch, path_for, seed
from lipdip.core.console import plain_console, say
from lipdip.core.errors import UserError
from lipdip.core.files import write_whole
from lipdip.figures.terminal import print_densities, print_facts, print_overlaps, share
from lipdip.generators.pretrained import CELEBAHQ, EMBEDDED, pretrained
from lipdip.tickets.control import KINDS, control
from lipdip.tickets.overlap import chance_layerwise, left_out, overlaps, together
from lipdip.tickets.redraw import redraw
from lipdip.tickets.ticket_file import Ticket, tensor_digests


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    return dispatch(_parser(), argv, kept="nothing was written")


def _show(arguments: argparse.Namespace) -> None:
    ticket = _load(arguments.file)
    _draw(arguments, {arguments.file.stem: ticket})
    console = plain_console()
    say(console, str(arguments.file))
    print_facts(console, ticket, arguments.file.stat().st_size)
    console.print()
    print_densities(console, ticket)


def _compare(arguments: argparse.Namespace) -> None:
    a, b = _load(arguments.a), _load(arguments.b)
    rows = overlaps(a.mask, b.mask)
    _draw(arguments, {f"A {arguments.a.stem}": a, f"B {arguments.b.stem}": b})
    console = plain_console()
    for name, file, ticket in (("A", arguments.a, a), ("B", arguments.b, b)):
        kept = f"{ticket.mask.kept:,} of {ticket.mask.total:,} weights, sparsity {ticket.mask.sparsity:.4f}"
        say(console, f"{name}  {file}: {kept}")
    print_overlaps(console, rows)
    whole, reasons = together(rows), left_out(a.mask, b.mask)
    say(console, f"Jaccard index over {'all' if not reasons else 'the common'} layers: {share(whole.jaccard)}")
    say(console, f"  by chance, over these weights all alike: {share(whole.chance)}")
    say(console, f"  by chance, with these densities of each layer: {share(chance_layerwise(rows))}")
    for inner, outer, count in (("A", "B", whole.a), ("B", "A", whole.b)):
        inside = "lies inside" if whole.both == count else "does not lie inside"
        say(console, f"{inner} {inside} {outer}: {whole.both:,} of its {count:,} weights are kept in {outer}")
    same = dict(a.init["tensors"]) == dict(b.init["tensors"])
    say(console, f"A and B start from {'the same' if same else 'different'} weights")
    if reasons:
        say(console, f"left out: {', '.join(reasons)}")


def _export(arguments: argparse.Namespace) -> None:
    if not arguments.torch:
        raise UserError("export needs to know the format; there is one: --torch, a state_dict for torch.load")
    _refuse(arguments.out, arguments.force)
    ticket = _load(arguments.file)
    state = ticket.start()
    if state is None:
        state = {
            name: tensor * ticket.mask[name] if name in ticket.mask else tensor
            for name, tensor in _initial(ticket, arguments).items()
        }
    content = io.BytesIO()
    torch.save(state, content)
    write_whole(arguments.out, content.getvalue())
    say(plain_console(), f"{arguments.out}: a state_dict of {len(state)} tensors, {content.getbuffer().nbytes:,} bytes")


def _pack(arguments: argparse.Namespace) -> None:
    _refuse(arguments.out, arguments.force)
    ticket, before = _load(arguments.file), arguments.file.stat().st_size
    what = "as it was: it had its weights already"
    if ticket.weights is None:
        ticket, what = ticket.carrying(_initial(ticket, arguments)), f"with its weights; without them {before:,} bytes"
    content = ticket.to_bytes()
    write_whole(arguments.out, content)
    say(plain_console(), f"{arguments.out}: {len(content):,} bytes, {what}")


def _control(arguments: argparse.Namespace) -> None:
    _refuse(arguments.out, arguments.force)
    ticket = control(_load(arguments.file), arguments.kind, arguments.seed)
    content = ticket.to_bytes()
    write_whole(arguments.out, content)
    how = "drawn from all layers together" if arguments.kind == "random" else "as many in each layer as before"
    say(plain_console(), f"{arguments.out}: {len(content):,} bytes, {ticket.mask.kept:,} random weights, {how}")


def _initial(ticket: Ticket, arguments: argparse.Namespace) -> dict[str, Tensor]:
    """The whole initial weights of a ticket that does not carry them."""
    if ticket.pretrained is None:
        return redraw(ticket)
    path: str | None = arguments.pretrained
    if path is None and ticket.pretrained not in (EMBEDDED, CELEBAHQ):
        raise UserError(f"the ticket starts from the pretrained network {ticket.pretrained}: add --pretrained PATH")
    state = pretrained(path or ticket.pretrained).generator.state_dict()
    if tensor_digests(state) != dict(ticket.init["tensors"]):
        raise UserError(f"{path or ticket.pretrained} has other weights than the ticket starts from")
    return state


def _load(file: Path) -> Ticket:
    if file.is_dir():
        tickets = sorted(file.glob("*.safetensors")) or sorted((file / "tickets").glob("*.safetensors"))
        where = f"for example {tickets[-1]}" if tickets else f"a run directory has them in {file.name or '.'}/tickets/"
        raise UserError(f"{file} is a directory; give one ticket file, {where}")
    return Ticket.load(file)


def _draw(arguments: argparse.Namespace, tickets: Mapping[str, Ticket]) -> None:
    """The figure, if one was asked for."""
    if arguments.png is not None:
        _refuse(arguments.png, arguments.force)
        from lipdip.figures.layers import layer_densities  # here, because matplotlib takes a second to load

        write_whole(arguments.png, layer_densities(tickets))


def _refuse(out: Path, force: bool) -> None:
    if os.path.lexists(out) and (not force or not out.is_file()):
        hint = "; --force writes over it" if out.is_file() else ", and not a plain file"
        raise UserError(f"{out} is there already{hint}")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m lipdip.ticket", description="Look at ticket files, compare them, make others.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], what: str, *files: str) -> Parser:
        added: Parser = commands.add_parser(name, help=what, description=what)
        for file in files:
            added.add_argument(file.lower(), metavar=file, type=path_for(file))
        added.add_argument("--force", action="store_true", help="write over a file that is there already")
        added.set_defaults(run=run)
        return added

    shown = command("show", _show, "what a ticket is, and how dense each of its layers is", "FILE")
    compared = command("compare", _compare, "what two tickets' masks have in common, beside chance", "A", "B")
    for drawn in (shown, compared):
        drawn.add_argument(
            "--png", metavar="OUT", type=path_for("--png"), help="draw the sparsity of each layer into this file too"
        )
    exported = command("export", _export, "write a ticket's masked initial weights for other programs", "FILE", "OUT")
    exported.add_argument("--torch", action="store_true", help="a state_dict for torch.load(OUT, weights_only=True)")
    packed = command("pack", _pack, "the same ticket with its initial weights inside, to pass around", "FILE", "OUT")
    for needs in (exported, packed):
        needs.add_argument("--pretrained", metavar="PATH", help="where the ticket's pretrained network is (model.path)")
    drawn = command("control", _control, "a control: a ticket as sparse as this one, with a random mask", "FILE", "OUT")
    drawn.add_argument("--kind", choices=KINDS, required=True, help="from all layers together, or as many in each")
    drawn.add_argument("--seed", metavar="N", type=seed, required=True, help="seed of the random mask")
    return parser
