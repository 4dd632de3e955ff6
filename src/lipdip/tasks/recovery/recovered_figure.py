"""The pictures of a recovery side by side: clean, measured, recovered, and the baseline's."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lipdip.figures.run_figures import GIVEN, RunPanel, comparison, lost
from lipdip.runs.rows import Round
from lipdip.tasks.recovery.recovered import RecoveredPicture


def recovered_figure(images: Path, row: Round, scores: Sequence[RecoveredPicture]) -> bytes:
    """A PNG of a run's pictures.

    Args:
        images: the run's folder of pictures.
        row: its only round; a recovery prunes nothing.
        scores: the rows of its pictures.
    """
    own = {found.picture: found for found in scores}
    recovered = RunPanel("restored_dense", "recovered", row)
    if row.sparsity:
        recovered = RunPanel("restored_ticket", f"recovered, sparsity {row.sparsity:.3f}", row)

    def below(name: str, panel: RunPanel) -> str:
        found = own[name]
        error = (
            found.mse_lasso if panel.file == "lasso" else found.mse if panel.row else lost(images / name, panel.file)
        )
        return f"{-10 * np.log10(error / 4):.2f} dB, MSE {error:.4f}" if error else ""

    remarks = ["MSE per pixel on [-1, 1]"]
    if any((images / name / "measured.png").exists() for name in own):
        remarks.append("a measurement of 0, as of an unknown pixel, is grey")
    return comparison(images, [*GIVEN, recovered, RunPanel("lasso", "Lasso")], list(own), below, remarks)
