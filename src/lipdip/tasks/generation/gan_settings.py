"""How a GAN is trained."""

from dataclasses import dataclass

from lipdip.core.check import FEATURES, LARGE, STEPS, number


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
        ValueError: on a value that makes no sense; its first word is the setting.
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
        for name in ("steps", "record_every", "judging_steps"):
            number(name, getattr(self, name), low=1, most=STEPS, whole=True)
        for name in ("batch", "judged"):
            number(name, getattr(self, name), low=1, most=FEATURES, whole=True)
        number("grow", self.grow, low=1, most=STEPS, whole=True, optional=True)
        for name in ("lr", "gradient_penalty", "drift"):
            number(name, getattr(self, name), low=0, most=LARGE)
        for name in ("ema", "fade"):
            number(name, getattr(self, name), low=0, high=1)

    def stage(self, step: int, scales: int) -> tuple[int, float]:
        """How many scales are trained in ``step``, counted from 0, and the finest one's share."""
        if self.grow is None:
            return scales, 1.0
        stage = min(step // self.grow, scales - 1)
        within = (step - stage * self.grow) / max(self.fade * self.grow, 1)
        return stage + 1, 1.0 if stage == 0 else min(within, 1.0)
