"""How a prior is fitted, and on what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lipdip.core.errors import UserError
from lipdip.fit.stopping import RULES
from lipdip.tasks.recovery.objectives import OBJECTIVES


def require(ok: bool, message: str) -> None:
    """Refuse with ``message`` what is not ``ok``."""
    if not ok:
        raise UserError(message)


@dataclass(frozen=True)
class FitSettings:
    """The budget of one round, and how it is spent.

    Args:
        steps: optimisation steps a round.
        lr: learning rate of Adam.
        reg_noise_std: standard deviation of the jitter added to the code at every step.
        ema: decay of the output average, which starts at the first output.
        record_every: steps between two rows of ``curves.csv``; SSIM is taken there only.
        answer: which picture is scored: ``average`` (the output average), ``output`` (the raw output) or
            ``lowest_loss`` (the raw output of the step with the lowest fitting loss so far, as the deep decoder's
            authors do).
        code: ``fixed`` (the same code in every round) or ``resampled`` (a new one each round, as the public code does).
        stop_rule: which rule chooses a step without a clean image: ``wmv`` or ``emv`` (windowed or exponential
            moving variance of the output).
        stop_window: its window, in steps.
        stop_patience: after so many steps without a lower variance it stops looking.
        stop_early: whether the round really ends then.
        weight_decay: of Adam (L2).
        weight_noise: standard deviation of the noise added to the convolution weights after every step (SGLD).
        burn_in: steps before the output average begins as a plain mean of samples (SGLD's posterior mean), or None
            for the exponential average.
        thin: steps between two of those samples.

    Raises:
        UserError: on a value that makes no sense, named as on the command line.
    """

    steps: int
    lr: float = 0.01
    reg_noise_std: float = 0.0
    ema: float = 0.99
    record_every: int = 20
    answer: str = "average"
    code: str = "fixed"
    stop_rule: str = "wmv"
    stop_window: int = 100
    stop_patience: int = 1000
    stop_early: bool = False
    weight_decay: float = 0.0
    weight_noise: float = 0.0
    burn_in: int | None = None
    thin: int = 50

    def __post_init__(self) -> None:
        def number(value: object) -> bool:
            return isinstance(value, int | float) and not isinstance(value, bool)

        for name in ("steps", "record_every", "stop_window", "stop_patience", "thin"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool)
            require(whole and value >= 1, f"fit.{name} must be at least 1, not {value!r}")
        for name in ("reg_noise_std", "weight_decay", "weight_noise"):
            value = getattr(self, name)
            ok = number(value) and 0 <= value < float("inf")
            require(ok, f"fit.{name} must be a number of at least 0, not {value!r}")
        burn_in = self.burn_in
        whole = burn_in is None or (isinstance(burn_in, int) and not isinstance(burn_in, bool))
        require(
            whole and (burn_in is None or 0 <= burn_in < self.steps),
            f"fit.burn_in must be null or a whole number below fit.steps={self.steps}, not {burn_in!r}",
        )
        require(self.code in ("fixed", "resampled"), f"fit.code must be fixed or resampled, not {self.code!r}")
        require(self.stop_rule in RULES, f"fit.stop_rule must be {' or '.join(RULES)}, not {self.stop_rule!r}")
        require(isinstance(self.stop_early, bool), f"fit.stop_early must be true or false, not {self.stop_early!r}")
        require(number(self.lr) and 0 < self.lr < float("inf"), f"fit.lr must be a positive number, not {self.lr!r}")
        require(number(self.ema) and 0 <= self.ema < 1, f"fit.ema must lie in [0, 1), not {self.ema!r}")
        answers = ("average", "output", "lowest_loss")
        require(self.answer in answers, f"task.score.answer must be {', '.join(answers)}, not {self.answer!r}")


@dataclass(frozen=True)
class Multi:
    """What several pictures share when one network is fitted to all of them (Algorithm 2).

    Args:
        code: ``per_image``, or ``shared``: the same code for all; of pictures of different sizes its centre.
        head: ``shared``, or ``per_image``: a last convolution for each. With code and head both shared there is one
            output for all pictures (of one size), which can fit their mean and nothing else, as in the public script.
        loss: ``sum`` or ``mean`` over pictures.
        accumulate: differentiate one forward pass at a time, so that memory holds one picture's activations.

    Raises:
        UserError: on any other value.
    """

    code: str = "per_image"
    head: str = "shared"
    loss: str = "sum"
    accumulate: bool = True

    def __post_init__(self) -> None:
        choices = {"code": ("per_image", "shared"), "head": ("per_image", "shared"), "loss": ("sum", "mean")}
        for name, allowed in choices.items():
            value = getattr(self, name)
            require(value in allowed, f"multi.{name} must be {' or '.join(allowed)}, not {value!r}")
        require(isinstance(self.accumulate, bool), f"multi.accumulate must be true or false, not {self.accumulate!r}")


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


@dataclass(frozen=True)
class GanSettings:
    """The budget of one round of training a GAN, and how it is spent.

    Args:
        steps: of critic and generator, a round.
        batch: pictures in a step.
        lr: learning rate of both Adams (betas 0 and 0.99).
        gradient_penalty: weight of the critic's gradient penalty.
        drift: weight of the square of the critic's score on real pictures.
        ema: decay of the generator's average.
        grow: steps for each scale but the last, which has the rest; None trains all scales from the start.
        fade: share of a new scale's steps during which it fades in.
        record_every: steps between two rows of ``curves.csv``.
        judged: held-out pictures that a round is judged by.
        judging_steps: of Adam on their codes.

    Raises:
        UserError: on a value that makes no sense, named as on the command line.
    """

    steps: int
    batch: int = 64
    lr: float = 2e-4
    gradient_penalty: float = 10.0
    drift: float = 1e-3
    ema: float = 0.999
    grow: int | None = None
    fade: float = 0.5
    record_every: int = 20
    judged: int = 16
    judging_steps: int = 200

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "record_every", "judged", "judging_steps", "grow"):
            value = getattr(self, name)
            whole = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            require(whole or (name == "grow" and value is None), f"fit.{name} must be at least 1, not {value!r}")
        for name, (low, high) in {
            "lr": (0.0, float("inf")),
            "gradient_penalty": (0.0, float("inf")),
            "drift": (0.0, float("inf")),
            "ema": (0.0, 1.0),
            "fade": (0.0, 1.0),
        }.items():
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            require(number and low <= value <= high, f"fit.{name} must lie between {low:g} and {high:g}, not {value!r}")

    def stage(self, step: int, scales: int) -> tuple[int, float]:
        """How many scales are trained in ``step``, counted from 0, and the finest one's share."""
        if self.grow is None:
            return scales, 1.0
        stage = min(step // self.grow, scales - 1)
        within = (step - stage * self.grow) / max(self.fade * self.grow, 1)
        return stage + 1, 1.0 if stage == 0 else min(within, 1.0)


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
