"""The pictures of clothes that ship with lipdip: what they are, and that a group of them composes."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from lipdip.cli.compose import compose
from lipdip.cli.run_command import plain
from lipdip.pictures import clothing
from lipdip.tasks.parts import pictures

PUBLIC = Path("/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz")


def test_thirty_two_grey_pictures_each_another():
    made = [clothing(number) for number in range(32)]
    for picture in made:
        assert picture.pixels.shape == (1, 32, 32) and picture.pixels.dtype == torch.float32
        assert picture.pixels.min() == 0 and 0.5 < picture.pixels.max() <= 1 and picture.notes == ()
        inner = torch.nn.functional.pad(picture.pixels[:, 2:-2, 2:-2], (2, 2, 2, 2))
        assert torch.equal(inner, picture.pixels)  # the frame is black
    assert [picture.name for picture in made] == [f"clothes{number:02d}" for number in range(32)]
    assert len({picture.digest for picture in made}) == 32
    assert clothing(3).digest == made[3].digest and torch.equal(clothing(3).pixels, made[3].pixels)


@pytest.mark.skipif(not PUBLIC.exists(), reason="Debian's dataset-fashion-mnist is not installed")
def test_they_are_the_last_of_the_public_test_split():
    content = np.frombuffer(gzip.decompress(PUBLIC.read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)
    for number in range(32):
        ours = (clothing(number).pixels[0, 2:-2, 2:-2] * 255).round().to(torch.uint8)
        assert np.array_equal(ours.numpy(), content[-32:][number])


@pytest.mark.parametrize("number", [-1, 32, 1.0, True, None, "3"])
def test_there_are_no_others(number):
    with pytest.raises(ValueError, match=r"^number must be"):
        clothing(number)


@pytest.mark.parametrize(
    ("image", "numbers"),
    [
        ("clothes", range(32)),
        ("clothes16", range(16)),
        ("clothes/03", [3]),
        ("[clothes/08,clothes/31]", [8, 31]),
    ],
)
def test_a_group_is_its_pictures_in_order(image, numbers):
    found = pictures(plain(compose("task=compressive_sensing", f"image={image}")))
    assert [picture.name for picture in found] == [f"clothes{number:02d}" for number in numbers]
