"""Pictures of clothes that ship with lipdip, so that a generator of clothes has held-out ones to recover."""

import hashlib
from importlib import resources

import numpy as np
import torch
from PIL import Image

from lipdip.core import check
from lipdip.pictures.picture import Picture

COUNT, ACROSS, SIDE = 32, 8, 32


def clothing(number: int) -> Picture:
    """One of the last 32 test pictures of Fashion-MNIST: grey, 28x28 padded with black to 1x32x32, in [0, 1].

    The generator that ships with lipdip was neither trained on these nor chosen by them: its own held-out score is of
    the test split's first pictures. Source: Xiao, Rasul & Vollgraf, 2017; MIT licence, Zalando SE.

    Args:
        number: its place among them, from 0 to 31.

    Raises:
        ValueError: if there is none of that number.
    """
    check.number("number", number, low=0, high=COUNT - 1, whole=True)
    stored = resources.files("lipdip.pictures") / "data" / "clothes.png"
    with stored.open("rb") as file, Image.open(file, formats=["PNG"]) as image:
        sheet = np.asarray(image)  # row by row, ACROSS pictures in each
    top, left = SIDE * (number // ACROSS), SIDE * (number % ACROSS)
    array = sheet[top : top + SIDE, left : left + SIDE]
    pixels = torch.from_numpy(array.astype(np.float32) / 255)[None]
    return Picture(f"clothes{number:02d}", pixels, hashlib.sha256(array.tobytes()).hexdigest())
