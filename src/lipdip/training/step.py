"""One optimisation step of a deep image prior: the plain reference, and the switches that make it fast."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from lipdip.core.mask import Pruned
from lipdip.problems import Problem
from lipdip.training.settings import Hardware

Objective = Callable[[Tensor], tuple[Tensor, Tensor]]


def measurement_loss(problem: Problem, output: Tensor) -> Tensor:
    """``mean (A x_hat - y)^2`` over all values of the measurement; a scalar tensor.

    Inpainting's unknown pixels are zero on both sides and so enter only through the count, as in the public code.
    """
    return (problem.physics.A(output) - problem.y).square().mean()


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


def make_objective(network: nn.Module, problem: Problem, hardware: Hardware) -> Objective:
    """The function from a code to (loss, output): the output ``x_hat = f(z)`` and its :func:`measurement_loss`."""

    def objective(code: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(hardware.device, dtype=torch.bfloat16, enabled=bool(hardware.bf16)):
            output = network(code)
        output = output.float()
        return measurement_loss(problem, output), output

    return torch.compile(objective) if hardware.compile else objective


def fit_step(
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    pruned: Pruned,
    code: Tensor,
    jitter: torch.Generator,
    reg_noise_std: float,
    langevin: Langevin | None = None,
) -> tuple[Tensor, Tensor]:
    """Jitter the code, descend once, set pruned weights to zero; returns the loss and output before the descent."""
    noise = torch.randn(code.shape, generator=jitter, device=code.device) if reg_noise_std else None
    optimizer.zero_grad()
    loss, output = objective(code if noise is None else code + reg_noise_std * noise)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    if langevin is not None:
        langevin.apply()
    pruned.apply()
    return loss.detach(), output.detach()
