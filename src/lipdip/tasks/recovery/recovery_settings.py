"""How codes are searched."""

from dataclasses import dataclass

from lipdip.fit.settings import require
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
        UserError: on a value that makes no sense, named as on the command line.
    """

    steps: int = 1500
    lr: float = 0.01
    restarts: int = 4
    objective: str = "mse"
    block: int = 20
    record_every: int = 50
    baseline: str | None = None

    def __post_init__(self) -> None:
        for name in ("steps", "restarts", "block", "record_every"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            require(whole, f"fit.{name} must be at least 1, not {value!r}")
        number = isinstance(self.lr, int | float) and not isinstance(self.lr, bool)
        require(number and 0 < self.lr < float("inf"), f"fit.lr must be a positive number, not {self.lr!r}")
        allowed = ", ".join(OBJECTIVES)
        require(self.objective in OBJECTIVES, f"fit.objective must be {allowed}, not {self.objective!r}")
        require(self.baseline in (None, "lasso"), f"fit.baseline must be lasso or null, not {self.baseline!r}")
