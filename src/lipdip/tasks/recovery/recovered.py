"""What a run that recovers pictures with a generator says of a round, and in which words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from lipdip.runs.rows import Round, number


@dataclass(frozen=True, kw_only=True)
class Recovered(Round):
    """Pictures recovered by a pretrained generator, the mean over pictures.

    ``mse`` is per pixel on [-1, 1] and ``psnr`` in dB, of the restart with the lowest objective; None where there is no
    clean picture. ``loss`` is that objective.
    """

    measurements: int
    mse: float | None
    psnr: float | None

    headline: ClassVar = "mse"
    lines: ClassVar = (("psnr", "mean over pictures, of the restart kept"),)
    axis: ClassVar = "PSNR in dB"

    @property
    @override
    def score(self) -> float | None:
        return self.psnr

    @override
    def score_in_words(self) -> str:
        return f"{self.psnr:.2f} dB"

    @classmethod
    @override
    def title(cls, summary: Mapping[str, Any]) -> str:
        return "of the restart with the lowest objective; MSE per pixel on [-1, 1], PSNR in dB"

    @classmethod
    @override
    def columns(cls, summary: Mapping[str, Any]) -> Mapping[str, Callable[[Any], str]]:
        return {
            "measurements": lambda row: f"{row.measurements:,}",
            "objective": lambda row: f"{row.loss:.3e}",
            "MSE": lambda row: number(row.mse, 4),
            "PSNR": lambda row: number(row.psnr, 2),
        }


@dataclass(frozen=True)
class RecoveredPicture:
    """One row of a recovery's ``pictures.csv``: which restart was kept, its objective, and how good it is.

    ``mse_lasso`` is the baseline's, where it was asked for.
    """

    round: int
    sparsity: float
    picture: str
    restart: int
    objective: float
    mse: float | None
    psnr: float | None
    mse_lasso: float | None = None


@dataclass(frozen=True)
class RecoveringPoint:
    """One row of ``curves.csv``: after a step, the means over pictures of objective and MSE of the kept restarts."""

    round: int
    step: int
    objective: float
    mse: float | None
