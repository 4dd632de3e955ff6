"""A ticket in the terminal: what it says of itself, how dense its layers are, and what it shares with another."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lipdip.core.console import safe, say
from lipdip.figures.names import legend, short
from lipdip.tickets.overlap import Overlap, shape, together
from lipdip.tickets.ticket_file import FORMAT, Ticket

_DIGEST = re.compile("[0-9a-f]{64}")
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_PARTS = ("task", "image", "pruner", "fit")  # of a configuration, in the order in which they are told


def print_facts(console: Console, ticket: Ticket, size: int) -> None:
    """What the ticket is and where it comes from, one fact a line; ``size`` in bytes."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in _facts(ticket, size):
        grid.add_row(safe(name, console), safe(value, console))
    console.print(grid)


def print_densities(console: Console, ticket: Ticket) -> None:
    """A line for each layer: name, shape, kept of all weights, density as a bar and as a number."""
    mask = ticket.mask
    kept = [int(layer.sum()) for layer in mask.values()]
    density = [count / layer.numel() for count, layer in zip(kept, mask.values(), strict=True)]
    names, full = short(list(mask)), max(density)
    shapes = [shape(mask, name) for name in mask]
    counts = [f"{count:,}/{layer.numel():,}" for count, layer in zip(kept, mask.values(), strict=True)]
    whole = f"{mask.kept:,}/{mask.total:,}"
    taken = sum(max(map(len, column)) for column in ((*names, "all layers"), shapes, (*counts, whole), ("density",)))
    width = min(max(console.width - taken - 8, 6), 40)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_footer=True)
    table.add_column("layer", "all layers", overflow="fold")
    table.add_column("shape", justify="right", no_wrap=True)
    table.add_column("kept", whole, justify="right", no_wrap=True)
    table.add_column("", _bar(1 - mask.sparsity, full, width, console), no_wrap=True)
    table.add_column("density", f"{1 - mask.sparsity:.4f}", justify="right", no_wrap=True)
    for name, sides, count, share in zip(names, shapes, counts, density, strict=True):
        table.add_row(safe(name, console), sides, count, _bar(share, full, width, console), f"{share:.4f}")
    console.print(table)
    say(console, f"(a full bar is density {full:.4f})")
    _explain(console, list(mask))


def print_overlaps(console: Console, rows: Sequence[Overlap]) -> None:
    """A line for each layer: density in A and in B, weights kept in both, Jaccard index, and what chance would give."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_footer=True)
    whole = _cells(together(rows))
    table.add_column("layer", "all layers", overflow="fold")
    for title, footer in zip(("density A", "density B", "in both", "Jaccard", "chance"), whole, strict=True):
        table.add_column(title, footer, justify="right", no_wrap=True)
    names = [row.layer for row in rows]
    for name, row in zip(short(names), rows, strict=True):
        table.add_row(safe(name, console), *_cells(row))
    console.print(table)
    _explain(console, names)


def share(value: float | None) -> str:
    """A Jaccard index to three digits, and a dash where there is none."""
    return "-" if value is None else f"{value:.3f}"


def _explain(console: Console, names: Sequence[str]) -> None:
    explained = legend(names)
    if explained:
        say(console, f"({explained})")


def _cells(row: Overlap) -> tuple[str, ...]:
    density = (f"{row.a / row.weights:.4f}", f"{row.b / row.weights:.4f}")
    return (*density, f"{row.both:,}", share(row.jaccard), share(row.chance))


def _bar(value: float, full: float, width: int, console: Console) -> Text:
    """``value`` as a bar of ``width`` characters where it is ``full``; what is not zero shows at least a trace."""
    eighths = round(8 * width * value / full) if full else 0
    eighths = max(eighths, 1) if value else 0
    if console.options.ascii_only:
        return Text("#" * -(-eighths // 8))
    return Text("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip(), "blue")


def _facts(ticket: Ticket, size: int) -> Iterator[tuple[str, str]]:
    mask, init, origin = ticket.mask, ticket.init, ticket.provenance
    scores, configuration = _table(origin.get("scores")), _table(origin.get("configuration"))
    yield "ticket", f"format {FORMAT}, {size:,} bytes"
    yield "network", f"{_value(ticket.architecture.get('target'))} ({_settings(ticket.architecture.get('settings'))})"
    for name, value in origin.items():
        if name not in ("scores", "configuration"):
            yield name, _settings(value)
    for part in (*_PARTS, *configuration):
        if part in configuration and (part in _PARTS or part not in ("model", "format")):
            yield part, _settings(configuration.pop(part))
    if scores.get("round") is not None:
        yield "round", _value(scores["round"])
    yield "kept", f"{mask.kept:,} of {mask.total:,} weights in {len(mask)} layers, sparsity {mask.sparsity:.4f}"
    drawn = "not from a seed" if init["seed"] is None else f"seed {init['seed']}, stream {_value(init.get('stream'))}"
    yield "initialisation", f"{drawn}; rewound to step {_value(init.get('rewind_step'))}"
    again = "" if init["seed"] is None else ": the seed gives them again"
    inside = f"not in the file{again}" if ticket.weights is None else f"in the file, {len(ticket.weights)} tensors"
    yield "weights", inside
    yield "code", _settings(ticket.code)
    shown = {name: value for name, value in scores.items() if name not in ("round", "sparsity", "kept_weights")}
    yield "scores", _settings(shown) or "none"


def _table(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _settings(value: object) -> str:
    """A table as its name and its plain values, what is None or a table itself left out; anything else as it is."""
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return "; ".join(_settings(item) for item in value)
    if not isinstance(value, Mapping):
        return _value(value)
    rest = ", ".join(
        f"{name}={_value(item)}"
        for name, item in value.items()
        if name != "name" and item is not None and not isinstance(item, Mapping)
    )
    named = _value(value["name"]) if value.get("name") is not None else ""
    return f"{named} ({rest})" if named and rest else named or rest


def _value(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "-"}[value]
    if isinstance(value, float):
        return f"{value:.5g}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return f"[{', '.join('...' if isinstance(item, list | Mapping) else _value(item) for item in value)}]"
    text = "..." if isinstance(value, Mapping) else str(value)
    return f"{text[:12]}..." if _DIGEST.fullmatch(text) else text
