"""What lipdip.run costs beyond the optimisation itself: its time per step against a bare loop over the same step.

    python benchmarks/step_overhead.py [pairs] [override ...]

Both sides fit the same experiment from the same start, in turn. The bare loop calls ``fit_step`` and nothing else;
the other side is the whole of ``execute`` between the start and the end of training: scores at every step, SSIM,
curves, autosaves, Lightning. Prints milliseconds a step, and the median of the ratios pair by pair, by the processor's
time of this process: on a shared machine the wall clock also measures the neighbours. One thread, so that waiting is
not counted as work.
"""

import io
import statistics
import sys
import tempfile
import time
from pathlib import Path

import lightning as L
import torch
from rich.console import Console
from typing_extensions import override

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of
from lipdip.core.seeds import stream
from lipdip.fit.execute import execute
from lipdip.fit.experiment import Experiment
from lipdip.fit.step import fit_step, make_passes
from lipdip.runs.directory import RunDirectory
from lipdip.tasks.restoration import PriorFitting
from lipdip.tickets.mask import Mask, Pruned
from lipdip.tickets.scope import prunable

WARM_UP = 20


class Clock(L.Callback):
    """Seconds of processor time between the start and the end of training."""

    @override
    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.start = time.process_time()

    @override
    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.seconds = time.process_time() - self.start


def _whole(experiment: Experiment) -> float:
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder, RunDirectory(Path(folder) / "run") as directory:
        execute(experiment, directory, Console(file=io.StringIO()), callbacks=[clock])
    return clock.seconds


def _bare(experiment: Experiment) -> float:
    module = experiment.module
    assert isinstance(module, PriorFitting)
    settings, hardware, device = module.settings, module.hardware, torch.device(module.hardware.device)
    network = module.network.to(device)
    problems, codes = [p.to(device) for p in module.problems], [code.to(device) for code in module.codes]
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.lr, fused=hardware.fused or None)
    passes = make_passes(network, problems, codes, module.multi, hardware)
    weights = prunable(network)
    pruned, jitter = Pruned(weights, Mask.dense(weights)), stream(module.seed, "jitter", device)
    start = time.process_time()
    for _ in range(settings.steps):
        losses, _ = fit_step(passes, optimizer, pruned, jitter, settings.reg_noise_std)
    losses[0].item()
    return time.process_time() - start


def main(pairs: int, *overrides: str) -> None:
    """Print the comparison."""
    torch.set_num_threads(1)
    cfg = compose("pruner=none", *overrides)
    _bare(experiment_of(compose("pruner=none", *overrides, f"fit.steps={WARM_UP}")))
    times = [(_whole(experiment_of(cfg)), _bare(experiment_of(cfg))) for _ in range(pairs)]
    steps = cfg.fit.steps
    for whole, bare in times:
        print(f"lipdip.run {1e3 * whole / steps:7.3f} ms/step   bare loop {1e3 * bare / steps:7.3f} ms/step")
    ratio = statistics.median(whole / bare for whole, bare in times)
    print(f"median ratio over {pairs} pairs of {steps} steps: {ratio:.4f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7, *sys.argv[2:])
