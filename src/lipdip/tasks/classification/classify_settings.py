"""How a classifier is trained."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lipdip.fit.settings import require


@dataclass(frozen=True)
class ClassifySettings:
    """The budget of one round of training a classifier by SGD, and how it is spent.

    Args:
        epochs: passes over the training pictures a round.
        batch: pictures in a step.
        lr: learning rate at the beginning.
        momentum: of SGD.
        weight_decay: of SGD (L2).
        milestones: shares of the epochs after which the learning rate falls; 91 and 136 of the paper's 182.
        decay: by what it is then multiplied.
        sigmoid: feed sigmoid outputs to the cross-entropy, as the public script does.

    Raises:
        UserError: on a value that makes no sense, named as on the command line.
    """

    epochs: int
    batch: int = 256
    lr: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 2e-4
    milestones: Sequence[float] = (0.5, 0.75)
    decay: float = 0.1
    sigmoid: bool = False

    def __post_init__(self) -> None:
        def number(value: object) -> bool:
            return isinstance(value, int | float) and not isinstance(value, bool)

        for name in ("epochs", "batch"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            require(whole and value >= 1, f"fit.{name} must be at least 1, not {value!r}")
        require(number(self.lr) and 0 < self.lr < float("inf"), f"fit.lr must be a positive number, not {self.lr!r}")
        for name, top in {"momentum": 1.0, "weight_decay": float("inf"), "decay": float("inf")}.items():
            value = getattr(self, name)
            require(number(value) and 0 <= value < top, f"fit.{name} must lie in [0, {top:g}), not {value!r}")
        shares: Sequence[Any] = [None] if isinstance(self.milestones, str | float | int) else self.milestones
        require(
            all(number(share) and 0 < share < 1 for share in shares),
            f"fit.milestones must be shares of the epochs between 0 and 1, not {self.milestones!r}",
        )
        require(isinstance(self.sigmoid, bool), f"task.sigmoid must be true or false, not {self.sigmoid!r}")

    def lr_in(self, epoch: int) -> float:
        """The learning rate of ``epoch``, counted from 0."""
        passed = sum(epoch >= round(share * self.epochs) for share in self.milestones)
        return self.lr * self.decay**passed
