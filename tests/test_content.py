"""What a network is asked to fit: the picture, or what is left of it."""

import pytest
import torch

from lipdip.core.errors import UserError
from lipdip.core.seeds import stream
from lipdip.pictures import Picture, bundled, with_content

CHELSEA = bundled("chelsea")


def _seeded(seed: int = 0) -> torch.Generator:
    return stream(seed, "content")


def test_a_picture_is_left_as_it_is():
    assert with_content(CHELSEA, "picture", _seeded()) is CHELSEA


@pytest.mark.parametrize("content", ["noisy", "shuffled", "noise"])
def test_contents_follow_the_generator_say_what_was_done_and_leave_the_picture_alone(content):
    before = CHELSEA.pixels.clone()
    one, again, other = (with_content(CHELSEA, content, _seeded(seed)) for seed in (0, 0, 1))
    assert torch.equal(one.pixels, again.pixels) and not torch.equal(one.pixels, other.pixels)
    assert one.pixels.shape == before.shape and one.pixels.dtype == torch.float32
    assert one.pixels.min() >= 0 and one.pixels.max() <= 1
    assert torch.equal(CHELSEA.pixels, before)
    assert (one.name, one.digest, len(one.notes)) == ("chelsea", CHELSEA.digest, 1) and "chelsea" in one.notes[0]


def test_noisy_adds_noise_of_25_on_the_scale_of_255_and_clips():
    grey = Picture("grey", torch.full((3, 128, 128), 0.5), "")
    noise = (with_content(grey, "noisy", _seeded()).pixels - 0.5) * 255
    assert noise.std().item() == pytest.approx(25, rel=0.02) and abs(noise.mean().item()) < 0.5
    assert abs(torch.corrcoef(noise.flatten(1))[0, 1].item()) < 0.03
    white = with_content(Picture("white", torch.ones(1, 64, 64), ""), "noisy", _seeded()).pixels
    assert 0.4 < (white == 1).float().mean() < 0.6


def test_shuffled_keeps_every_pixel_with_its_channels_and_none_in_its_place():
    numbers = torch.arange(24 * 16, dtype=torch.float32).reshape(1, 24, 16) / 512
    picture = Picture("numbers", torch.cat([numbers, numbers / 2, 1 - numbers]), "")
    shuffled = with_content(picture, "shuffled", _seeded())
    first, half, rest = shuffled.pixels
    assert torch.equal(half, first / 2) and torch.equal(rest, 1 - first)
    assert torch.equal(first.flatten().sort().values, numbers.flatten())
    assert (first == numbers[0]).float().mean() < 0.05
    neighbours = torch.stack([first[:, :-1].flatten(), first[:, 1:].flatten()])
    assert abs(torch.corrcoef(neighbours)[0, 1].item()) < 0.2


def test_noise_knows_only_the_size():
    noise = with_content(CHELSEA, "noise", _seeded()).pixels
    black = Picture("black", torch.zeros_like(CHELSEA.pixels), "")
    assert torch.equal(noise, with_content(black, "noise", _seeded()).pixels)
    assert noise.mean().item() == pytest.approx(0.5, abs=0.005) and noise.std().item() == pytest.approx(12**-0.5, 0.01)


@pytest.mark.parametrize("content", ["blurred", "", None, 3, ["noise"]])
def test_other_contents_are_refused_in_one_line(content):
    with pytest.raises(UserError, match=r"image\.content=.* there are picture, noisy, shuffled, noise$") as caught:
        with_content(CHELSEA, content, _seeded())
    assert "\n" not in str(caught.value)
