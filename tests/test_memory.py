"""The forecast of a fit's memory, and what is done about it."""

import subprocess
import sys
from pathlib import Path

import pytest

import lipdip as lip
from lipdip.core.errors import UserError
from lipdip.fit import memory
from lipdip.fit.settings import FitSettings

_FIT = """
import torch, lightning as L, lipdip as lip
from pathlib import Path
from lipdip.fit.memory import forecast
from lipdip.fit.settings import FitSettings
torch.set_num_threads(1)
shape, settings = (3, 384, 384), FitSettings(steps=2, reg_noise_std=0.03)
network = lip.Hourglass(3, 24, 2)
expected = forecast(network, [(32, 384, 384)], [shape], settings)
most = lambda: 1024 * int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
before = most()
fit = lip.PriorFitting(network, [lip.Problem(torch.rand(1, *shape), lip.physics.Denoise(shape))], settings)
flags = dict(logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
L.Trainer(max_epochs=1, accelerator="cpu", **flags).fit(fit)
print(expected / (most() - before))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's largest size there")
def test_the_forecast_is_what_a_fit_takes():
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", _FIT], capture_output=True, text=True, check=True)
    assert float(done.stdout.split()[-1]) == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize("network", [lip.Hourglass(3, 8, 2), lip.DeepDecoder(3, 8, 2)])
def test_nothing_large_is_made_for_a_forecast_and_the_network_stays(network):
    settings = FitSettings(steps=10)
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    shapes = {side: network.code_shape(side, side) for side in (4096, 2**15)}
    small, large = (memory.forecast(network, [shapes[side]], [(3, side, side)], settings) for side in shapes)
    assert 50 * memory.GIB < large < 65 * small and large > 60 * small
    assert all((tensor == state[name]).all() for name, tensor in network.state_dict().items())


def test_a_fit_that_does_not_fit_is_refused_before_its_first_step(tiny, monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "free_bytes", lambda device: 2**20)
    with pytest.raises(UserError, match="GB of memory"):
        tiny(f"paths.output_dir={tmp_path / 'here'}")
    assert not list((tmp_path / "here").rglob("*.csv")) and not list((tmp_path / "here" / "runs").glob("[0-9a-f]*"))
    with pytest.raises(UserError, match="GB of memory"):
        lip.restore([[0.0] * 32] * 32, lip.physics.Denoise((1, 32, 32)), network=lip.Hourglass(1, 4, 2), steps=2)
