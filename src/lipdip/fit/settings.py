"""How a prior is fitted, and on what."""

from dataclasses import dataclass

from lipdip.core.check import LARGE, STEPS, choice, flag, number
from lipdip.fit.stopping import RULES

ANSWERS = ("average", "output", "lowest_loss")


@dataclass(frozen=True)
class FitSettings:
    """The budget of one round, and how it is spent.

    Args:
        steps: optimisation steps a round.
        lr: learning rate of Adam.
        reg_noise_std: standard deviation of the jitter added to the code at every step.
        ema: decay of the output average.
        ema_correct: whether the average is corrected for its beginning, as Adam's moments are; without it the first
            outputs, which resemble nothing, are in it for some ``5 / (1 - ema)`` steps, as in the public scripts.
        record_every: steps between two rows of ``curves.csv``; SSIM is taken there only.
        answer: which picture is scored: ``average`` (the output average), ``output`` (the raw output) or
            ``lowest_loss`` (the raw output of the step with the lowest fitting loss so far, as the deep decoder's
            authors do).
        code: ``fixed`` (the same code in every round) or ``resampled`` (a new one each round, as the public code does).
        stop_rule: which rule chooses a step without a clean image: ``wmv`` or ``emv`` (windowed or exponential
            moving variance of the output).
        stop_window: its window, in steps.
        stop_alpha: the rate of ``emv``'s moving mean and variance.
        stop_on: what the rule watches: ``output``, as published, or the ``answer``, which is what it returns.
        stop_guard: a step is chosen for good only once a window's mean loss is no less than this share of the window's
            before it, so that the first descent is over; 0: at once, as published.
        stop_patience: after so many steps without a lower variance it stops looking.
        stop_early: whether the round really ends then.
        weight_decay: of Adam (L2).
        weight_noise: standard deviation of the noise added to the convolution weights after every step (SGLD).
        burn_in: steps before the output average begins as a plain mean of samples (SGLD's posterior mean), or None
            for the exponential average.
        thin: steps between two of those samples.

    Raises:
        ValueError: on a value that makes no sense; its first word is the setting.
    """

    steps: int
    lr: float = 0.01
    reg_noise_std: float = 0.0
    ema: float = 0.99
    ema_correct: bool = True
    record_every: int = 20
    answer: str = "average"
    code: str = "fixed"
    stop_rule: str = "wmv"
    stop_window: int = 100
    stop_alpha: float = 0.1
    stop_on: str = "output"
    stop_guard: float = 0.8
    stop_patience: int = 1000
    stop_early: bool = False
    weight_decay: float = 0.0
    weight_noise: float = 0.0
    burn_in: int | None = None
    thin: int = 50

    def __post_init__(self) -> None:
        for name in ("steps", "record_every", "stop_window", "stop_patience", "thin"):
            number(name, getattr(self, name), low=1, most=STEPS, whole=True)
        number("reg_noise_std", self.reg_noise_std, low=0)
        for name in ("weight_decay", "weight_noise"):
            number(name, getattr(self, name), low=0, most=LARGE)
        number("burn_in", self.burn_in, low=0, below=self.steps, whole=True, optional=True)
        number("lr", self.lr, above=0, most=LARGE**2)  # a large one is a fit that diverges, and says so
        number("ema", self.ema, low=0, below=1)
        choice("code", self.code, ("fixed", "resampled"))
        choice("stop_rule", self.stop_rule, RULES)
        number("stop_alpha", self.stop_alpha, above=0, high=1)
        number("stop_guard", self.stop_guard, low=0, high=1)
        choice("stop_on", self.stop_on, ("output", "answer"))
        choice("answer", self.answer, ANSWERS)
        flag("ema_correct", self.ema_correct)
        flag("stop_early", self.stop_early)

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
        ValueError: on any other value.
    """

    code: str = "per_image"
    head: str = "shared"
    loss: str = "sum"
    accumulate: bool = True

    def __post_init__(self) -> None:
        for name, allowed in (
            ("code", ("per_image", "shared")),
            ("head", ("per_image", "shared")),
            ("loss", ("sum", "mean")),
        ):
            choice(name, getattr(self, name), allowed)
        flag("accumulate", self.accumulate)
