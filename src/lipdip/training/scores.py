"""Scores of one round, kept on the device until somebody asks."""

from typing import Any

import torch
from torch import Tensor

from lipdip.core.metrics import Metric
from lipdip.core.records import CurvePoint
from lipdip.training.settings import FitSettings

_LOSS, _PSNR, _PSNR_EMA, _SSIM = range(4)


class Scores:
    """Follows a fit step by step: the output average, the curves, and the best picture so far.

    Nothing here waits for the device: every number stays there until :meth:`points` or a property is read.

    Args:
        settings: budget, average and which picture is scored.
        metric: how it is compared.
        clean: (1, C, H, W), or None: then there are no scores but the loss.
    """

    def __init__(self, settings: FitSettings, metric: Metric, clean: Tensor | None, device: torch.device) -> None:
        self._settings = settings
        self._metric = metric
        self._clean = clean
        self._view = None if clean is None else metric.view(clean)
        self._curve = torch.full((4, settings.steps), torch.nan, device=device)
        self._steps = 0
        self._output: Tensor | None = None
        self._average: Tensor | None = None
        self._best: Tensor | None = None
        self._best_psnr = torch.tensor(-torch.inf, device=device)
        self._best_step = torch.tensor(0, device=device)

    @torch.no_grad()
    def update(self, loss: Tensor, output: Tensor) -> None:
        """Take in the loss and the output (1, C, H, W) of the next step."""
        settings, step = self._settings, self._steps
        self._steps += 1
        self._output = output
        if self._average is None:
            self._average = output.clone()
        else:
            self._average = self._average * settings.ema + output * (1 - settings.ema)
        self._curve[_LOSS, step] = loss
        if self._clean is None or self._view is None:
            return
        psnr = self._metric.psnr_to_view(output, self._view)
        psnr_average = self._metric.psnr_to_view(self._average, self._view)
        self._curve[_PSNR, step] = psnr
        self._curve[_PSNR_EMA, step] = psnr_average
        score, answer = (psnr_average, self._average) if settings.answer == "average" else (psnr, output)
        better = score > self._best_psnr
        self._best_psnr = torch.where(better, score, self._best_psnr)
        self._best_step = torch.where(better, self._steps, self._best_step)
        self._best = answer if self._best is None else torch.where(better, answer, self._best)
        if self._recorded(self._steps):
            self._curve[_SSIM, step] = self._metric.ssim(answer, self._clean)

    def _recorded(self, step: int) -> bool:
        return step == 1 or step % self._settings.record_every == 0 or step == self._settings.steps

    @property
    def steps(self) -> int:
        """Steps taken so far."""
        return self._steps

    @property
    def answer(self) -> Tensor:
        """The restored picture: with a clean image the best of the run (an oracle's choice), else the last."""
        if self._best is not None:
            return self._best
        last = self._average if self._settings.answer == "average" else self._output
        assert last is not None
        return last

    def last(self) -> tuple[float, float | None]:
        """Loss, and score so far (best PSNR in dB, None without a clean image); waits for the device."""
        loss = self._curve[_LOSS, self._steps - 1].item()
        return loss, None if self._clean is None else self._best_psnr.item()

    def final(self) -> dict[str, Any]:
        """The round's scores, named as in ``Round``."""
        curve = self._curve[:, self._steps - 1].tolist()
        scores: dict[str, Any] = dict.fromkeys(("psnr_best", "psnr_best_step", "psnr_last", "psnr_ema", "ssim_best"))
        if self._clean is not None:
            scores = {
                "psnr_best": self._best_psnr.item(),
                "psnr_best_step": int(self._best_step),
                "psnr_last": curve[_PSNR],
                "psnr_ema": curve[_PSNR_EMA],
                "ssim_best": self._metric.ssim(self.answer, self._clean).item(),
            }
        return {**scores, "loss": curve[_LOSS]}

    def points(self, number: int) -> list[CurvePoint]:
        """The recorded rows of the curves, as rows of round ``number``."""
        steps = [step for step in range(1, self._steps + 1) if self._recorded(step)]
        columns = self._curve[:, [step - 1 for step in steps]].tolist()
        rows = zip(steps, *columns, strict=True)
        if self._clean is None:
            return [CurvePoint(number, step, loss, None, None, None) for step, loss, *_ in rows]
        return [CurvePoint(number, *row) for row in rows]

    def state_dict(self) -> dict[str, Any]:
        """All of it, as plain values and tensors."""
        return {name: getattr(self, name) for name in self._state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        device = self._curve.device
        for name in self._state:
            value = state[name]
            setattr(self, name, value.to(device) if isinstance(value, Tensor) else value)

    _state = ("_curve", "_steps", "_output", "_average", "_best", "_best_psnr", "_best_step")
