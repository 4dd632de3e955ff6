"""Drawings that are a figure of their own or a part of one."""

from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure, FigureBase


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
