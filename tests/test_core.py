"""Values: masks, seeds, metrics."""

import math

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
