"""All exhibits in the paper's order: those that are drawn, and those of the paper that are not."""

from lipdip.core.errors import UserError
from lipdip.reports.exhibit import Exhibit, NotDrawn
from lipdip.reports.exhibits.finding_tickets import FINDING
from lipdip.reports.exhibits.galleries import GALLERIES
from lipdip.reports.exhibits.using_tickets import USING
from lipdip.reports.exhibits.variants import VARIANTS
from lipdip.reports.gallery import Gallery

_ORDER = (
    *("fig2", "fig3", "fig4", "fig5", "fig6", "fig7", "table1", "fig8", "table2", "table3", "fig9", "fig10", "fig11"),
    *("fig12", "fig13", "fig14", "fig15", "fig16", "table4", "table5", "fig17", "fig18", "fig19", "audit"),
)
_ALL: tuple[Exhibit | Gallery, ...] = (*FINDING, *VARIANTS, *USING, *GALLERIES)
DRAWN = tuple(sorted(_ALL, key=lambda exhibit: _ORDER.index(exhibit.name)))
NOT_DRAWN = (NotDrawn("fig1", "Overview of the method", "a drawing, with nothing to measure"),)


def named(name: str) -> Exhibit | Gallery:
    """The exhibit of that name.

    Raises:
        UserError: if there is none, or it is not drawn here; says what there is.
    """
    for other in NOT_DRAWN:
        if other.name == name:
            raise UserError(f"{name} is not drawn here: {other.why}")
    for exhibit in DRAWN:
        if exhibit.name == name:
            return exhibit
    raise UserError(f"there is no exhibit {name!r}; there are {', '.join(exhibit.name for exhibit in DRAWN)}")
