"""Recovering pictures from measurements with a pretrained generator: only codes are optimised."""

import copy
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from typing_extensions import override

from lipdip.core.seeds import stream
from lipdip.figures.png import to_unit
from lipdip.fit.hardware import Hardware
from lipdip.fit.rounds import Rounds
from lipdip.networks.pggan import Generator
from lipdip.pictures import Problem
from lipdip.pruning.context import LossTerm
from lipdip.runs.rows import Round
from lipdip.tasks.recovery.lasso import lasso
from lipdip.tasks.recovery.objectives import mean_absolutes, mean_squares, median_of_means, median_squares
from lipdip.tasks.recovery.recovered import Recovered, RecoveredPicture, RecoveringPoint
from lipdip.tasks.recovery.recovered_figure import recovered_figure
from lipdip.tasks.recovery.recovery_settings import RecoverySettings
from lipdip.tickets.mask import Mask


class Recovering(Rounds):
    """Adam on latent codes ``z``, so that ``A G(z)`` comes to the measurements; pictures and restarts are one batch.

    Of a picture's restarts the one with the lowest objective is kept (for ``median_of_means`` the lowest median of
    squared residuals, since its own value compares two candidates); the clean picture never decides.

    Args:
        network: the generator, from codes (N, latent) to pictures in [-1, 1].
        problems: what was measured, by one physics for all.
        settings: how codes are searched.
        mask: of the generator's weights.
        seed: of the codes that the search begins with.
        hardware: where it runs.
        unmasked: names of weights that no mask touches.
    """

    kind: ClassVar = "recovery"
    tables: ClassVar = {"rounds": Recovered, "curves": RecoveringPoint, "pictures": RecoveredPicture}

    def __init__(
        self,
        network: Generator,
        problems: Sequence[Problem],
        settings: RecoverySettings,
        mask: Mask,
        seed: int = 0,
        hardware: Hardware | None = None,
        unmasked: Collection[str] = (),
    ) -> None:
        self.settings = settings
        super().__init__(network, mask, seed, hardware, unmasked)
        self.network.requires_grad_(False)
        self.problems = problems
        self.physics = problems[0].physics
        self.y = torch.cat([problem.y.flatten(1) for problem in problems])
        clean = [problem.x for problem in problems]
        self.clean = torch.cat([x for x in clean if x is not None]) if None not in clean else None
        count = len(problems) * settings.restarts
        self.codes = nn.Parameter(torch.zeros(count, network.latent))
        self.rivals = nn.Parameter(torch.zeros(count, network.latent)) if self._tournament else None

    @property
    @override
    def subject(self) -> str:
        return ", ".join(problem.name for problem in self.problems)

    @property
    @override
    def metric_name(self) -> str:
        return "PSNR, and MSE per pixel on [-1, 1]"

    @override
    def headline(self) -> tuple[str, str]:
        physics, settings = self.physics, self.settings
        count = f"{len(self.problems)} pictures, " if len(self.problems) > 1 else ""
        subject = f"{count}{self.subject}, {physics.measurement_shape[-1]} measurements"
        if physics.measurement_shape == physics.image_shape:
            subject = f"{count}{self.subject}"
        search = f"{settings.steps} steps, {settings.restarts} restarts, {settings.objective}"
        return f"{type(physics).__name__}, {subject}", search

    @property
    def _tournament(self) -> bool:
        return self.settings.objective == "median_of_means"

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        codes = [self.codes] if self.rivals is None else [self.codes, self.rivals]
        return torch.optim.Adam(codes, lr=self.settings.lr, fused=self.hardware.fused or None)

    @override
    def on_fit_start(self) -> None:
        self.physics = self.physics.to(self.device)
        self.y = self.y.to(self.device)
        self.clean = None if self.clean is None else self.clean.to(self.device)
        super().on_fit_start()

    @override
    def begin(self) -> None:
        self._shuffle = stream(self.seed, "shuffle")
        self.codes.data.copy_(self._drawn("latent"))
        if self.rivals is not None:
            self.rivals.data.copy_(self._drawn("rival"))

    def _drawn(self, name: str) -> Tensor:
        """Standard normal codes, restart by restart; a restart's are the same however many there are."""
        shape = len(self.problems), self.codes.shape[1]
        restarts = range(self.settings.restarts)
        return torch.cat([torch.randn(shape, generator=stream(self.seed, f"{name}/{number}")) for number in restarts])

    @override
    def loss_terms(self) -> list[LossTerm]:
        return [
            LossTerm(
                self.codes.detach()[:1],
                lambda picture: (self.physics.A(picture).flatten(1) - self.y[:1]).square().mean(),
            )
        ]

    def _residuals(self, codes: Tensor) -> Tensor:
        """``y - A G(z)`` of all restarts of all pictures, restart by restart, (restarts * pictures, m)."""
        with self.hardware.network_precision():
            pictures = self.network(codes)
        with self.hardware.full_precision():
            return self.y.repeat(self.settings.restarts, 1) - self.physics.A(pictures.float()).flatten(1)

    @override
    def step(self) -> None:
        (optimizer,) = self.stepped
        optimizer.zero_grad()
        residuals = self._residuals(self.codes)
        if self.rivals is not None:
            order = torch.randperm(self.y.shape[1], generator=self._shuffle).to(self.device)
            values = median_of_means(residuals, self._residuals(self.rivals), order, self.settings.block)
        else:
            values = (mean_absolutes if self.settings.objective == "l1" else mean_squares)(residuals)
        self.manual_backward(values.sum())
        if self.rivals is not None and self.rivals.grad is not None:
            self.rivals.grad.neg_()  # they climb where the candidates descend
        optimizer.step()
        self._last = values.detach().mean()
        if self.recorded(self.steps):
            chosen = self._chosen()
            error = None if chosen[2] is None else chosen[2].mean().item()
            self._points.append(RecoveringPoint(self.round, self.steps, chosen[1].mean().item(), error))

    @torch.no_grad()
    def _chosen(self) -> tuple[Tensor, Tensor, Tensor | None, Tensor]:
        """Of each picture's restarts the best by the objective: picture, objective, MSE (None if unknown), which."""
        residuals = self._residuals(self.codes)
        judged = {"l1": mean_absolutes, "median_of_means": median_squares}.get(self.settings.objective, mean_squares)
        values = judged(residuals).view(self.settings.restarts, -1)
        lowest, which = values.min(0)
        everyone = torch.arange(len(self.problems), device=self.device)
        best = self.network(self.codes.view(self.settings.restarts, len(self.problems), -1)[which, everyone]).float()
        errors = None if self.clean is None else (best - self.clean).square().flatten(1).mean(1)
        return best, lowest, errors, which

    @property
    @override
    def budget(self) -> int:
        return self.settings.steps

    @override
    def recorded(self, step: int) -> bool:
        return step % self.settings.record_every == 0 or super().recorded(step)

    @override
    def comparison(self, images: Path, rounds: Sequence[Round], scores: Sequence[RecoveredPicture]) -> bytes:
        return recovered_figure(images, rounds[0], scores)

    @override
    def reading(self) -> tuple[float, str]:
        loss = self._last.item()
        return loss, f"objective {loss:.3e}"

    @override
    def row(self, **common: Any) -> Round:
        _, values, errors, _ = self._chosen()
        mse = None if errors is None else errors.mean().item()
        psnr = None if errors is None else (10 * torch.log10(4 / errors)).mean().item()
        return Recovered(**common, loss=values.mean().item(), mse=mse, psnr=psnr, measurements=self.y.shape[1])

    @override
    def describe(self, row: Round) -> str:
        assert isinstance(row, Recovered)
        return "" if row.mse is None else f"MSE {row.mse:.4f}, {row.psnr:.2f} dB"

    @override
    def picture_scores(self) -> list[RecoveredPicture]:
        _, values, errors, which = self._chosen()
        rows = []
        for number, problem in enumerate(self.problems):
            mse = None if errors is None else errors[number].item()
            psnr = None if errors is None else (10 * torch.log10(4 / errors[number])).item()
            place = self.round, self.mask.sparsity, problem.name
            found, x = self._baselines.get(problem.name), problem.x
            baseline = None if found is None or x is None else (found - x).square().mean().item()
            rows.append(RecoveredPicture(*place, int(which[number]), values[number].item(), mse, psnr, baseline))
        return rows

    @cached_property
    def _baselines(self) -> dict[str, Tensor]:
        """The Lasso's pictures, (1, C, H, W), by name, where they are asked for; the same in every round."""
        if self.settings.baseline is None:
            return {}
        physics = copy.deepcopy(self.physics).cpu()  # scikit-learn knows no other device
        return {problem.name: lasso(replace(problem, physics=physics)) for problem in self.problems}

    @override
    def curve(self) -> dict[int, dict[str, float]]:
        return {p.step: {"objective": p.objective} | ({} if p.mse is None else {"mse": p.mse}) for p in self._points}

    @override
    def given_pictures(self) -> dict[str, Tensor]:
        pictures = {f"{name}/lasso": picture for name, picture in self._baselines.items()}
        for problem in self.problems:
            if problem.x is not None:
                pictures[f"{problem.name}/clean"] = problem.x
            if problem.physics.measurement_shape == problem.physics.image_shape:
                pictures[f"{problem.name}/measured"] = problem.y
        return {name: to_unit(picture) for name, picture in pictures.items()}

    @override
    def pictures(self) -> dict[str, Tensor]:
        best = to_unit(self._chosen()[0])
        return {f"{problem.name}/restored": best[n : n + 1] for n, problem in enumerate(self.problems)}

    @override
    def state(self) -> dict[str, Any]:
        return {
            "shuffle": self._shuffle.get_state(),
            "codes": self.codes.detach(),
            "rivals": None if self.rivals is None else self.rivals.detach(),
        }

    @override
    def load_state(self, state: Mapping[str, Any]) -> None:
        self._shuffle.set_state(state["shuffle"].cpu())
        self.codes.data.copy_(state["codes"])
        if self.rivals is not None:
            self.rivals.data.copy_(state["rivals"])
