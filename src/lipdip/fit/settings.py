"""How a prior is fitted, and on what."""

from dataclasses import dataclass

from lipdip.core.errors import UserError
from lipdip.fit.stopping import RULES


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

    def recorded(self, step: int) -> bool:
        """Whether ``curves.csv`` has a row for a step, counted from 1."""
        return step == 1 or step % self.record_every == 0 or step == self.steps


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
