"""The two pictures of one run: what was restored or recovered, and how far the network could be pruned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lipdip.runs.matching import most_sparse_matching
from lipdip.runs.rows import Round

Array = npt.NDArray[np.float32]
_SHOWN, _DOWN = 16, 8  # pictures in a comparison, and of them below each other
_LETTERS = 36  # of a name beside its picture


@dataclass(frozen=True)
class RunPanel:
    """A picture worth showing: its file below ``images/`` without suffix, a title and, where one made it, a round."""

    file: str
    title: str
    row: Round | None = None


GIVEN = (RunPanel("clean", "clean"), RunPanel("measured", "measured"))


def comparison(
    images: Path,
    panels: Sequence[RunPanel],
    names: Sequence[str],
    below: Callable[[str, RunPanel], str],
    remarks: Sequence[str] = (),
) -> bytes:
    """A PNG with the pictures of a run side by side: clean, measured, and the restored or recovered ones.

    Of several pictures each has a row, the first 16 of more; more than 8 rows stand in two blocks.

    Args:
        images: the run's folder of pictures.
        panels: what stands side by side; those that are not there are left out.
        names: of the pictures, each in a folder of its own; none: there is one, in ``images`` itself.
        below: what stands below a picture, by its name and panel.
        remarks: what stands below all of them.
    """
    from matplotlib.figure import Figure  # takes a second to load

    from lipdip.figures.style import rendered

    shown = list(names[:_SHOWN]) or [""]
    panels = [panel for panel in panels if (images / shown[0] / f"{panel.file}.png").exists()]
    blocks = -(-len(shown) // _DOWN)
    down, across = -(-len(shown) // blocks), blocks * len(panels)
    side, size = (2.9, 10) if len(shown) < 3 else (1.9, 8)  # in inches, and of letters
    figure = Figure(figsize=(side * across, (side + 0.1) * down + 0.5), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for number, name in enumerate(shown):
        block, line = divmod(number, down)
        for column, panel in enumerate(panels, block * len(panels)):
            axes = grid[line, column]
            axes.set_axis_on()
            axes.imshow(opened(images / name, panel.file), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set_xlabel(below(name, panel), fontsize=min(size, 9))
            axes.set(xticks=[], yticks=[])
            if line == 0:
                axes.set_title(panel.title, fontsize=size)
        if name:
            grid[line, block * len(panels)].set_ylabel(f"\n{_short(name)}" if block else _short(name), fontsize=10)
    more = [f"the first {_SHOWN} of {len(names)} pictures"] if len(names) > _SHOWN else []
    figure.supxlabel("; ".join([*remarks, *more]), fontsize=9)
    return rendered(figure)


def networks_own(file: str) -> str:
    """Where the network's own picture lies if the answer ``file`` has the data's own values; scores are of the former.

    Both are paths below ``images/`` without suffix.
    """
    return file.replace("restored_", "network_", 1)


def _short(name: str) -> str:
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS // 2]}...{name[-_LETTERS // 3 :]}"


def opened(folder: Path, name: str) -> Array | None:
    """A run's picture with values in [0, 1]; None if there is none.

    Raises:
        UserError: if what is there is no 8-bit PNG.
    """
    from lipdip.figures.picture_file import read_png

    path = folder / f"{name}.png"
    return np.divide(read_png(name, path), np.float32(255), dtype=np.float32) if path.exists() else None


def lost(folder: Path, file: str) -> float | None:
    """The MSE of the measurement against the clean picture, on [-1, 1]; None where they cannot be compared."""
    clean, picture = opened(folder, "clean"), opened(folder, file)
    if file != "measured" or clean is None or picture is None or picture.shape != clean.shape:
        return None
    return 4 * float(np.mean((picture - clean) ** 2))


def lost_in_words(folder: Path, file: str) -> str:
    """What a measurement has lost, as PSNR in dB; empty where that cannot be known."""
    error = lost(folder, file)
    if error is None:
        return ""
    return f"{-10 * np.log10(error / 4):.2f} dB" if error else "nothing is missing"


def rounds(rows: Sequence[Round], images: Path) -> bytes:
    """A PNG of a run's scores over its rounds, or where there are none of the loss.

    Of a GAN below it a strip of samples of each round, for the same codes.
    """
    from matplotlib.figure import Figure

    from lipdip.figures.style import rendered

    samples = [(row.sparsity, opened(images, f"samples_{row.round:02d}")) for row in rows]
    strips = [(sparsity, strip) for sparsity, strip in samples if strip is not None]
    heights = [4.0, *(0.65 for _ in strips)]
    figure = Figure(figsize=(7, sum(heights)), layout="constrained")
    (axes,), *below = figure.subplots(len(heights), squeeze=False, height_ratios=heights)
    for (place,), (sparsity, strip) in zip(below, strips, strict=True):
        place.imshow(strip, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        place.set(xticks=[], yticks=[])
        place.set_ylabel(f"{sparsity:.3f}", fontsize=8, rotation=0, ha="right", va="center")
    if below:
        below[0][0].set_title("samples at each sparsity, for the same codes", fontsize=9)
    _draw_scores(axes, rows)
    number = [row.round for row in rows]
    axes.set_xticks(number, [f"{row.sparsity:.3f}" for row in rows], rotation=45, ha="right", fontsize=8)
    axes.set_xlabel("sparsity (fraction of the prunable weights that is pruned)")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8)
    return rendered(figure)


def _draw_scores(axes: Any, rows: Sequence[Round]) -> None:
    from lipdip.figures.style import BLUE, GREEN, GREY, ORANGE

    first, winner, number = rows[0], most_sparse_matching(rows), [row.round for row in rows]
    if first.score is None:
        axes.plot(number, [row.loss for row in rows], "o-", color=BLUE, label=Round.lines[0][1])
        axes.set_ylabel(Round.axis)
        return
    score = first.lines[0][0]
    reference = getattr(first, score)
    name = "dense" if first.sparsity == 0 else f"first, sparsity {first.sparsity:.3f}"
    axes.axhline(reference, color=GREY, linewidth=1, linestyle="--", label=f"{name}, {reference:.4g}")
    colours = (BLUE, *((GREEN, ORANGE) if len(first.lines) > 2 else (ORANGE,)))
    for place, ((field, label), colour) in enumerate(zip(first.lines, colours, strict=False)):
        values = [float(getattr(row, field)) for row in rows]
        axes.plot(number, values, ".-" if place else "o-", color=colour, label=label, linewidth=1.2)
    if winner is not None:
        label = f"most sparse matching ticket, sparsity {winner.sparsity:.3f}"
        axes.plot(winner.round, getattr(winner, score), "*", color=BLUE, markersize=16, label=label, zorder=5)
    axes.set_ylabel(first.axis)
