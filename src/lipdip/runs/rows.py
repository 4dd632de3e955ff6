"""What every kind of run says of a round: the columns that all ``rounds.csv`` have, and how a kind shows its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class Round:
    """One row of ``rounds.csv``: what the network with this round's mask reached under the full budget.

    ``loss`` is the last step's, and ``steps`` how many there were. ``dead_channels`` keep no weight;
    ``parameters_kept`` counts biases and BatchNorm too; ``flops`` and ``flops_kept`` are of one forward pass through
    the prunable layers, dense and kept.
    ``matching``: :attr:`score` is no worse than the dense network's; None where that cannot be known.

    A kind of run has a subclass with its scores, which also says how they are shown.
    """

    round: int
    sparsity: float
    kept_weights: int
    loss: float
    seconds: float
    steps: int = 0
    matching: bool | None = None
    dead_channels: int = 0
    parameters_kept: int = 0
    flops: int = 0
    flops_kept: int = 0

    headline: ClassVar[str] = "loss"
    """The column that exhibits and figures show."""

    unit: ClassVar[str] = "dB"
    """What :attr:`score` is in."""

    lines: ClassVar[Sequence[tuple[str, str]]] = (("loss", "fitting loss at the end of the round"),)
    """What the figure over the rounds draws: columns and their names; the first is the run's score."""

    axis: ClassVar[str] = "loss"
    """Label of that figure's vertical axis."""

    @property
    def score(self) -> float | None:
        """What the matching test compares, higher is better; None where nobody can know it."""
        return None

    @property
    def still_rising(self) -> bool:
        """Whether its score was still getting better when the round ended; False where that cannot be known."""
        return False

    @property
    def headline_value(self) -> float | None:
        """The value of :attr:`headline`."""
        value: float | None = getattr(self, self.headline)
        return value

    def score_in_words(self) -> str:
        """The score with its unit, such as ``25.99 dB``."""
        return f"loss {self.loss:.3e}"

    @classmethod
    def title(cls, summary: Mapping[str, Any]) -> str:
        """What stands above the table of rounds in the terminal; ``summary`` as in ``summary.json``."""
        return ""

    @classmethod
    def remarks(cls, rounds: Sequence[Any]) -> Sequence[str]:
        """What a reader of a run's table should know, in sentences."""
        return ()

    @classmethod
    def columns(cls, summary: Mapping[str, Any]) -> Mapping[str, Callable[[Any], str]]:
        """The columns of scores in the terminal, by title: from a row to its text."""
        return {"loss": lambda row: f"{row.loss:.3e}"}


def number(value: float | None, digits: int) -> str:
    """A number as text, empty where there is none."""
    return "" if value is None else f"{value:.{digits}f}"
