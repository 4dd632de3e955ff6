"""The hourglass of deep image prior: an encoder-decoder with thin skip connections.

Source: Ulyanov, Vedaldi & Lempitsky, "Deep Image Prior", CVPR 2018 (there called ``skip``).
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from lipdip.core.check import FEATURES, SCALES, number


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    # Reflection padding inside the convolution: the same values as a ReflectionPad2d in front.
    pad = kernel // 2
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=pad, padding_mode="reflect" if pad else "zeros")


class _ConvNormAct(nn.Module):
    """Convolution, BatchNorm, LeakyReLU(0.2)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = _conv(inputs, outputs, kernel, stride)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = nn.functional.leaky_relu(self.norm(self.conv(x)), 0.2)
        return out


class _Scale(nn.Module):
    """One level: halve the picture, hand it to the level below, double it and merge it with the skip."""

    def __init__(self, inputs: int, channels: int, skip_channels: int, below: "_Scale | None") -> None:
        super().__init__()
        self.skip = _ConvNormAct(inputs, skip_channels, 1) if skip_channels else None
        self.down = _ConvNormAct(inputs, channels, 3, stride=2)
        self.refine = _ConvNormAct(channels, channels, 3)
        self.below = below
        self.norm = nn.BatchNorm2d(skip_channels + channels)
        self.up = _ConvNormAct(skip_channels + channels, channels, 3)
        self.mix = _ConvNormAct(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        skip = self.skip(x) if self.skip is not None else None
        deep = self.refine(self.down(x))
        if self.below is not None:
            deep = self.below(deep)
        deep = nn.functional.interpolate(deep, scale_factor=2, mode="bilinear", align_corners=False)
        deep = deep[..., : x.shape[-2], : x.shape[-1]]  # an odd side came back one pixel longer
        merged = deep if skip is None else torch.cat([skip, deep], dim=1)
        out: Tensor = self.mix(self.up(self.norm(merged)))
        return out


class Hourglass(nn.Module):
    """The over-parameterised prior of the paper: 2,217,831 parameters at its defaults.

    Args:
        out_channels: channels of the picture, 3 for RGB and 1 for grey.
        channels: features at every scale, down and up.
        scales: how often the picture is halved.
        skip_channels: features of each skip connection; 0 for none.
        code_channels: channels of the code ``z``.

    Shapes: code ``(N, code_channels, H, W)`` to picture ``(N, out_channels, H, W)`` with values in (0, 1);
    H and W are larger than ``2**scales``, so that reflection has two pixels at the coarsest scale.
    """

    dense_layers: ClassVar[tuple[str, ...]] = ()
    multiple: ClassVar[int] = 1  # odd sides are cut back on the way up

    def __init__(
        self,
        out_channels: int = 3,
        channels: int = 128,
        scales: int = 5,
        skip_channels: int = 4,
        code_channels: int = 32,
    ) -> None:
        super().__init__()
        sizes = {"out_channels": out_channels, "channels": channels, "scales": scales, "code_channels": code_channels}
        for name, value in sizes.items():
            number(name, value, low=1, most=SCALES if name == "scales" else FEATURES, whole=True)
        number("skip_channels", skip_channels, low=0, most=FEATURES, whole=True)
        self.code_channels = code_channels
        self.scales = scales
        level = None
        for depth in reversed(range(scales)):
            level = _Scale(code_channels if depth == 0 else channels, channels, skip_channels, level)
        self.body = level
        self.head = _conv(channels, out_channels, 1)

    def code_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape (channels, height, width) of the code for a picture of that size.

        Raises:
            ValueError: if the picture cannot be halved ``scales`` times with two pixels left.
        """
        if min(height, width) <= 2**self.scales:
            raise ValueError(
                f"a picture of {height}x{width} pixels is too small for scales={self.scales}: "
                f"both sides must be more than {2**self.scales}; give a larger picture or fewer scales"
            )
        return self.code_channels, height, width

    def logits(self, z: Tensor) -> Tensor:
        """The picture before the sigmoid, ``(N, out_channels, H, W)``; some pruners score this."""
        assert self.body is not None
        out: Tensor = self.head(self.body(z))
        return out

    def forward(self, z: Tensor) -> Tensor:
        """The picture ``x_hat = f(z)``."""
        return torch.sigmoid(self.logits(z))
