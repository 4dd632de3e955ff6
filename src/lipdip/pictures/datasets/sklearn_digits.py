"""The handwritten digits that ship with scikit-learn."""

import torch
from torch import Tensor

from lipdip.core.seeds import stream
from lipdip.pictures.datasets.dataset import Dataset, check_size
from lipdip.pictures.datasets.stored_arrays import Stored, digest

WHITE = 16
TEST_SHARE = 0.2


def digits(size: int) -> Dataset:
    """1797 grey digits of 8x8 pixels, enlarged to ``size``; nothing is downloaded.

    A fifth of each class is the test split: the same pictures whatever the training seed. The source does not say
    who wrote which digit, so writers are in both splits. Source: the test part of UCI's "Optical Recognition of
    Handwritten Digits" (Alpaydin & Kaynak, 1998).

    Args:
        size: side of the pictures, in pixels.

    Raises:
        ValueError: if ``size`` is not a whole number of at least 8.
    """
    check_size(size)
    from sklearn.datasets import load_digits  # takes a second, which the other sources need not wait for

    source = load_digits()
    pixels = torch.from_numpy(source.images).to(torch.uint8)[:, None]
    labels = torch.from_numpy(source.target).to(torch.int64)
    train, test = (Stored(pixels[split], labels[split], WHITE, size) for split in _split(labels))
    return Dataset("digits", tuple(map(str, source.target_names)), train, test, digest(train, test))


def _split(labels: Tensor) -> tuple[Tensor, Tensor]:
    """Indices of the train and test examples in the source's order; each class is shuffled by itself."""
    generator = stream(0, "digits/split")
    tested = torch.zeros(len(labels), dtype=torch.bool)
    for label in range(int(labels.max()) + 1):
        members = (labels == label).nonzero()[:, 0]
        shuffled = members[torch.randperm(len(members), generator=generator)]
        tested[shuffled[: round(TEST_SHARE * len(members))]] = True
    return (~tested).nonzero()[:, 0], tested.nonzero()[:, 0]
