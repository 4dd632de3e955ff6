"""Each switch that makes a step fast agrees with the plain step.

A fit is chaotic: rounding alone moves its best PSNR by some hundredths of a decibel. So single steps are compared
closely, and full fits (the quick protocol's dense round) by their mean over three seeds.
"""

import statistics

import pytest
import torch

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.core.seeds import stream
from lipdip.fit.step import fit_step, make_passes
from lipdip.tasks import read_rounds
from lipdip.tickets.mask import Mask, Pruned
from lipdip.tickets.scope import prunable

SMALL = ("trainer=cpu", "image.size=32", "model.channels=16", "model.scales=3")


def _first_losses(*overrides: str) -> torch.Tensor:
    module = assemble(compose(*SMALL, *overrides)).module
    network, hardware = module.network, module.hardware
    if hardware.channels_last:
        network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01, fused=hardware.fused or None)
    weights = prunable(network)
    passes = make_passes(network, module.problems, module.codes, module.multi, hardware)
    pruned = Pruned(weights, Mask.dense(weights))
    jitter = stream(0, "jitter")
    return torch.stack([fit_step(passes, optimizer, pruned, jitter, 0.03)[0][0] for _ in range(6)])


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("switch", ["channels_last", "fused", pytest.param("compile", marks=pytest.mark.slow)])
def test_the_first_steps_agree(switch):
    plain, fast = _first_losses(), _first_losses(f"trainer.{switch}=true")
    assert plain[-1] < 0.8 * plain[0], "six steps must have moved the fit"
    torch.testing.assert_close(fast, plain, rtol=1e-3, atol=0)


def _first_gradient(*overrides: str) -> tuple[torch.Tensor, torch.Tensor]:
    module = assemble(compose(*SMALL, *overrides)).module
    network, hardware = module.network, module.hardware
    (only,) = make_passes(network, module.problems, module.codes, module.multi, hardware)
    (loss,), _ = only.objective(only.code)
    loss.backward()
    return loss.detach(), torch.cat([weight.grad.flatten() for weight in prunable(network).values()])


def test_bfloat16_agrees_in_loss_and_in_the_direction_of_descent():
    # Adam's first steps go by the gradient's sign, so losses after a step would compare rounding, not descent.
    (loss, gradient), (rounded_loss, rounded) = _first_gradient(), _first_gradient("trainer.bf16=true")
    torch.testing.assert_close(rounded_loss, loss, rtol=1e-2, atol=0)
    assert not torch.equal(rounded, gradient)
    assert torch.cosine_similarity(rounded, gradient, dim=0) > 0.95


def _full_fits(tiny, folder, *overrides: str) -> float:
    settings = ("pruner=none", "trainer=cpu", "image.size=64", "model.channels=32", "model.scales=4", "fit.steps=900")
    runs = [tiny(*settings, f"seed={seed}", *overrides, output_dir=folder)[0] for seed in (0, 1, 2)]
    return statistics.mean(read_rounds(run)[0].psnr_best for run in runs)


@pytest.fixture(scope="module")
def known() -> dict[str, float]:
    """The plain fits, made once."""
    return {}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("switch", ["bf16", "channels_last", "fused", "compile"])
def test_full_fits_agree(tmp_path, tiny, known, switch):
    if "plain" not in known:
        known["plain"] = _full_fits(tiny, tmp_path / "plain")
    assert known["plain"] > 25
    assert _full_fits(tiny, tmp_path / "fast", f"trainer.{switch}=true") == pytest.approx(known["plain"], abs=0.1)


@pytest.mark.gpu
def test_the_gpu_with_every_switch_agrees_with_the_cpu(tmp_path, tiny):
    # Another device draws other jitter, so this too is a comparison of means.
    plain = _full_fits(tiny, tmp_path / "plain")
    fast = _full_fits(tiny, tmp_path / "fast", "trainer=gpu")
    assert fast == pytest.approx(plain, abs=0.1)
