"""The two pictures of one run: what was restored, and how far the network could be pruned."""

import io
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from lipdip.core.records import Round, read_rounds
from lipdip.lottery.matching import most_sparse_matching

_BLUE, _ORANGE, _GREY, _GREEN = "#1f5fa8", "#d9822b", "#7a7a7a", "#2e8b57"


def _bytes(figure: Figure) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=150, metadata={"Software": None})
    return out.getvalue()


def _score(row: Round) -> str:
    return f"loss {row.loss:.2e}" if row.psnr_best is None else f"{row.psnr_best:.2f} dB"


def comparison(run: Path) -> bytes:
    """A PNG with the pictures of a run directory side by side: clean, measured, and the restored ones."""
    rounds = read_rounds(run)
    dense, last, winner = rounds[0], rounds[-1], most_sparse_matching(rounds)
    panels = [("clean", "clean", ""), ("measured", "measured", "")]
    panels.append(("restored_dense", "dense", f"{_score(dense)}, {dense.kept_weights:,} weights"))
    if winner is not None:
        what = f"{_score(winner)}, {winner.kept_weights:,} weights"
        panels.append(("restored_matching", f"winning ticket, sparsity {winner.sparsity:.3f}", what))
    if len(rounds) > 1 and last is not winner:
        what = f"{_score(last)}, {last.kept_weights:,} weights"
        panels.append(("restored_last", f"last round, sparsity {last.sparsity:.3f}", what))
    panels = [panel for panel in panels if (run / "images" / f"{panel[0]}.png").exists()]
    clean = _open(run, "clean")
    figure = Figure(figsize=(2.9 * len(panels), 3.5), layout="constrained")
    for axes, (file, title, below) in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels, strict=True):
        picture = _open(run, file)
        if file == "measured" and clean is not None and picture is not None and picture.shape == clean.shape:
            error = float(np.mean((picture - clean) ** 2))
            below = f"{-10 * np.log10(error):.2f} dB" if error else "nothing is missing"
        axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(title, fontsize=10)
        axes.set_xlabel(below, fontsize=9)
        axes.set_xticks([])
        axes.set_yticks([])
    return _bytes(figure)


def _open(run: Path, name: str) -> np.ndarray | None:
    path = run / "images" / f"{name}.png"
    return np.asarray(Image.open(path), dtype=np.float32) / 255 if path.exists() else None


def rounds(run: Path) -> bytes:
    """A PNG of a run directory's scores over its rounds: PSNR where there is a clean image, else the loss."""
    rows = read_rounds(run)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    number = [row.round for row in rows]
    if rows[0].psnr_best is None:
        axes.plot(number, [row.loss for row in rows], "o-", color=_BLUE, label="fitting loss at the end of the round")
        axes.set_ylabel("loss")
    else:
        _draw_psnr(axes, rows)
    axes.set_xticks(number, [f"{row.sparsity:.3f}" for row in rows], rotation=45, ha="right", fontsize=8)
    axes.set_xlabel("sparsity (fraction of the prunable weights that is pruned)")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8)
    return _bytes(figure)


def _draw_psnr(axes: Axes, rows: list[Round]) -> None:
    number = [row.round for row in rows]
    dense, winner = rows[0], most_sparse_matching(rows)
    assert dense.psnr_best is not None
    axes.axhline(dense.psnr_best, color=_GREY, linewidth=1, linestyle="--", label=f"dense, {dense.psnr_best:.2f} dB")
    for name, style, colour, label in (
        ("psnr_best", "o-", _BLUE, "best over the run (oracle)"),
        ("psnr_ema", ".-", _GREEN, "last output average"),
        ("psnr_last", ".-", _ORANGE, "last output"),
    ):
        axes.plot(number, [float(getattr(row, name)) for row in rows], style, color=colour, label=label, linewidth=1.2)
    if winner is not None and winner.psnr_best is not None:
        label = f"most sparse matching ticket, sparsity {winner.sparsity:.3f}"
        axes.plot(winner.round, winner.psnr_best, "*", color=_BLUE, markersize=16, label=label, zorder=5)
    axes.set_ylabel("PSNR in dB")
