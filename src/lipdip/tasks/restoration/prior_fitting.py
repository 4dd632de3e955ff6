"""Fitting a prior to what was measured of one picture, or of several at once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from typing_extensions import override

from lipdip.core.metrics import Metric
from lipdip.core.seeds import stream
from lipdip.fit.hardware import Hardware
from lipdip.fit.rounds import Rounds
from lipdip.fit.scores import CurvePoint, Scores
from lipdip.fit.settings import FitSettings, Multi
from lipdip.fit.step import Langevin, fit_step, make_passes
from lipdip.networks.protocol import code_shape_of
from lipdip.pictures import Problem, draw_codes
from lipdip.pruning.context import LossTerm
from lipdip.runs.rows import Round
from lipdip.tasks.restoration.restored import PictureScores, Restored
from lipdip.tasks.restoration.restored_figure import restored_figure
from lipdip.tickets.mask import Mask
from lipdip.tickets.scope import prunable


class PriorFitting(Rounds):
    """Fits ``f(z; m * theta)`` to the measurements, round after round, each from the same initialisation.

    Every round replays the same codes and the same jitter, so two rounds differ in their mask alone, and a ticket
    fitted by itself later gives the very same result. Of several pictures (Algorithm 2) the losses add up;
    ``multi`` says which of them share a code and an output. Source: Ulyanov, Vedaldi & Lempitsky, "Deep Image
    Prior", CVPR 2018.

    Args:
        network: at its initialisation; any module from a code (1, c, h, w) to a picture (1, C, H, W).
        problems: what was measured.
        settings: the budget of a round, and how it is spent; None: 3000 steps of Adam and nothing else.
        seed: of code and jitter.
        codes: the network's fixed inputs, one for each problem; None: drawn from ``seed``.
        mask: of round 0; None: all weights that may be pruned are there.
        metric: how reconstructions are scored where there is a clean image; None: PSNR and SSIM on RGB.
        multi: what several pictures share.
        hardware: where it runs, see :class:`~lipdip.fit.rounds.Rounds`.
        unmasked: names of weights that no mask touches.
        more: fields of :class:`~lipdip.fit.settings.FitSettings`, such as ``steps=1200``.

    Raises:
        UserError: on a setting that makes no sense.
        ValueError: if the network does not fit the pictures, or has nothing to prune.

    >>> import lightning as L, torch, lipdip as lip
    >>> physics = lip.physics.Inpaint((1, 32, 32), keep=0.5, seed=0)
    >>> problem = lip.Problem(physics.A(torch.rand(1, 1, 32, 32)), physics)
    >>> fit = lip.PriorFitting(lip.Hourglass(1, 4, 2), [problem], steps=3)
    >>> trainer = L.Trainer(max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
    ...     enable_progress_bar=False, enable_model_summary=False)
    >>> trainer.fit(fit)
    >>> trainer.global_step, tuple(fit.x_hat.shape)
    (3, (1, 1, 32, 32))
    """

    kind: ClassVar = "restoration"
    tables: ClassVar = {"rounds": Restored, "curves": CurvePoint, "pictures": PictureScores}

    def __init__(
        self,
        network: nn.Module,
        problems: Sequence[Problem],
        settings: FitSettings | None = None,
        *,
        seed: int = 0,
        codes: Sequence[Tensor] | None = None,
        mask: Mask | None = None,
        metric: Metric | None = None,
        multi: Multi | None = None,
        hardware: Hardware | None = None,
        unmasked: Collection[str] = (),
        **more: Any,
    ) -> None:
        self.multi = multi or Multi()
        if codes is None:
            shapes = [code_shape_of(network, problem.physics.image_shape) for problem in problems]
            codes = draw_codes(shapes, seed, self.multi.code == "shared")
        mask = Mask.dense(prunable(network, "all", codes[0])) if mask is None else mask
        self.settings = FitSettings(**{"steps": 3000, **more}) if settings is None else replace(settings, **more)
        super().__init__(network, mask, seed, hardware, unmasked)
        self.problems = list(problems)
        self.codes = list(codes)
        self.metric = metric or Metric()

    @property
    @override
    def subject(self) -> str:
        return ", ".join(problem.name for problem in self.problems)

    @property
    @override
    def metric_name(self) -> str:
        return str(self.metric)

    @override
    def headline(self) -> tuple[str, str]:
        shapes = [(problem.name, *problem.physics.image_shape) for problem in self.problems]
        sizes = [f"{name} {height}x{width}x{channels}" for name, channels, height, width in shapes]
        physics = self.problems[0].physics
        name = type(getattr(physics, "physics", physics)).__name__  # another library's is wrapped
        return f"{name}, {', '.join(sizes)}", f"{self.settings.steps} steps"

    @override
    def scored(self) -> dict[str, Any]:
        unknown = any(problem.x is None for problem in self.problems)
        scores = ["psnr_best", "psnr_last", "psnr_ema", "psnr_stop", "ssim_best", "matching"]
        why = "there is no clean image (image.clean=false)" if unknown else None
        return {**super().scored(), "picture": self.settings.answer, "missing": scores if unknown else [], "why": why}

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
        self.scores = [
            Scores(self.settings, self.metric, problem.x, self.device, problem.consistent) for problem in self.problems
        ]

    @override
    def loss_terms(self) -> list[LossTerm]:
        return [LossTerm(one.code, part.loss) for one in self.passes for part in one.parts]

    @override
    def step(self) -> None:
        langevin = self._langevin if self.settings.weight_noise else None
        weight = 1 / len(self.problems) if self.multi.loss == "mean" else 1.0
        losses, pictures = fit_step(
            self.passes,
            self.stepped[0],
            self.pruned,
            self._jitter,
            self.settings.reg_noise_std,
            langevin,
            weight,
            self.multi.accumulate,
            self.manual_backward,
        )
        parts = [part for one in self.passes for part in one.parts]
        for part, loss, picture in zip(parts, losses, pictures, strict=True):
            self.scores[part.index].update(loss, picture)

    @property
    @override
    def budget(self) -> int:
        return self.settings.steps

    @override
    def ended_early(self) -> bool:
        return self.settings.stop_early and all(scores.stopped for scores in self.scores)

    @override
    def recorded(self, step: int) -> bool:
        return self.settings.recorded(step) or step == self.allowed

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
    def describe(self, row: Round) -> str:
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
        return [
            PictureScores(round=self.round, sparsity=self.mask.sparsity, picture=problem.name, **one.final())
            for problem, one in named
        ]

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
    def given_pictures(self) -> dict[str, Tensor]:
        pictures = {}
        for problem in self.problems:
            folder = f"{problem.name}/" if len(self.problems) > 1 else ""
            measured = problem.physics.preview(problem.y)
            if measured is not None:
                pictures[f"{folder}measured"] = measured
            if problem.x is not None:
                pictures[f"{folder}clean"] = problem.x
        return pictures

    @override
    def pictures(self) -> dict[str, Tensor]:
        """The answer as ``restored``; beside it, where those are two, the network's or the consistent picture."""
        pictures = {}
        for problem, scores in zip(self.problems, self.scores, strict=True):
            folder = f"{problem.name}/" if len(self.problems) > 1 else ""
            found = {"network": scores.answer}
            if (consistent := problem.consistent(scores.answer)) is not None:
                found["consistent"] = consistent
            answer = "consistent" if consistent is not None and problem.physics.exact else "network"
            pictures[f"{folder}restored"] = found.pop(answer)
            pictures |= {f"{folder}{name}": picture for name, picture in found.items()}
        return pictures

    @property
    def x_hat(self) -> Tensor:
        """The restored picture of the (first) problem, (1, C, H, W): see :attr:`~lipdip.fit.scores.Scores.answer`.

        Where the measurement is exact (``physics.exact``), the picture next to that which has this very measurement.
        """
        return next(iter(self.pictures().values()))

    @override
    def comparison(self, images: Path, rounds: Sequence[Round], scores: Sequence[PictureScores]) -> bytes:
        return restored_figure(images, rounds, scores)

    @override
    def state(self) -> dict[str, Any]:
        return {
            "jitter": self._jitter.get_state(),
            "langevin": self._langevin.generator.get_state(),
            "scores": [scores.state_dict() for scores in self.scores],
        }

    @override
    def load_state(self, state: Mapping[str, Any]) -> None:
        self._jitter.set_state(state["jitter"].cpu())
        self._langevin.generator.set_state(state["langevin"].cpu())
        for scores, saved in zip(self.scores, state["scores"], strict=True):
            scores.load_state_dict(saved)


def _mean(values: list[float | None]) -> float | None:
    """The mean, or None where a value is missing."""
    known = [value for value in values if value is not None]
    return reduce(float.__add__, map(float, known)) / len(values) if len(known) == len(values) else None
