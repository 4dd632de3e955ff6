"""What figures share: colours, wrapped names, parts that also stand alone, and the bytes of a PNG."""

import io
import re
import textwrap
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure, FigureBase
from matplotlib.text import Text

BLUE, ORANGE, GREY, GREEN, RED = "#1f5fa8", "#d9822b", "#7a7a7a", "#2e8b57", "#b00020"
LINES = (BLUE, ORANGE, GREEN, "#8c4799", "#b23a48", "#2a9ba8", "#9a8420", GREY)
_PAPER, _SKY = "#f7f5f2", "#4a86c8"

# Below zero orange, above it blue: colour-blind readers can distinguish them; light enough to write on in black.
DIVERGING = LinearSegmentedColormap.from_list("below_above", [ORANGE, "#f0c594", _PAPER, "#a9c6e6", _SKY])
SEQUENTIAL = LinearSegmentedColormap.from_list("little_much", [_PAPER, "#a9c6e6", _SKY])


def line_style(index: int) -> dict[str, Any]:
    """Colour and dashes of the line number ``index`` (from 0); the colours come again with other dashes."""
    return {"color": LINES[index % len(LINES)], "linestyle": ("-", "--", ":", "-.")[index // len(LINES) % 4]}


def plain(text: str) -> str:
    """``text`` as it is read: a dollar sign begins no formula, and what cannot be printed is written as an escape.

    Pictures, layers and runs have names that strangers chose. Figures have no formulas; what is plain already stays.
    """
    seen = "".join(c if c.isprintable() or c in "\n\u00a0" else _escaped(c) for c in text)
    return re.sub(r"(?<!\\)\$", r"\\$", seen)


def _escaped(character: str) -> str:
    return " " if character.isspace() else character.encode("unicode_escape", "surrogatepass").decode()


def wrapped(text: str, width: int) -> str:
    """``text``, made :func:`plain`, in lines of ``width`` characters, or of one longer word."""
    return plain(textwrap.fill(text, width, break_long_words=False))


def rendered(figure: Figure) -> bytes:
    """The bytes of a PNG of ``figure`` at 150 dots per inch, the same for the same figure; nothing is cut off."""
    return saved(figure, format="png", dpi=150, pad_inches=0.1, metadata={"Software": None})


def saved(figure: Figure, **how: Any) -> bytes:
    """The bytes of ``figure``, saved as matplotlib's ``savefig`` is told, with nothing cut off.

    Every text is made :func:`plain` first; labels of ticks, which matplotlib makes later, must be so already.
    """
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text.get_text() != (shown := plain(text.get_text())):
            text.set_text(shown)
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")  # a box is drawn in its place
        figure.savefig(out, bbox_inches="tight", **how)
    return out.getvalue()


@dataclass(frozen=True)
class Part:
    """What can be drawn as a figure or as a part of one: its size in inches, across and down, and how."""

    size: tuple[float, float]
    draw: Callable[[FigureBase], None]


def alone(part: Part) -> Figure:
    """A figure of one part."""
    figure = Figure(figsize=part.size, layout="constrained")
    part.draw(figure)
    return figure
