"""What a run that trains a GAN says of a round, and in which words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from lipdip.runs.rows import Round


@dataclass(frozen=True, kw_only=True)
class Generated(Round):
    """A round of training a GAN. ``loss`` is the critic's last, ``generator_loss`` the generator's, ``distance`` the
    critic's estimate of how far generated pictures are from real ones. ``reconstruction_error``: per-pixel MSE, on
    [-1, 1], of held-out pictures that the average generator was brought to; the lower the better, and decides
    ``matching``.
    """

    generator_loss: float
    distance: float
    reconstruction_error: float

    headline: ClassVar = "reconstruction_error"
    unit: ClassVar = "error"
    lines: ClassVar = (("reconstruction_error", "mean over held-out pictures"),)
    axis: ClassVar = "reconstruction error\n(MSE on [-1, 1], lower is better)"

    @property
    @override
    def score(self) -> float | None:
        return -self.reconstruction_error

    @override
    def score_in_words(self) -> str:
        return f"held-out error {self.reconstruction_error:.4f}"

    @classmethod
    @override
    def title(cls, summary: Mapping[str, Any]) -> str:
        return "the critic's loss and distance, and how far held-out pictures are from what a code reaches (MSE)"

    @classmethod
    @override
    def columns(cls, summary: Mapping[str, Any]) -> Mapping[str, Callable[[Any], str]]:
        return {
            "loss": lambda row: f"{row.loss:.3f}",
            "distance": lambda row: f"{row.distance:.3f}",
            "held-out error": lambda row: f"{row.reconstruction_error:.4f}",
        }


@dataclass(frozen=True)
class AdversarialPoint:
    """One row of ``curves.csv``: the losses after a step, how many scales were trained, and the last one's share."""

    round: int
    step: int
    scales: int
    alpha: float
    loss: float
    generator_loss: float
    distance: float
