"""What lipdip.run costs beyond the optimisation itself: its time per step against a bare loop over the same step.

    python benchmarks/step_overhead.py [pairs] [override ...]

Both sides fit the same experiment from the same start, in turn. The bare loop calls ``fit_step`` and nothing else;
the other side is the whole of ``find_ticket`` between the start and the end of training: scores at every step, SSIM,
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
from lipdip.core.seeds import stream
from lipdip.fit.execute import find_ticket
from lipdip.fit.experiment import Restoration
from lipdip.fit.step import fit_step, make_passes
from lipdip.runs.directory import RunDirectory
from lipdip.tasks.restoration.assemble_restoration import assemble_restoration as assemble
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


def _whole(experiment: Restoration) -> float:
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder, RunDirectory(Path(folder) / "run") as directory:
        find_ticket(experiment, directory, Console(file=io.StringIO()), extra=[clock])
    return clock.seconds


def _bare(experiment: Restoration) -> float:
    device = torch.device(experiment.hardware.device)
    network = experiment.network.to(device)
    problems, codes = [p.to(device) for p in experiment.problems], [code.to(device) for code in experiment.codes]
    optimizer = torch.optim.Adam(
        network.parameters(), lr=experiment.settings.lr, fused=experiment.hardware.fused or None
    )
    passes = make_passes(network, problems, codes, experiment.multi, experiment.hardware)
    weights = prunable(network)
    pruned, jitter = Pruned(weights, Mask.dense(weights)), stream(experiment.seed, "jitter", device)
    start = time.process_time()
    for _ in range(experiment.settings.steps):
        losses, _ = fit_step(passes, optimizer, pruned, jitter, experiment.settings.reg_noise_std)
    losses[0].item()
    return time.process_time() - start


def main(pairs: int, *overrides: str) -> None:
    """Print the comparison."""
    torch.set_num_threads(1)
    cfg = compose("pruner=none", *overrides)
    _bare(assemble(compose("pruner=none", *overrides, f"fit.steps={WARM_UP}")))
    times = [(_whole(assemble(cfg)), _bare(assemble(cfg))) for _ in range(pairs)]
    steps = cfg.fit.steps
    for whole, bare in times:
        print(f"lipdip.run {1e3 * whole / steps:7.3f} ms/step   bare loop {1e3 * bare / steps:7.3f} ms/step")
    ratio = statistics.median(whole / bare for whole, bare in times)
    print(f"median ratio over {pairs} pairs of {steps} steps: {ratio:.4f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7, *sys.argv[2:])
