"""One optimisation step of a deep image prior: the plain reference, and the switches that make it fast."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lipdip.fit.hardware import Hardware
from lipdip.fit.settings import Multi
from lipdip.pictures import Problem
from lipdip.tickets.mask import Pruned


class Langevin:
    """Noise on the convolution weights after every step (stochastic gradient Langevin dynamics).

    Source: Cheng, Gadelha, Maji & Sheldon, "A Bayesian Perspective on the Deep Image Prior", CVPR 2019.
    """

    def __init__(self, weights: Iterable[Tensor], std: float, generator: torch.Generator) -> None:
        self._weights = [weight.data for weight in weights]
        self._std = std
        self.generator = generator

    def apply(self) -> None:
        """Add N(0, std^2) to every weight, in place."""
        for weight in self._weights:
            weight.add_(torch.randn(weight.shape, generator=self.generator, device=weight.device), alpha=self._std)


@dataclass(frozen=True)
class PassPart:
    """One problem's part in a pass: which of the output's channels are its picture, and its place in the run."""

    problem: Problem
    channels: slice
    index: int

    def loss(self, output: Tensor) -> Tensor:
        """``physics.loss``, ``mean |A x_hat - y|^2``, on the problem's own channels of the network's ``output``."""
        return self.problem.physics.loss(output[:, self.channels], self.problem.y)


Objective = Callable[[Tensor], tuple[list[Tensor], list[Tensor]]]


@dataclass(frozen=True)
class Pass:
    """One forward pass of a step: a code, and the problems whose pictures are read off its output.

    ``objective`` goes from the code to the problems' losses and pictures.
    """

    code: Tensor
    parts: Sequence[PassPart]
    objective: Objective


def make_objective(network: nn.Module, parts: Sequence[PassPart], hardware: Hardware) -> Objective:
    """The function from a code ``z`` to (losses, pictures), one for each part, read off one output ``f(z)``."""

    def objective(code: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        with hardware.network_precision():
            output = network(code)
        with hardware.full_precision():
            output = output.float()
            return [part.loss(output) for part in parts], [output[:, part.channels] for part in parts]

    return torch.compile(objective) if hardware.compile else objective


def make_passes(
    network: nn.Module, problems: Sequence[Problem], codes: Sequence[Tensor], multi: Multi, hardware: Hardware
) -> list[Pass]:
    """One forward pass for each problem, or, where code and size are shared, one for several."""
    parts, channel = [], 0
    for index, problem in enumerate(problems):
        own = problem.physics.image_shape[0]
        first = channel if multi.head == "per_image" else 0
        parts.append(PassPart(problem, slice(first, first + own), index))
        channel += own
    groups: dict[object, list[PassPart]] = {}
    for part in parts:
        key = codes[part.index].shape if multi.code == "shared" else part.index
        groups.setdefault(key, []).append(part)
    return [Pass(codes[group[0].index], group, make_objective(network, group, hardware)) for group in groups.values()]


def fit_step(
    passes: Sequence[Pass],
    optimizer: torch.optim.Optimizer,
    pruned: Pruned,
    jitter: torch.Generator,
    reg_noise_std: float,
    langevin: Langevin | None = None,
    weight: float = 1.0,
    accumulate: bool = True,
    backward: Callable[[Tensor], None] = Tensor.backward,
) -> tuple[list[Tensor], list[Tensor]]:
    """Jitter the codes, descend once on ``weight`` times the sum of all losses, set pruned weights to zero.

    With ``accumulate`` each pass is differentiated at once, so that only one pass's activations are held at a time;
    without it, all of them together. Both give the same gradient up to rounding. ``backward`` differentiates a loss;
    in a LightningModule it is ``manual_backward``.

    Returns:
        Losses and pictures (1, C, H, W) before the descent, in the order of the passes' parts.
    """
    optimizer.zero_grad()
    losses, pictures, waiting = [], [], []
    for one in passes:
        noise = torch.randn(one.code.shape, generator=jitter, device=one.code.device) if reg_noise_std else None
        own, seen = one.objective(one.code if noise is None else one.code + reg_noise_std * noise)
        total = own[0] if len(own) == 1 else torch.stack(own).sum()
        total = total if weight == 1 else weight * total
        if accumulate:
            backward(total)
        else:
            waiting.append(total)
        losses += [loss.detach() for loss in own]
        pictures += [picture.detach() for picture in seen]
    if waiting:
        backward(torch.stack(waiting).sum())
    optimizer.step()
    if langevin is not None:
        langevin.apply()
    pruned.apply()
    return losses, pictures
