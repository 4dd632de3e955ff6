"""The two pictures of one run: what was restored or recovered, and how far the network could be pruned."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from lipdip.figures.style import BLUE, GREEN, GREY, ORANGE, rendered
from lipdip.runs.directory import read_pictures, read_rounds
from lipdip.runs.matching import most_sparse_matching
from lipdip.runs.rows import Classified, Generated, PictureScores, Recovered, RecoveredPicture, Restored, Round

_Own = PictureScores | RecoveredPicture
_Panel = tuple[str, str, Round | None]  # file, title and, where one made it, round of a picture worth showing
_SHOWN, _DOWN = 16, 8  # pictures in a comparison, and of them below each other


def comparison(run: Path) -> bytes:
    """A PNG with the pictures of a run directory side by side: clean, measured, and the restored or recovered ones.

    Of several pictures each has a row, the first 16 of more; more than 8 rows stand in two blocks.
    """
    rounds, scores = read_rounds(run), {(row.picture, row.round): row for row in read_pictures(run)}
    names: list[str | None] = [*dict.fromkeys(name for name, _ in scores)] or [None]
    shown = names[:_SHOWN]
    panels = [panel for panel in _panels(rounds) if (_folder(run, shown[0]) / f"{panel[0]}.png").exists()]
    blocks = -(-len(shown) // _DOWN)
    down, across = -(-len(shown) // blocks), blocks * len(panels)
    side, size = (2.9, 10) if len(shown) < 3 else (1.9, 8)  # in inches, and of letters
    figure = Figure(figsize=(side * across, (side + 0.1) * down + 0.5), layout="constrained")
    grid = figure.subplots(down, across, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for number, name in enumerate(shown):
        block, line = divmod(number, down)
        for column, (file, title, row) in enumerate(panels, block * len(panels)):
            axes, own = grid[line, column], scores.get((name or "", row.round if row else rounds[0].round))
            axes.set_axis_on()
            axes.imshow(_open(_folder(run, name), file), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set_xlabel(_below(_folder(run, name), file, row, own), fontsize=min(size, 9))
            axes.set(xticks=[], yticks=[])
            if line == 0:
                axes.set_title(title, fontsize=size)
        if name is not None:
            grid[line, block * len(panels)].set_ylabel(f"\n{name}" if block else name, fontsize=10)
    figure.supxlabel("; ".join(_remarks(panels, len(names))), fontsize=9)
    return rendered(figure)


def _panels(rounds: Sequence[Round]) -> list[_Panel]:
    given: list[_Panel] = [("clean", "clean", None), ("measured", "measured", None)]
    if not isinstance(rounds[0], Recovered):
        return [*given, *_restored(rounds)]
    (row,) = rounds  # a recovery prunes nothing
    with_ticket = ("restored_ticket", f"recovered, sparsity {row.sparsity:.3f}", row)
    return [*given, with_ticket if row.sparsity else ("restored_dense", "recovered", row), ("lasso", "Lasso", None)]


def _remarks(panels: Sequence[_Panel], pictures: int) -> Iterator[str]:
    """What has to be said below all pictures."""
    if any(isinstance(row, Recovered) for _, _, row in panels):
        yield "MSE per pixel on [-1, 1]"
        if "measured" in [file for file, _, _ in panels]:
            yield "a measurement of 0, as of an unknown pixel, is grey"
    if pictures > _SHOWN:
        yield f"the first {_SHOWN} of {pictures} pictures"


def _restored(rounds: Sequence[Round]) -> list[_Panel]:
    first, last, winner = rounds[0], rounds[-1], most_sparse_matching(rounds)
    panels: list[_Panel] = [("restored_dense", "dense", first)]
    if first.sparsity > 0:
        panels = [("restored_ticket", f"ticket, sparsity {first.sparsity:.3f}", first)]
    if winner is not None:
        panels.append(("restored_matching", f"winning ticket, sparsity {winner.sparsity:.3f}", winner))
    if len(rounds) > 1 and last is not winner:
        panels.append(("restored_last", f"last round, sparsity {last.sparsity:.3f}", last))
    return panels


def _below(folder: Path, file: str, row: Round | None, own: _Own | None) -> str:
    """What stands below a picture: its score, and how many weights made it."""
    if isinstance(own, RecoveredPicture):
        error = own.mse_lasso if file == "lasso" else own.mse if row else _lost(folder, file)
        return f"{-10 * np.log10(error / 4):.2f} dB, MSE {error:.4f}" if error else ""
    if row is not None:
        score = row.score if own is None else own.psnr_best
        return f"{f'loss {row.loss:.2e}' if score is None else f'{score:.2f} dB'}, {row.kept_weights:,} weights"
    lost = _lost(folder, file)
    if lost is None:
        return ""
    return f"{-10 * np.log10(lost / 4):.2f} dB" if lost else "nothing is missing"


def _lost(folder: Path, file: str) -> float | None:
    """The MSE of the measurement against the clean picture, on [-1, 1]; None where they cannot be compared."""
    clean, picture = _open(folder, "clean"), _open(folder, file)
    if file != "measured" or clean is None or picture is None or picture.shape != clean.shape:
        return None
    return 4 * float(np.mean((picture - clean) ** 2))


def _folder(run: Path, name: str | None) -> Path:
    return run / "images" / name if name is not None else run / "images"


def _open(folder: Path, name: str) -> np.ndarray | None:
    path = folder / f"{name}.png"
    return np.asarray(Image.open(path), dtype=np.float32) / 255 if path.exists() else None


def rounds(run: Path) -> bytes:
    """A PNG of a run directory's scores over its rounds, or where there are none of the loss.

    Of a GAN below it a strip of samples of each round, for the same codes.
    """
    rows = read_rounds(run)
    samples = [(row.sparsity, _open(run / "images", f"samples_{row.round:02d}")) for row in rows]
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
    number = [row.round for row in rows]
    if rows[0].score is None:
        axes.plot(number, [row.loss for row in rows], "o-", color=BLUE, label="fitting loss at the end of the round")
        axes.set_ylabel("loss")
    else:
        _draw_scores(axes, rows)
    axes.set_xticks(number, [f"{row.sparsity:.3f}" for row in rows], rotation=45, ha="right", fontsize=8)
    axes.set_xlabel("sparsity (fraction of the prunable weights that is pruned)")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8)
    return rendered(figure)


_PSNR = (
    ("psnr_best", "o-", BLUE, "best over the run (oracle)"),
    ("psnr_ema", ".-", GREEN, "last output average"),
    ("psnr_last", ".-", ORANGE, "last output"),
)
_ACCURACY = (("accuracy", "o-", BLUE, "after the last epoch"), ("accuracy_best", ".-", ORANGE, "best epoch (oracle)"))
_ERROR = (("reconstruction_error", "o-", BLUE, "mean over held-out pictures"),)
_SCORES: tuple[tuple[type[Round], Any, str], ...] = (
    (Restored, _PSNR, "PSNR in dB"),
    (Classified, _ACCURACY, "accuracy on test pictures"),
    (Recovered, (("psnr", "o-", BLUE, "mean over pictures, of the restart kept"),), "PSNR in dB"),
    (Generated, _ERROR, "reconstruction error\n(MSE on [-1, 1], lower is better)"),
)


def _draw_scores(axes: Axes, rows: Sequence[Round]) -> None:
    number = [row.round for row in rows]
    fields, unit = next((known for kind, *known in _SCORES if isinstance(rows[0], kind)))
    first, winner = rows[0], most_sparse_matching(rows)
    reference = getattr(first, fields[0][0])
    name = "dense" if first.sparsity == 0 else f"first, sparsity {first.sparsity:.3f}"
    axes.axhline(reference, color=GREY, linewidth=1, linestyle="--", label=f"{name}, {reference:.4g}")
    for field, style, colour, label in fields:
        axes.plot(number, [float(getattr(row, field)) for row in rows], style, color=colour, label=label, linewidth=1.2)
    if winner is not None:
        label = f"most sparse matching ticket, sparsity {winner.sparsity:.3f}"
        axes.plot(winner.round, getattr(winner, fields[0][0]), "*", color=BLUE, markersize=16, label=label, zorder=5)
    axes.set_ylabel(unit)
