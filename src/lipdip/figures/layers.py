"""How sparse each layer of one or several tickets is (the paper's Fig. 7)."""

from collections.abc import Mapping

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from lipdip.figures.names import legend, short
from lipdip.figures.style import line_style, rendered, wrapped
from lipdip.tickets.ticket_file import Ticket

_MARKERS = "osD^vPX*"
_LABELLED = 60  # layers; more names than that cannot be read


def layer_densities(tickets: Mapping[str, Ticket]) -> bytes:
    """A PNG of the sparsity of every layer against its serial number in the network's order, a line for each ticket.

    Args:
        tickets: by the name that they have in the legend; their layers need not be the same.

    Raises:
        ValueError: if there is none.
    """
    if not tickets:
        raise ValueError("there is no ticket to draw")
    longest = max(len(ticket.mask) for ticket in tickets.values())
    figure = Figure(figsize=(min(max(6.0, 2.5 + 0.24 * longest), 14.0), 5.4), layout="constrained")
    axes = figure.subplots()
    for number, (name, ticket) in enumerate(tickets.items()):
        sparsity = [1 - int(layer.sum()) / layer.numel() for layer in ticket.mask.values()]
        space = " " if name.startswith("_") else ""  # a legend passes over names that begin with an underscore
        axes.plot(
            range(1, len(sparsity) + 1),
            sparsity,
            marker=_MARKERS[number % len(_MARKERS)],
            markersize=4,
            linewidth=1.2,
            label=wrapped(f"{space}{name}, sparsity {ticket.mask.sparsity:.3f}", 60),
            **line_style(number),
        )
    names = [list(ticket.mask) for ticket in tickets.values()]
    if all(other == names[0] for other in names) and longest <= _LABELLED:
        labels = [f"{wrapped(label, 60)}  {number}" for number, label in enumerate(short(names[0]), 1)]
        axes.set_xticks(range(1, longest + 1), labels, rotation=90, fontsize=6)
        explained = legend(names[0])
        axes.set_xlabel("layer, in the network's order" + (f"; {explained}" if explained else ""), fontsize=8)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.set_xlabel("serial number of the layer, in the network's order")
    axes.set_ylabel("sparsity of the layer")
    axes.set_xlim(0.5, longest + 0.5)
    axes.set_ylim(-0.03, 1.03)
    axes.grid(alpha=0.25)
    figure.legend(loc="outside upper left", fontsize=8, ncols=1 if len(tickets) < 4 else 2)
    return rendered(figure)
