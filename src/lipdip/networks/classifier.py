"""The hourglass as a classifier: a linear head replaces its last convolution."""

from typing import ClassVar

import torch
from torch import Tensor, nn

from lipdip.core.check import FEATURES, number
from lipdip.networks.hourglass import Hourglass


class Classifier(nn.Module):
    """An hourglass's body, the mean of its features over the picture, and a linear head (the paper's Fig. 6).

    The body has the hourglass's own layers, names and initialisation, so that masks can be moved from one to the
    other; only the convolutions that read the input differ, since a picture has fewer channels than a code.

    Args:
        classes: number of classes.
        channels: features at every scale.
        scales: how often the picture is halved.
        skip_channels: features of each skip connection; 0 for none.
        picture_channels: of the input.

    Shapes: pictures ``(N, picture_channels, H, W)`` to logits ``(N, classes)``; H and W larger than ``2**scales``.
    """

    dense_layers: ClassVar[tuple[str, ...]] = ("linear",)

    def __init__(
        self, classes: int, channels: int = 128, scales: int = 5, skip_channels: int = 4, picture_channels: int = 3
    ) -> None:
        super().__init__()
        number("classes", classes, low=2, most=FEATURES, whole=True)
        prior = Hourglass(3, channels, scales, skip_channels, picture_channels)
        self.code_shape = prior.code_shape
        self.body = prior.body
        self.linear = nn.Linear(channels, classes)

    def logits(self, pictures: Tensor) -> Tensor:
        """The same as calling it; some pruners score this."""
        assert self.body is not None
        out: Tensor = self.linear(torch.mean(self.body(pictures), (2, 3)))
        return out

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits, (N, classes)."""
        return self.logits(pictures)
