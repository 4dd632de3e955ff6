"""How codes are searched."""

from dataclasses import dataclass

from lipdip.core.check import FEATURES, LARGE, STEPS, choice, number
from lipdip.tasks.recovery.objectives import OBJECTIVES


@dataclass(frozen=True)
class RecoverySettings:
    """How codes are searched whose pictures give the measurements.

    Args:
        steps: of Adam.
        lr: of Adam.
        restarts: codes for each picture, all searched at once; the best by the objective is kept.
        objective: ``mse``, ``l1`` or ``median_of_means``.
        block: measurements in a block of the median of means.
        record_every: steps between two rows of ``curves.csv``.
        baseline: ``lasso``, the Lasso in a cosine basis beside it, or None.

    Raises:
        ValueError: on a value that makes no sense; its first word is the setting.
    """

    steps: int = 1500
    lr: float = 0.01
    restarts: int = 4
    objective: str = "mse"
    block: int = 20
    record_every: int = 50
    baseline: str | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "block", "record_every"):
            number(name, getattr(self, name), low=1, most=STEPS, whole=True)
        number("restarts", self.restarts, low=1, most=FEATURES, whole=True)
        number("lr", self.lr, above=0, most=LARGE)
        choice("objective", self.objective, OBJECTIVES)
        choice("baseline", self.baseline, (None, "lasso"))
