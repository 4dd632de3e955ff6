"""Values: masks, seeds, metrics."""

import math
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch

from lipdip.core.metrics import Metric
from lipdip.core.seeds import default_generator_seeded, derive, stream
from lipdip.tickets.mask import Mask, Pruned


def test_streams_are_named_and_repeatable():
    draws = {name: torch.rand(4, generator=stream(0, name)) for name in ("init", "code", "jitter")}
    assert torch.equal(draws["code"], torch.rand(4, generator=stream(0, "code")))
    assert not torch.equal(draws["code"], draws["jitter"])
    assert not torch.equal(draws["code"], torch.rand(4, generator=stream(1, "code")))
    assert derive(0, "code") == 8536622814361122409  # pinned: tickets of other versions rely on it


def test_a_seeded_block_leaves_the_global_generator_alone():
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    with default_generator_seeded(0, "init"):
        torch.rand(100)
    assert torch.equal(torch.rand(3), expected)


def _mask(*layers: list[bool]) -> Mask:
    return Mask({f"layer{number}": torch.tensor(layer) for number, layer in enumerate(layers)})


_DRAWN = """
import hashlib, sys, torch
from torch import nn
from lipdip.core.seeds import default_generator_seeded
with default_generator_seeded(3, "init", sys.argv[1]):
    network = nn.Sequential(nn.Conv2d(3, 40, 3), nn.Linear(40, 7), nn.LSTM(3, 50), nn.Conv1d(20, 20, 5))
    if sys.argv[1] == "portable":
        nn.init.normal_(network[3].weight, mean=0.5, std=0.3)
print(hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in network.state_dict().values())).hexdigest())
"""


def _drawn(how, instructions):
    environment = {**os.environ, "ATEN_CPU_CAPABILITY": instructions}
    command = [sys.executable, "-c", _DRAWN, how]
    return subprocess.run(command, env=environment, capture_output=True, check=True).stdout


def test_initial_weights_are_the_same_on_every_instruction_set():
    assert _drawn("portable", "default") == _drawn("portable", "avx2")


def test_tickets_of_earlier_versions_from_other_processors_can_be_drawn_again():
    assert _drawn("torch", "default") == _drawn("unfused", "avx2")


def test_portable_uniform_numbers_are_rounded_once():
    with default_generator_seeded(1, "init"):
        drawn = torch.empty(500).uniform_(-0.3, 0.1)
    x = torch.rand(500, generator=stream(1, "init")).tolist()
    low, high = (float(np.float32(bound)) for bound in (-0.3, 0.1))
    exact = [Fraction(one) * Fraction(float(np.float32(high - low))) + Fraction(low) for one in x]
    for value, wanted in zip(drawn.numpy(), exact, strict=True):
        neighbours = (np.nextafter(value, np.float32(-1)), np.nextafter(value, np.float32(1)))
        assert all(abs(Fraction(float(value)) - wanted) <= abs(Fraction(float(one)) - wanted) for one in neighbours)


@pytest.mark.skipif("AVX" not in torch.backends.cpu.get_cpu_capability(), reason="torch fuses on x86 with AVX2 only")
def test_portable_uniform_numbers_are_those_of_earlier_versions():  # so that their tickets can be drawn again
    with default_generator_seeded(1, "init"):
        portable = torch.nn.Conv2d(8, 64, 3).weight
    with default_generator_seeded(1, "init", how="torch"):
        own = torch.nn.Conv2d(8, 64, 3).weight
    assert torch.equal(portable, own)


def test_mask_counts_and_compares():
    mask = _mask([True, False, True], [False, False])
    assert (mask.kept, mask.total, mask.sparsity) == (2, 5, 0.6)
    assert mask == _mask([True, False, True], [False, False])
    assert mask != _mask([True, False, True], [False, True])
    assert mask.inside(_mask([True, True, True], [False, True]))
    assert not mask.inside(_mask([True, True, False], [True, True]))
    assert mask.digest() != _mask([True, False, False], [True, False]).digest()
    with pytest.raises(TypeError, match="not bool"):
        Mask({"w": torch.ones(2)})


@pytest.mark.parametrize("make", [torch.optim.Adam, torch.optim.AdamW, lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)])
def test_pruned_weights_stay_zero_under_any_optimiser(make):
    torch.manual_seed(0)
    layer = torch.nn.Conv2d(2, 3, 3)
    mask = Mask({"weight": torch.rand(layer.weight.shape) > 0.5})
    pruned, optimizer = Pruned({"weight": layer.weight}, mask), make(layer.parameters())
    pruned.apply()
    for _ in range(5):
        optimizer.zero_grad()
        layer(torch.rand(1, 2, 8, 8)).square().sum().backward()
        optimizer.step()
        pruned.apply()
        assert torch.equal(layer.weight != 0, mask["weight"])


def test_psnr_is_the_textbooks():
    clean = torch.rand(1, 3, 16, 16)
    assert Metric().psnr(clean + 0.1, clean).item() == pytest.approx(20.0, abs=1e-4)


def test_studio_luma_reads_higher_by_a_constant():
    a, b = torch.rand(2, 1, 3, 16, 16)
    studio, full = Metric("y", y_range="studio").psnr(a, b), Metric("y", y_range="full").psnr(a, b)
    assert (studio - full).item() == pytest.approx(20 * math.log10(255 / 219), abs=1e-4)
    weights = torch.tensor([65.481, 128.553, 24.966]).view(1, 3, 1, 1) / 255
    torch.testing.assert_close(Metric("y").view(a), 16 / 255 + (a * weights).sum(1, keepdim=True), atol=1e-5, rtol=0)


def test_crop_leaves_out_the_border_and_grey_is_its_own_luma():
    clean = torch.rand(1, 1, 16, 16)
    spoiled = clean.clone()
    spoiled[..., :4, :] = 0
    assert Metric("y", crop=4).psnr(spoiled, clean).item() == math.inf
    assert Metric("y", crop=3).psnr(spoiled, clean).item() < 60


def test_ssim_is_one_for_the_same_picture_and_less_for_another():
    clean = torch.rand(1, 3, 32, 32)
    assert Metric().ssim(clean, clean).item() == pytest.approx(1.0)
    assert Metric().ssim(clean.flip(-1), clean).item() < 0.5


@pytest.mark.parametrize(
    ("settings", "name"),
    [({"crop": -1}, "crop"), ({"crop": True}, "crop"), ({"channels": "luma"}, "channels"), ({"y_range": 1}, "y_range")],
)
def test_a_metric_refuses_other_values_by_name(settings, name):
    with pytest.raises(ValueError, match=rf"^{name} must be"):
        Metric(**settings)
