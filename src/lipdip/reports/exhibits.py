"""All exhibits: those that are drawn, and those of the paper that are not."""

from lipdip.core.errors import UserError
from lipdip.reports.exhibit import Exhibit, NotDrawn
from lipdip.reports.finding import FINDING
from lipdip.reports.using import USING
from lipdip.reports.variants import VARIANTS

_ORDER = (
    *("fig3", "fig4", "fig5", "fig6", "fig7", "table1", "table2", "table3", "fig9", "fig10", "fig11", "fig13", "fig14"),
    *("fig15", "fig16", "table4", "table5", "audit"),
)
DRAWN = tuple(sorted((*FINDING, *VARIANTS, *USING), key=lambda exhibit: _ORDER.index(exhibit.name)))
NOT_DRAWN = (
    NotDrawn("fig1", "Overview of the method", "a drawing, with nothing to measure"),
    NotDrawn("fig2", "Restored pictures", "comparison.png in each run directory"),
    NotDrawn("fig8", "Pictures recovered by a generator", "comparison.png in each run directory of a recovery"),
    NotDrawn(
        "fig12",
        "Pictures while the network learns",
        "a run keeps each round's best in images/; shorter fits by experiment=fig12",
    ),
    NotDrawn("fig17", "The pictures used", "images/clean.png in each run directory; the page names them"),
    NotDrawn("fig18", "Fourier magnitudes of restored pictures", "python experiments/why_tickets.py draw"),
    NotDrawn("fig19", "Differences of Fourier magnitudes", "python experiments/why_tickets.py draw"),
)


def named(name: str) -> Exhibit:
    """The exhibit of that name.

    Raises:
        UserError: if there is none, or it is not drawn here; says what there is.
    """
    for other in NOT_DRAWN:
        if other.name == name:
            raise UserError(f"{name} is not drawn here: {other.instead}")
    for exhibit in DRAWN:
        if exhibit.name == name:
            return exhibit
    raise UserError(f"there is no exhibit {name!r}; there are {', '.join(exhibit.name for exhibit in DRAWN)}")
