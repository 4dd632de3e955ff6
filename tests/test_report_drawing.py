"""Figures of the report as small files: what a reader goes by must survive."""

import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageColor

from lipdip.figures.style import LINES, rendered
from lipdip.reports.drawing import light


def _crowded() -> bytes:
    """Six panels with a line and a band in every colour, and thousands of colours where they cross."""
    figure = Figure(figsize=(9, 5))
    for axes in figure.subplots(2, 3).flat:
        for number, colour in enumerate(LINES):
            axes.plot([0, 1], [number, 9 - number], color=colour, linewidth=1.3, label=f"series {number}")
            axes.fill_between([0, 1], [number - 0.4, 8], [number + 0.6, 10], color=colour, alpha=0.15, linewidth=0)
        axes.legend(fontsize=7)
    return rendered(figure)


def _pixels(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_a_small_picture_keeps_the_colours_of_its_lines() -> None:
    whole = _crowded()
    small = light(whole)
    before, after = _pixels(whole), _pixels(small)
    assert len(small) < len(whole) / 2
    for colour in LINES:
        own = (before == ImageColor.getrgb(colour)).all(axis=-1)
        assert own.sum() > 500 and (after[own] == before[own]).all(), colour
    assert np.abs(before - after).mean() < 1


def test_where_a_picture_must_be_exact_it_is() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for pixels in (noise, noise // 64 * 64):
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, format="PNG")
        assert (_pixels(light(out.getvalue(), exact=True)) == pixels).all()
