"""Each switch that makes a step fast gives the result of the plain step, to 0.1 dB after a full fit."""

import pytest
import torch

from lipdip.core.records import read_rounds

FIT = ("pruner=none", "model.channels=16", "model.scales=3", "fit.steps=400", "image.size=32")


@pytest.mark.slow
@pytest.mark.parametrize("switch", ["bf16", "channels_last", "fused", "compile"])
def test_a_switch_changes_the_speed_not_the_result(tmp_path, tiny, switch):
    plain = read_rounds(tiny(*FIT, "trainer=cpu", output_dir=tmp_path / "plain")[0])[0]
    fast = read_rounds(tiny(*FIT, "trainer=cpu", f"trainer.{switch}=true", output_dir=tmp_path / "fast")[0])[0]
    assert plain.psnr_best > 20
    assert fast.psnr_best == pytest.approx(plain.psnr_best, abs=0.1)


@pytest.mark.gpu
def test_the_gpu_gives_what_the_cpu_gives(tmp_path, tiny):
    assert torch.cuda.is_available()
    plain = read_rounds(tiny(*FIT, "trainer=cpu", output_dir=tmp_path / "plain")[0])[0]
    fast = read_rounds(tiny(*FIT, "trainer=gpu", output_dir=tmp_path / "fast")[0])[0]
    assert fast.psnr_best == pytest.approx(plain.psnr_best, abs=0.3)  # another device draws other jitter
