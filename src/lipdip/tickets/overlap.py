"""What two masks have in common, compared with two independent random masks."""

from collections.abc import Sequence
from dataclasses import dataclass

from lipdip.core.errors import UserError
from lipdip.tickets.mask import Mask


@dataclass(frozen=True)
class Overlap:
    """Counts of weights in one layer, or in several: all, kept in A, kept in B, kept in both."""

    layer: str
    weights: int
    a: int
    b: int
    both: int

    @property
    def jaccard(self) -> float | None:
        """``|A and B| / |A or B|``; None if neither keeps anything."""
        return _ratio(self.both, self.a, self.b)

    @property
    def chance(self) -> float | None:
        """The same ratio for random masks that keep as many weights: of ``n``, both keep ``a * b / n`` on average."""
        return _ratio(self.a * self.b / self.weights, self.a, self.b)


def overlaps(a: Mask, b: Mask) -> list[Overlap]:
    """A row for every layer that both masks have, of the same name and shape, in the order of ``a``.

    Raises:
        UserError: if there is none.
    """
    rows = [
        Overlap(name, layer.numel(), int(layer.sum()), int(b[name].sum()), int((layer & b[name]).sum()))
        for name, layer in a.items()
        if name in b and b[name].shape == layer.shape
    ]
    if not rows:
        raise UserError("the two tickets have no layer in common: they are of different networks")
    return rows


def left_out(a: Mask, b: Mask) -> list[str]:
    """Every layer that :func:`overlaps` leaves out, and why."""
    reasons = [f"{name} (in A only)" for name in a if name not in b]
    reasons += [f"{name} (in B only)" for name in b if name not in a]
    for name in (name for name in a if name in b and a[name].shape != b[name].shape):
        reasons.append(f"{name} ({shape(a, name)} in A, {shape(b, name)} in B)")
    return reasons


def shape(mask: Mask, name: str) -> str:
    """A layer's shape as text: 128x132x3x3."""
    return "x".join(map(str, mask[name].shape))


def together(rows: Sequence[Overlap]) -> Overlap:
    """The counts of all rows as one; its ``chance`` is that of masks drawn uniformly over all these layers."""
    return Overlap(
        "all layers",
        sum(row.weights for row in rows),
        sum(row.a for row in rows),
        sum(row.b for row in rows),
        sum(row.both for row in rows),
    )


def chance_layerwise(rows: Sequence[Overlap]) -> float | None:
    """The Jaccard index over all rows of random masks that keep as many weights as A and B in every layer."""
    all_of_them = together(rows)
    return _ratio(sum(row.a * row.b / row.weights for row in rows), all_of_them.a, all_of_them.b)


def _ratio(both: float, a: int, b: int) -> float | None:
    either = a + b - both
    return both / either if either else None
