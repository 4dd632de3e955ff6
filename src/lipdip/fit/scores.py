"""Scores of one round: which there are, and how they are followed on the device until somebody asks.

A column of scores is a field of :class:`Scored`, and a line of :meth:`Scores.final`; tables and the terminal follow.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from lipdip.core.metrics import Metric
from lipdip.fit.settings import FitSettings
from lipdip.fit.stopping import FirstDescent, rule


def column(title: str = "", digits: int = 2, **more: Any) -> Any:
    """A column of scores: its title in the terminal (none: it is not shown there), and digits after the point."""
    return field(metadata={"title": title, "digits": digits}, **more)


@dataclass(frozen=True, kw_only=True)
class Scored:
    """The scores of a restored picture: PSNR in dB and SSIM; None where there is no clean image.

    ``psnr_best`` is the best over the run and so an oracle; ``ssim_best`` is the SSIM of that same picture.
    ``psnr_last`` is the last output's and ``psnr_ema`` the last output average's. ``psnr_stop`` is the PSNR at
    ``stop_step``, chosen by a rule that never sees the clean image; ``psnr_stop_gap`` is what it falls short of
    ``psnr_best``. ``psnr_consistent`` is of that best picture once it was given the measurement, such as known pixels;
    None where the physics has no such picture.
    """

    psnr_best: float | None = column("best {picture}")
    psnr_best_step: int | None = column("at step", 0)
    psnr_stop: float | None = column("by rule")
    psnr_last: float | None = column("last output")
    psnr_ema: float | None = column("last average")
    ssim_best: float | None = column("SSIM", 3)
    psnr_consistent: float | None = column("data kept", default=None)
    psnr_stop_gap: float | None = column()
    stop_step: int | None = column()


@dataclass(frozen=True)
class CurvePoint:
    """One row of ``curves.csv``: loss and scores of one step, with the output (``psnr``) and its average."""

    round: int
    picture: str
    step: int
    loss: float
    psnr: float | None
    psnr_ema: float | None
    ssim: float | None


_LOSS, _PSNR, _PSNR_EMA, _SSIM = range(4)


class _Kept:
    """A picture and its PSNR, replaced where a condition on the device says so."""

    def __init__(self, device: torch.device) -> None:
        self.psnr = torch.tensor(-torch.inf, device=device)
        self.step = torch.tensor(0, device=device)
        self.picture: Tensor | None = None

    def replace(self, condition: Tensor, picture: Tensor, psnr: Tensor, step: int) -> None:
        self.psnr = torch.where(condition, psnr, self.psnr)
        self.step = torch.where(condition, step, self.step)
        self.picture = picture if self.picture is None else torch.where(condition, picture, self.picture)

    def state_dict(self) -> dict[str, Any]:
        return dict(vars(self))


class Scores:
    """Follows a fit step by step: the output average, the curves, the best picture and the one a stopping rule chose.

    Nothing here waits for the device: every number stays there until it is asked for.

    Args:
        settings: budget, average, stopping rule, and which picture is scored.
        metric: how it is compared.
        clean: (1, C, H, W), or None: then there are no scores but the loss.
        consistent: makes of a picture the one next to it that has the very measurement, or None.
    """

    def __init__(
        self,
        settings: FitSettings,
        metric: Metric,
        clean: Tensor | None,
        device: torch.device,
        consistent: Callable[[Tensor], Tensor | None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._metric = metric
        self._clean = clean
        self._consistent = consistent
        self._view = None if clean is None else metric.view(clean)
        self._curve = torch.full((4, settings.steps), torch.nan, device=device)
        self._steps = 0
        self._samples = 0
        self._output: Tensor | None = None
        self._average: Tensor | None = None
        self._best = _Kept(device)
        self._lowest = _Kept(device)  # its psnr is minus the loss
        self._chosen = _Kept(device)
        window, patience = settings.stop_window, settings.stop_patience
        self._rule = rule(settings.stop_rule, window, patience, device, settings.stop_alpha)
        self._descent = FirstDescent(settings.stop_window, settings.stop_guard, device)

    @torch.no_grad()
    def update(self, loss: Tensor, output: Tensor) -> None:
        """Take in the loss and the output (1, C, H, W) of the next step."""
        step = self._steps
        self._steps += 1
        self._output = output
        self._average = self._averaged(output)
        self._curve[_LOSS, step] = loss
        if self._settings.answer == "lowest_loss":
            self._lowest.replace(-loss > self._lowest.psnr, output, -loss, self._steps)
        answer = self._answer()
        psnr = self._curve[_PSNR, step]  # not a number where there is no clean image
        if self._clean is not None and self._view is not None:
            last = self._metric.psnr_to_view(output, self._view)
            average = self._metric.psnr_to_view(self._average, self._view)
            self._curve[_PSNR, step], self._curve[_PSNR_EMA, step] = last, average
            known = {"output": last, "average": average}.get(self._settings.answer)
            psnr = self._metric.psnr_to_view(answer, self._view) if known is None else known
            self._best.replace(psnr > self._best.psnr, answer, psnr, self._steps)
            if self._recorded(self._steps):
                self._curve[_SSIM, step] = self._metric.ssim(answer, self._clean)
        watched = output if self._settings.stop_on == "output" else answer
        self._chosen.replace(self._rule.update(watched, self._descent.update(loss)), answer, psnr, self._steps)

    def _answer(self) -> Tensor:
        """The picture that is scored, as of now."""
        pictures = {"average": self._average, "output": self._output, "lowest_loss": self._lowest.picture}
        answer = pictures[self._settings.answer]
        assert answer is not None
        return answer

    def _averaged(self, output: Tensor) -> Tensor:
        """The output average: exponential, or over samples after ``burn_in`` (a posterior mean)."""
        settings = self._settings
        if self._average is None:
            return output.clone()
        if settings.burn_in is None:
            known = 1 - settings.ema**self._steps if settings.ema_correct else 1.0  # share of it that is outputs
            new = (1 - settings.ema) / known
            return self._average * (1 - new) + output * new
        if self._steps <= settings.burn_in:
            return output
        if (self._steps - settings.burn_in - 1) % settings.thin:
            return self._average
        self._samples += 1
        return output if self._samples == 1 else self._average + (output - self._average) / self._samples

    def _recorded(self, step: int) -> bool:
        return self._settings.recorded(step)

    @property
    def stopped(self) -> bool:
        """Whether the stopping rule has ended its search; asked of the device at recorded steps alone."""
        # At fixed steps only, so that the end does not depend on how fast the machine is.
        return self._settings.stop_early and self._steps > 0 and self._recorded(self._steps) and self._rule.over

    @property
    def answer(self) -> Tensor:
        """The restored picture: with a clean image the best of the run (an oracle's choice), else the rule's."""
        if self._best.picture is not None:
            return self._best.picture
        if self._rule.chosen is not None:
            assert self._chosen.picture is not None
            return self._chosen.picture
        return self._answer()

    def last(self) -> tuple[float, float | None]:
        """Loss, and score so far (best PSNR in dB, None without a clean image); waits for the device."""
        loss = self._curve[_LOSS, self._steps - 1].item()
        return loss, None if self._clean is None else self._best.psnr.item()

    def final(self) -> dict[str, Any]:
        """The round's loss, and its scores as in :class:`Scored`."""
        curve = self._curve[:, self._steps - 1].tolist()
        scores: dict[str, Any] = {one.name: None for one in fields(Scored)}
        if self._clean is not None:
            best = self._best.psnr.item()
            stop = None if self._rule.chosen is None else self._chosen.psnr.item()
            consistent = self._consistent(self.answer)
            scores = {
                "psnr_best": best,
                "psnr_best_step": int(self._best.step),
                "psnr_last": curve[_PSNR],
                "psnr_ema": curve[_PSNR_EMA],
                "psnr_stop": stop,
                "psnr_stop_gap": None if stop is None else best - stop,
                "psnr_consistent": None if consistent is None else self._metric.psnr(consistent, self._clean).item(),
                "ssim_best": self._metric.ssim(self.answer, self._clean).item(),
            }
        return {**scores, "stop_step": self._rule.chosen, "loss": curve[_LOSS]}

    def points(self, number: int, picture: str) -> list[CurvePoint]:
        """The recorded rows of the curves, as rows of round ``number`` and of ``picture``."""
        steps = [step for step in range(1, self._steps + 1) if self._recorded(step)]
        columns = self._curve[:, [step - 1 for step in steps]].tolist()
        rows = zip(steps, *columns, strict=True)
        if self._clean is None:
            return [CurvePoint(number, picture, step, loss, None, None, None) for step, loss, *_ in rows]
        return [CurvePoint(number, picture, *row) for row in rows]

    _parts = ("_best", "_lowest", "_chosen", "_rule", "_descent")
    _plain = ("_curve", "_steps", "_samples", "_output", "_average")

    def state_dict(self) -> dict[str, Any]:
        """All of it, as plain values and tensors."""
        plain = {name: getattr(self, name) for name in self._plain}
        return plain | {name: getattr(self, name).state_dict() for name in self._parts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        device = self._curve.device

        def here(value: Any) -> Any:
            return value.to(device) if isinstance(value, Tensor) else value

        for name in self._plain:
            setattr(self, name, here(state[name]))
        for name in ("_best", "_lowest", "_chosen"):
            for part, value in state[name].items():
                setattr(getattr(self, name), part, here(value))
        self._rule.load_state_dict(state["_rule"])
        self._descent.load_state_dict(state["_descent"])
