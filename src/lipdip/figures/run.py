"""The two pictures of one run: what was restored, and how far the network could be pruned."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from lipdip.core.records import read_pictures, read_rounds
from lipdip.core.rows import Classified, Generated, Recovered, Restored, Round
from lipdip.figures.style import BLUE, GREEN, GREY, ORANGE, rendered
from lipdip.lottery.matching import most_sparse_matching


def comparison(run: Path) -> bytes:
    """A PNG with the pictures of a run directory side by side: clean, measured, and the restored ones.

    Of several pictures each has a row.
    """
    rounds = read_rounds(run)
    scores = {(row.picture, row.round): row.psnr_best for row in read_pictures(run)}
    names: list[str | None] = [*dict.fromkeys(name for name, _ in scores)] or [None]
    panels = [("clean", "clean", None), ("measured", "measured", None), *_restored(rounds)]
    there = [panel for panel in panels if (_folder(run, names[0]) / f"{panel[0]}.png").exists()]
    figure = Figure(figsize=(2.9 * len(there), 3.5 * len(names)), layout="constrained")
    grid = np.asarray(figure.subplots(len(names), len(there))).reshape(len(names), len(there))
    for line, name in zip(grid, names, strict=True):
        folder = _folder(run, name)
        for axes, (file, title, row) in zip(line, there, strict=True):
            axes.imshow(_open(folder, file), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            axes.set_title(title, fontsize=10)
            axes.set_xlabel(
                _below(folder, file, row, scores.get((name, row.round)) if row and name else None), fontsize=9
            )
            axes.set_xticks([])
            axes.set_yticks([])
        if name is not None:
            line[0].set_ylabel(name, fontsize=10)
    return rendered(figure)


def _restored(rounds: Sequence[Round]) -> list[tuple[str, str, Round | None]]:
    """File, title and round of each restored picture worth showing."""
    first, last, winner = rounds[0], rounds[-1], most_sparse_matching(rounds)
    panels: list[tuple[str, str, Round | None]] = [("restored_dense", "dense", first)]
    if first.sparsity > 0:
        panels = [("restored_ticket", f"ticket, sparsity {first.sparsity:.3f}", first)]
    if winner is not None:
        panels.append(("restored_matching", f"winning ticket, sparsity {winner.sparsity:.3f}", winner))
    if len(rounds) > 1 and last is not winner:
        panels.append(("restored_last", f"last round, sparsity {last.sparsity:.3f}", last))
    return panels


def _below(folder: Path, file: str, row: Round | None, own: float | None) -> str:
    """What stands below a picture: its score, and how many weights made it."""
    if row is not None:
        score = row.score if own is None else own
        return f"{f'loss {row.loss:.2e}' if score is None else f'{score:.2f} dB'}, {row.kept_weights:,} weights"
    clean, picture = _open(folder, "clean"), _open(folder, file)
    if file != "measured" or clean is None or picture is None or picture.shape != clean.shape:
        return ""
    error = float(np.mean((picture - clean) ** 2))
    return f"{-10 * np.log10(error):.2f} dB" if error else "nothing is missing"


def _folder(run: Path, name: str | None) -> Path:
    return run / "images" / name if name is not None else run / "images"


def _open(folder: Path, name: str) -> np.ndarray | None:
    path = folder / f"{name}.png"
    return np.asarray(Image.open(path), dtype=np.float32) / 255 if path.exists() else None


def rounds(run: Path) -> bytes:
    """A PNG of a run directory's scores over its rounds: PSNR, accuracy, or where there is neither the loss."""
    rows = read_rounds(run)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
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
_ERROR = (("reconstruction_error", "o-", BLUE, "of held-out pictures"),)
_SCORES: tuple[tuple[type[Round], Any, str], ...] = (
    (Restored, _PSNR, "PSNR in dB"),
    (Classified, _ACCURACY, "accuracy on test pictures"),
    (Recovered, (("psnr", "o-", BLUE, "of the restart kept"),), "PSNR in dB"),
    (Generated, _ERROR, "reconstruction error, MSE on [-1, 1]"),
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
