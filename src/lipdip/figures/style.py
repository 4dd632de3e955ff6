"""What figures share: colours, wrapped names, parts that also stand alone, and the bytes of a PNG."""

import io
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure, FigureBase

BLUE, ORANGE, GREY, GREEN = "#1f5fa8", "#d9822b", "#7a7a7a", "#2e8b57"
LINES = (BLUE, ORANGE, GREEN, "#8c4799", "#b23a48", "#2a9ba8", "#9a8420", GREY)
_PAPER, _SKY = "#f7f5f2", "#4a86c8"

# Below zero orange, above it blue: colour-blind readers can distinguish them; light enough to write on in black.
DIVERGING = LinearSegmentedColormap.from_list("below_above", [ORANGE, "#f0c594", _PAPER, "#a9c6e6", _SKY])
SEQUENTIAL = LinearSegmentedColormap.from_list("little_much", [_PAPER, "#a9c6e6", _SKY])


def line_style(index: int) -> dict[str, Any]:
    """Colour and dashes of the line number ``index`` (from 0); the colours come again with other dashes."""
    return {"color": LINES[index % len(LINES)], "linestyle": ("-", "--", ":", "-.")[index // len(LINES) % 4]}


def wrapped(text: str, width: int) -> str:
    """``text`` in lines of ``width`` characters, or of one longer word, with a dollar sign left a dollar sign."""
    return textwrap.fill(text, width, break_long_words=False).replace("$", r"\$")


def rendered(figure: Figure) -> bytes:
    """The bytes of a PNG of ``figure`` at 150 dots per inch, the same for the same figure; nothing is cut off."""
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=150, bbox_inches="tight", pad_inches=0.1, metadata={"Software": None})
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
