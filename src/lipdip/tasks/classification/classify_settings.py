"""How a classifier is trained."""

from collections.abc import Sequence
from dataclasses import dataclass

from lipdip.core.check import FEATURES, LARGE, flag, number


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
        ValueError: on a value that makes no sense; its first word is the setting.
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
        number("epochs", self.epochs, low=1, most=FEATURES, whole=True)
        number("batch", self.batch, low=1, most=FEATURES, whole=True)
        number("lr", self.lr, above=0, most=LARGE)
        number("momentum", self.momentum, low=0, below=1)
        number("weight_decay", self.weight_decay, low=0, most=LARGE)
        number("decay", self.decay, low=0, most=LARGE)
        if isinstance(self.milestones, str | float | int):
            raise ValueError(f"milestones must be shares of the epochs between 0 and 1, not {self.milestones!r}")
        for share in self.milestones:
            number("milestones", share, above=0, below=1)
        flag("sigmoid", self.sigmoid)

    def lr_in(self, epoch: int) -> float:
        """The learning rate of ``epoch``, counted from 0."""
        passed = sum(epoch >= round(share * self.epochs) for share in self.milestones)
        return self.lr * self.decay**passed
