"""The deep decoder: an under-parameterised prior of 1x1 convolutions and bilinear upsampling.

Source: Heckel & Hand, "Deep Decoder: Concise Image Representations from Untrained Non-convolutional
Networks", ICLR 2019.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from lipdip.core.check import FEATURES, SCALES, number


class _Block(nn.Module):
    """1x1 convolution, bilinear upsampling (except in the last block), ReLU, BatchNorm."""

    def __init__(self, channels: int, upsample: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        self.upsample = upsample

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.upsample:
            x = nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        out: Tensor = self.norm(torch.relu(x))
        return out


class DeepDecoder(nn.Module):
    """A decoder without spatial convolutions: 100,224 parameters at its defaults, 619,200 with 320 channels.

    ``scales`` blocks of (1x1 convolution, x2 bilinear upsampling, ReLU, BatchNorm), one block without
    upsampling, a 1x1 convolution to the picture, a sigmoid. No biases except BatchNorm's.

    Args:
        out_channels: channels of the picture.
        channels: features at every scale, and channels of the code.
        scales: how often the code is doubled.

    Shapes: code ``(N, channels, H / 2**scales, W / 2**scales)`` to picture ``(N, out_channels, H, W)`` in (0, 1).
    """

    dense_layers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, out_channels: int = 3, channels: int = 128, scales: int = 5) -> None:
        super().__init__()
        for name, value in {"out_channels": out_channels, "channels": channels, "scales": scales}.items():
            number(name, value, low=1, most=SCALES if name == "scales" else FEATURES, whole=True)
        self.channels = channels
        self.scales = scales
        self.blocks = nn.Sequential(*(_Block(channels, upsample=block < scales) for block in range(scales + 1)))
        self.head = nn.Conv2d(channels, out_channels, 1, bias=False)

    @property
    def multiple(self) -> int:
        """What both sides of a picture must be divisible by."""
        return int(2**self.scales)

    def code_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape (channels, height, width) of the code for a picture of that size.

        Raises:
            ValueError: if the picture's sides are not multiples of ``2**scales``.
        """
        step = self.multiple
        if height % step or width % step:
            raise ValueError(
                f"a picture of {height}x{width} pixels does not fit scales={self.scales}: "
                f"both sides must be multiples of {step}; give another size or fewer scales"
            )
        if (height // step) * (width // step) < 2:
            raise ValueError(
                f"a picture of {height}x{width} pixels is too small for scales={self.scales}: "
                "its code would be a single pixel; give a larger picture or fewer scales"
            )
        return self.channels, height // step, width // step

    def logits(self, z: Tensor) -> Tensor:
        """The picture before the sigmoid, ``(N, out_channels, H, W)``; some pruners score this."""
        out: Tensor = self.head(self.blocks(z))
        return out

    def forward(self, z: Tensor) -> Tensor:
        """The picture ``x_hat = f(z)``."""
        return torch.sigmoid(self.logits(z))
