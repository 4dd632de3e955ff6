"""Training a progressively grown GAN, from nothing or on from a pretrained one, in rounds."""

import copy
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional
from typing_extensions import override

from lipdip.core.seeds import stream
from lipdip.figures.png import png, sheet, to_unit
from lipdip.fit.hardware import Hardware
from lipdip.fit.rounds import Rounds
from lipdip.generators import network_bytes
from lipdip.networks.progressive import COARSEST, Progressive
from lipdip.pictures.datasets import Dataset
from lipdip.pruning.context import LossTerm
from lipdip.runs.rows import Round
from lipdip.tasks.generation.gan_settings import GanSettings
from lipdip.tasks.generation.generated import AdversarialPoint, Generated
from lipdip.tasks.generation.inversion import invert
from lipdip.tickets.mask import Mask

_LOSSES = ("loss", "generator_loss", "distance")  # of a round and of a point of its curve


class GanTraining(Rounds):
    """WGAN-GP: a critic step and a generator step in turn, with a drift term and an average of the generator.

    The critic minimises ``E D(fake) - E D(real) + gp E (|grad D(x')| - 1)^2 + drift E D(real)^2`` with ``x'`` between
    real and fake; the generator minimises ``-E D(fake)``. Sources: Gulrajani et al., NeurIPS 2017; Karras et al.,
    ICLR 2018.

    Every round starts from the same generator and discriminator and sees the same batches; only the generator is
    pruned. Its average is what samples, scores and tickets are judged by, and where a pretrained one goes on from.

    Args:
        network: the generator.
        discriminator: its adversary.
        dataset: pictures to learn from, and held-out ones to be judged by; labels are not looked at.
        settings: budget of a round.
        mask: of round 0, over the generator's weights.
        seed: of batches and codes.
        hardware: where it runs.
        unmasked: names of weights that no mask touches.
    """

    kind: ClassVar = "generation"
    tables: ClassVar = {"rounds": Generated, "curves": AdversarialPoint}

    def __init__(
        self,
        network: Progressive,
        discriminator: Progressive,
        dataset: Dataset,
        settings: GanSettings,
        mask: Mask,
        seed: int = 0,
        hardware: Hardware | None = None,
        unmasked: Collection[str] = (),
    ) -> None:
        self.settings = settings
        super().__init__(network, mask, seed, hardware, unmasked)
        self.network: Progressive = network
        self.discriminator = discriminator
        self.average = copy.deepcopy(network)
        self.dataset = dataset
        self._starts = {
            "discriminator": copy.deepcopy(self.discriminator.state_dict()),
            "average": copy.deepcopy(self.average.state_dict()),
        }
        self._stages: dict[tuple[str, int], Progressive] = {}

    @property
    @override
    def subject(self) -> str:
        return self.dataset.name

    @property
    @override
    def metric_name(self) -> str:
        return "MSE on [-1, 1] of held-out pictures reached by a code"

    @override
    def headline(self) -> tuple[str, str]:
        data, side = self.dataset, self.network.size
        size = f"{len(data.train)} training pictures brought to {side}x{side}"
        return f"Train a GAN, {data.name}: {size}", f"{self.settings.steps} steps"

    @override
    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        settings, fused = self.settings, self.hardware.fused or None
        return [
            torch.optim.Adam(network.parameters(), lr=settings.lr, betas=(0.0, 0.99), fused=fused)
            for network in (self.network, self.discriminator)
        ]

    @override
    def start_round(self, mask: Mask) -> None:
        self.discriminator.load_state_dict(self._starts["discriminator"])
        self.average.load_state_dict(self._starts["average"])
        super().start_round(mask)

    @override
    def begin(self) -> None:
        self._draw = stream(self.seed, "batches")
        self._error: float | None = None
        self._found: Tensor | None = None

    @override
    def loss_terms(self) -> list[LossTerm]:
        """Codes, and the generator's own loss on them: what a scorer of the generator may look at."""
        codes = torch.randn(self.settings.batch, self.latent, generator=stream(self.seed, "scoring")).to(self.device)
        return [LossTerm(codes, lambda pictures: -self.discriminator(pictures).mean())]

    @property
    def latent(self) -> int:
        """Numbers in a code."""
        return int(self.network.settings["latent"])

    def _stage(self, name: str, scales: int, alpha: float) -> Progressive:
        """The first ``scales`` scales of a network, as a network of its own that shares the parameters."""
        full: Progressive = getattr(self, name)
        if scales == len(full.channels):
            full.alpha = alpha
            return full
        if (name, scales) not in self._stages:
            small = type(full)(**{**full.settings, "channels": full.channels[:scales]}).to(self.device)
            shared = dict(full.named_parameters())
            for path in [path for path, _ in small.named_parameters()]:
                module, _, leaf = path.rpartition(".")
                setattr(small.get_submodule(module), leaf, shared[path])
            self._stages[name, scales] = small
        self._stages[name, scales].alpha = alpha
        return self._stages[name, scales]

    def _real(self, side: int, alpha: float) -> Tensor:
        """A batch of training pictures in [-1, 1] at a scale; while it fades in, partly at the one below."""
        indices = torch.randint(len(self.dataset.train), (self.settings.batch,), generator=self._draw)
        pictures, _ = self.dataset.train.batch(indices)
        pictures = functional.adaptive_avg_pool2d(self._shown(pictures), side)
        if alpha < 1:
            below = functional.interpolate(functional.avg_pool2d(pictures, 2), scale_factor=2.0)
            pictures = alpha * pictures + (1 - alpha) * below
        return pictures

    def _shown(self, pictures: Tensor) -> Tensor:
        """A data set's pictures as the networks have them: on the device, in [-1, 1], grey where the generator is."""
        if self.network.picture_channels == 1:
            first = pictures[:, :1]
            pictures = first + (pictures - first).mean(1, keepdim=True)  # exactly the first where all are alike
        return pictures.to(self.device) * 2 - 1

    def _codes(self) -> Tensor:
        return torch.randn(self.settings.batch, self.latent, generator=self._draw).to(self.device)

    @override
    def step(self) -> None:
        settings, (for_generator, for_critic) = self.settings, self.stepped
        scales, alpha = settings.stage(self.steps - 1, len(self.network.channels))
        generator, critic = self._stage("network", scales, alpha), self._stage("discriminator", scales, alpha)
        real = self._real(COARSEST * 2 ** (scales - 1), alpha)
        for_critic.zero_grad()
        with torch.no_grad():
            fake = generator(self._codes())
        on_real, on_fake = critic(real), critic(fake)
        between = torch.rand(len(real), 1, 1, 1, generator=self._draw).to(self.device)
        penalty = _gradient_penalty(critic, between * real + (1 - between) * fake)
        distance = on_real.mean() - on_fake.mean()
        loss = -distance + settings.gradient_penalty * penalty + settings.drift * on_real.square().mean()
        self.manual_backward(loss)
        for_critic.step()
        for_generator.zero_grad()
        wish = -critic(generator(self._codes())).mean()
        self.manual_backward(wish)
        for_generator.step()
        self.pruned.apply()
        self._average(settings.ema)
        self._last = torch.stack([loss.detach(), wish.detach(), distance.detach()])
        if self.steps % settings.record_every == 0 or self.done:
            self._points.append(AdversarialPoint(self.round, self.steps, scales, alpha, *self._last.tolist()))
        if self.done:
            self._judge()

    @torch.no_grad()
    def _average(self, decay: float) -> None:
        mine: list[Tensor] = list(self.network.parameters())
        averaged: list[Tensor] = list(self.average.parameters())
        torch._foreach_lerp_(averaged, mine, 1 - decay)
        if self.mask.kept != self.mask.total:  # what was there before the mask was, is not averaged in
            named = dict(self.average.named_parameters())
            for name, kept in self.mask.items():
                named[name].mul_(kept.to(self.device))

    def _held_out(self) -> Tensor:
        """The first test pictures, which a round is judged by, in [-1, 1]."""
        pictures, _ = self.dataset.test.batch(torch.arange(min(self.settings.judged, len(self.dataset.test))))
        return self._shown(pictures)

    def _judge(self) -> None:
        """How well the average generator reaches held-out pictures: the score of a round."""
        pictures = self._held_out()
        codes = torch.randn(len(pictures), self.latent, generator=stream(self.seed, "judging")).to(self.device)
        found, errors = invert(self.average, codes, pictures, self.settings.judging_steps)
        self._error, self._found = errors.mean().item(), found

    @torch.no_grad()
    def samples(self, count: int = 64) -> Tensor:
        """(count, C, H, W) in [0, 1] of the average generator, for codes that are the same in every round."""
        codes = torch.randn(count, self.latent, generator=stream(0, "samples")).to(self.device)
        pictures: Tensor = self.average(codes)
        return to_unit(pictures)

    @property
    @override
    def budget(self) -> int:
        return self.settings.steps

    @override
    def recorded(self, step: int) -> bool:
        return step % self.settings.record_every == 0 or super().recorded(step)

    @override
    def reading(self) -> tuple[float, str]:
        loss, _, distance = self._last.tolist()
        return loss, f"critic's distance {distance:.3f}"

    @override
    def row(self, **common: Any) -> Round:
        assert self._error is not None
        last = {name: getattr(self._points[-1], name) for name in _LOSSES}
        return Generated(**common, **last, reconstruction_error=self._error)

    @override
    def describe(self, row: Round) -> str:
        assert isinstance(row, Generated)
        return f"held-out reconstruction error {row.reconstruction_error:.4f}"

    @override
    def curve(self) -> dict[int, dict[str, float]]:
        return {point.step: {name: getattr(point, name) for name in _LOSSES} for point in self._points}

    @override
    def given_pictures(self) -> dict[str, Tensor]:
        return {"held_out": sheet(to_unit(self._held_out()))}

    @override
    def artifacts(self) -> dict[str, bytes]:
        """Samples, and the trained networks, for recovering and for training on: of the first round both of them."""
        samples = {f"images/samples_{self.round:02d}.png": png(sheet(self.samples(12), across=12))}
        notes = {"trained_on": self.dataset.name, "steps": self.steps, "seed": self.seed, "error": self._error}
        if self.round:
            notes |= {"round": self.round, "mask": self.mask.digest()}
            return samples | {f"generators/round_{self.round:02d}.safetensors": network_bytes(self.average, notes)}
        networks = {"generator": self.average, "discriminator": self.discriminator}
        return samples | {f"{name}.safetensors": network_bytes(network, notes) for name, network in networks.items()}

    @override
    def pictures(self) -> dict[str, Tensor]:
        assert self._found is not None
        return {"samples": sheet(self.samples()), "reconstructed": sheet(to_unit(self._found))}

    @override
    def state(self) -> dict[str, Any]:
        return {"draw": self._draw.get_state(), "error": self._error, "found": self._found}

    @override
    def load_state(self, state: Mapping[str, Any]) -> None:
        self._draw.set_state(state["draw"].cpu())
        self._error, self._found = state["error"], state["found"]


def _gradient_penalty(critic: Progressive, pictures: Tensor) -> Tensor:
    """``E (|grad D(x')| - 1)^2``."""
    pictures = pictures.requires_grad_()
    (gradient,) = torch.autograd.grad(critic(pictures).sum(), pictures, create_graph=True)
    penalty: Tensor = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    return penalty
