"""What a run that trains a classifier says of a round, and in which words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from typing_extensions import override

from lipdip.runs.rows import Round


@dataclass(frozen=True, kw_only=True)
class Classified(Round):
    """A round of training a classifier: the share of test pictures that are named right.

    ``accuracy`` is the last epoch's and decides ``matching``; ``accuracy_best`` is an oracle's choice of epoch.
    ``loss`` is the last epoch's mean over the training pictures.
    """

    accuracy: float
    accuracy_best: float
    accuracy_best_epoch: int

    headline: ClassVar = "accuracy"
    unit: ClassVar = "accuracy"
    lines: ClassVar = (("accuracy", "after the last epoch"), ("accuracy_best", "best epoch (oracle)"))
    axis: ClassVar = "accuracy on test pictures"

    @property
    @override
    def score(self) -> float | None:
        return self.accuracy

    @override
    def score_in_words(self) -> str:
        return f"accuracy {self.accuracy:.4f}"

    @classmethod
    @override
    def title(cls, summary: Mapping[str, Any]) -> str:
        return "share of test pictures named right, after the last epoch and after the best (an oracle's choice)"

    @classmethod
    @override
    def columns(cls, summary: Mapping[str, Any]) -> Mapping[str, Callable[[Any], str]]:
        return {
            "loss": lambda row: f"{row.loss:.3e}",
            "accuracy": lambda row: f"{row.accuracy:.4f}",
            "best": lambda row: f"{row.accuracy_best:.4f}",
            "at epoch": lambda row: str(row.accuracy_best_epoch),
        }


@dataclass(frozen=True)
class ClassifyingPoint:
    """One row of ``curves.csv``: after one epoch, the mean training loss and the test accuracy."""

    round: int
    epoch: int
    loss: float
    accuracy: float
