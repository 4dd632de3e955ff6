"""Fitting a prior to what was measured of one picture, or of several at once."""

from collections.abc import Mapping
from functools import reduce
from typing import Any, ClassVar

import torch
from torch import Tensor
from typing_extensions import override

from lipdip.core.seeds import stream
from lipdip.fit.experiment import Restoration
from lipdip.fit.rounds import Rounds
from lipdip.fit.scores import Scores
from lipdip.fit.step import Langevin, fit_step, make_passes
from lipdip.pictures import draw_codes
from lipdip.pruning.context import LossTerm
from lipdip.runs.rows import CurvePoint, PictureScores, Restored, Round
from lipdip.tickets.scope import prunable


class PriorFitting(Rounds):
    """Fits ``f(z; m * theta)`` to the measurements, round after round, each from the same initialisation.

    Every round replays the same codes and the same jitter, so two rounds differ in their mask alone, and a ticket
    fitted by itself later gives the very same result. Of several pictures (Algorithm 2) the losses add up;
    ``multi`` says which of them share a code and an output.

    Args:
        experiment: what is fitted; its network is at its initialisation.
    """

    tables: ClassVar = {"rounds": Restored, "curves": CurvePoint, "pictures": PictureScores}

    def __init__(self, experiment: Restoration) -> None:
        super().__init__(experiment)
        clean = experiment.pruning.clean
        self.problems = [problem.without_noise() if clean else problem for problem in experiment.problems]
        self.codes = list(experiment.codes)
        self.metric = experiment.metric
        self.settings = experiment.settings
        self.multi = experiment.multi

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        settings, fused = self.settings, self.hardware.fused or None
        parameters = self.network.parameters()
        return torch.optim.Adam(parameters, lr=settings.lr, weight_decay=settings.weight_decay, fused=fused)

    @override
    def on_fit_start(self) -> None:
        self.problems = [problem.to(self.device) for problem in self.problems]
        self.codes = [code.to(self.device) for code in self.codes]
        super().on_fit_start()

    @override
    def begin(self) -> None:
        if self.settings.code == "resampled":
            shapes = [code.shape[1:] for code in self.codes]
            drawn = draw_codes(shapes, self.seed, self.multi.code == "shared", self.round)
            self.codes = [code.to(self.device) for code in drawn]
        self.passes = make_passes(self.network, self.problems, self.codes, self.multi, self.hardware)
        self._jitter = stream(self.seed, "jitter", self.device)
        noisy, langevin = prunable(self.network).values(), stream(self.seed, "langevin", self.device)
        self._langevin = Langevin(noisy, self.settings.weight_noise, langevin)
        self.scores = [Scores(self.settings, self.metric, problem.x, self.device) for problem in self.problems]

    @override
    def loss_terms(self) -> list[LossTerm]:
        return [LossTerm(one.code, part.loss) for one in self.passes for part in one.parts]

    @override
    def step(self, *optimizers: torch.optim.Optimizer) -> None:
        (optimizer,) = optimizers
        langevin = self._langevin if self.settings.weight_noise else None
        weight = 1 / len(self.problems) if self.multi.loss == "mean" else 1.0
        losses, pictures = fit_step(
            self.passes,
            optimizer,
            self.pruned,
            self._jitter,
            self.settings.reg_noise_std,
            langevin,
            weight,
            self.multi.accumulate,
        )
        parts = [part for one in self.passes for part in one.parts]
        for part, loss, picture in zip(parts, losses, pictures, strict=True):
            self.scores[part.index].update(loss, picture)

    @property
    @override
    def budget(self) -> int:
        return self.settings.steps

    @property
    @override
    def done(self) -> bool:
        return all(scores.done for scores in self.scores)

    @override
    def reading(self) -> tuple[float, str]:
        readings = [scores.last() for scores in self.scores]
        loss, score = _mean([loss for loss, _ in readings]), _mean([score for _, score in readings])
        assert loss is not None
        return loss, f"loss {loss:.2e}" if score is None else f"best {score:.2f} dB"

    @override
    def row(self, **common: Any) -> Round:
        final = [scores.final() for scores in self.scores]
        if len(final) == 1:
            scores = final[0]
        else:
            scores = {name: _mean([one[name] for one in final]) for name in final[0]}
            scores |= {"psnr_best_step": None, "stop_step": None}
        values = sum(scores.answer.numel() for scores in self.scores)
        return Restored(**common, weights_per_pixel=self.mask.kept / values, **scores)

    @override
    def told(self, row: Round) -> str:
        assert isinstance(row, Restored)
        if row.psnr_best is None:
            return ""
        what = f"best {self.settings.answer} {row.psnr_best:.2f} dB"
        where = "" if row.psnr_best_step is None else f" at step {row.psnr_best_step}"
        mean = f", mean of {len(self.scores)} pictures" if len(self.scores) > 1 else ""
        return f"{what}{where}, last output {row.psnr_last:.2f}{mean}"

    @override
    def picture_scores(self) -> list[PictureScores]:
        if len(self.problems) == 1:
            return []
        named = zip(self.problems, self.scores, strict=True)
        return [PictureScores(self.round, self.mask.sparsity, problem.name, **one.final()) for problem, one in named]

    @override
    def points(self) -> list[CurvePoint]:
        named = zip(self.problems, self.scores, strict=True)
        return [point for problem, scores in named for point in scores.points(self.round, problem.name)]

    @override
    def curve(self) -> dict[int, dict[str, float]]:
        curve: dict[int, dict[str, float]] = {}
        for point in self.points():
            prefix = f"{point.picture}/" if len(self.problems) > 1 else ""
            values = {name: getattr(point, name) for name in ("loss", "psnr", "psnr_ema", "ssim")}
            known = {prefix + name: value for name, value in values.items() if value is not None}
            curve.setdefault(point.step, {}).update(known)
        return curve

    @override
    def given(self) -> dict[str, Tensor]:
        pictures = {}
        for problem in self.problems:
            folder = f"{problem.name}/" if len(self.problems) > 1 else ""
            pictures[f"{folder}measured"] = problem.y
            if problem.x is not None:
                pictures[f"{folder}clean"] = problem.x
        return pictures

    @override
    def restored(self) -> dict[str, Tensor]:
        folders = [f"{problem.name}/" if len(self.problems) > 1 else "" for problem in self.problems]
        return {f"{folder}restored": scores.answer for folder, scores in zip(folders, self.scores, strict=True)}

    @override
    def state(self) -> dict[str, Any]:
        return {
            "jitter": self._jitter.get_state(),
            "langevin": self._langevin.generator.get_state(),
            "scores": [scores.state_dict() for scores in self.scores],
        }

    @override
    def restore(self, state: Mapping[str, Any]) -> None:
        self._jitter.set_state(state["jitter"].cpu())
        self._langevin.generator.set_state(state["langevin"].cpu())
        for scores, saved in zip(self.scores, state["scores"], strict=True):
            scores.load_state_dict(saved)


def _mean(values: list[float | None]) -> float | None:
    """The mean, or None where a value is missing."""
    known = [value for value in values if value is not None]
    return reduce(float.__add__, map(float, known)) / len(values) if len(known) == len(values) else None
