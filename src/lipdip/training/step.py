"""One optimisation step of a deep image prior: the plain reference, and the switches that make it fast."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lipdip.core.mask import Pruned
from lipdip.problems import Problem
from lipdip.training.settings import Hardware

Objective = Callable[[Tensor], tuple[Tensor, Tensor]]


def make_objective(network: nn.Module, problem: Problem, hardware: Hardware) -> Objective:
    """The function from a code to (loss, output): the output ``x_hat = f(z)`` and ``mean (A x_hat - y)^2``.

    The mean runs over all values of the measurement; inpainting's unknown pixels are zero on both sides and
    so enter only through the count, as in the public code.
    """

    def objective(code: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(hardware.device, dtype=torch.bfloat16, enabled=bool(hardware.bf16)):
            output = network(code)
        output = output.float()
        loss = (problem.physics.A(output) - problem.y).square().mean()
        return loss, output

    return torch.compile(objective) if hardware.compile else objective


def fit_step(
    objective: Objective,
    optimizer: torch.optim.Optimizer,
    pruned: Pruned,
    code: Tensor,
    jitter: torch.Generator,
    reg_noise_std: float,
) -> tuple[Tensor, Tensor]:
    """Jitter the code, descend once, set pruned weights to zero; returns the loss and output before the descent."""
    noise = torch.randn(code.shape, generator=jitter, device=code.device) if reg_noise_std else None
    optimizer.zero_grad()
    loss, output = objective(code if noise is None else code + reg_noise_std * noise)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    pruned.apply()
    return loss.detach(), output.detach()
