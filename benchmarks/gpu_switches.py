"""Milliseconds a step of the full hourglass at 256 and 512, switch by switch, on a CUDA device.

    python benchmarks/gpu_switches.py [size ...]

The last row of each size is the authors' way of looping: eager float32, two PSNRs on the host and a copy of all
parameters to the CPU at every step.
"""

import sys
import time
from collections.abc import Callable

import numpy as np
import torch

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of
from lipdip.core.seeds import stream
from lipdip.fit.hardware import Hardware
from lipdip.fit.scores import Scores
from lipdip.fit.step import fit_step, make_passes
from lipdip.tasks.restoration import PriorFitting
from lipdip.tickets.mask import Mask, Pruned
from lipdip.tickets.scope import prunable

OFF = {"bf16": False, "channels_last": False, "fused": False, "compile": False}


def _module(size: int) -> PriorFitting:
    settings = ("protocol=paper", "pruner=none", "trainer=cpu", f"image.size={size}")
    module = experiment_of(compose(*settings)).module
    assert isinstance(module, PriorFitting)
    return module


def _step(module: PriorFitting, hardware: Hardware) -> Callable[[], object]:
    device = torch.device("cuda")
    network, problem = module.network.to(device), module.problems[0].to(device)
    if hardware.channels_last:
        network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=module.settings.lr, fused=hardware.fused or None)
    weights, code = prunable(network), module.codes[0].to(device)
    passes = make_passes(network, [problem], [code], module.multi, hardware)
    pruned, jitter = Pruned(weights, Mask.dense(weights)), stream(0, "jitter", device)
    scores = Scores(module.settings, module.metric, problem.x, device)

    def step() -> tuple[torch.Tensor, torch.Tensor]:
        (loss,), (output,) = fit_step(passes, optimizer, pruned, jitter, module.settings.reg_noise_std)
        scores.update(loss, output)
        return loss, output

    return step


def _authors_way(module: PriorFitting) -> Callable[[], object]:
    """Their loop around the same network: what they do between two steps happens on the host."""
    device = torch.device("cuda")
    network, problem = module.network.to(device), module.problems[0].to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=module.settings.lr)
    assert problem.x is not None
    clean, code, noise = problem.x.cpu().numpy(), module.codes[0].to(device), module.codes[0].to(device).clone()
    average: list[torch.Tensor] = []

    def psnr(picture: torch.Tensor) -> float:
        return float(-10 * np.log10(np.mean((picture.detach().cpu().numpy() - clean) ** 2)))

    def step() -> object:
        optimizer.zero_grad()
        output = network(code + module.settings.reg_noise_std * noise.normal_())
        average[:] = [output.detach() if not average else 0.99 * average[0] + 0.01 * output.detach()]
        loss = (output - problem.y).square().mean()
        loss.backward()
        scores = psnr(output), psnr(average[0])
        optimizer.step()
        return scores, [parameter.detach().cpu() for parameter in network.parameters()]

    return step


def _milliseconds(step: Callable[[], object], steps: int = 200, warm_up: int = 20) -> float:
    for _ in range(warm_up):
        step()
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    torch.cuda.synchronize()
    return 1e3 * (time.perf_counter() - start) / steps


def main(*sizes: int) -> None:
    """Print one table per size."""
    print(torch.cuda.get_device_name())
    torch.backends.cudnn.benchmark = True
    for size in sizes:
        on: dict[str, bool] = dict(OFF)
        rows = [("none", dict(on))]
        for switch in OFF:
            on[switch] = True
            rows.append((f"+ {switch}", dict(on)))
        print(f"size {size}")
        for name, switches in rows:
            step = _step(_module(size), Hardware("cuda", **switches))
            print(f"  {name:16s} {_milliseconds(step):8.3f} ms/step")
        print(f"  {'authors way':16s} {_milliseconds(_authors_way(_module(size))):8.3f} ms/step")


if __name__ == "__main__":
    main(*(int(size) for size in sys.argv[1:] or ("256", "512")))
