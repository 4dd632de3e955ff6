"""What the progressively grown GAN is made of: equalised layers, pixel norm, minibatch standard deviation.

Source: Karras, Aila, Laine & Lehtinen, "Progressive Growing of GANs for Improved Quality, Stability, and
Variation", ICLR 2018. Where the public "GAN zoo" (facebookresearch/pytorch_GAN_zoo) departs from it, this does too.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional


class Equalized(nn.Module):
    """A layer with equalised learning rate: ``c * (W x + b)`` with ``c = sqrt(2 / fan_in)`` and ``W ~ N(0, 1)``.

    The factor is applied when the layer is used and not stored, so a weight that is zero stays zero. As in the
    zoo the bias is scaled too. Section 4.1 of the paper.

    Args:
        module: the convolution or linear layer; it is what pruning sees.
        equalized: False leaves ``module`` as torch draws it, with ``c = 1``.
        zero_bias: the bias starts from zero.

    Shapes: those of ``module``.
    """

    def __init__(self, module: nn.Conv2d | nn.Linear, equalized: bool, zero_bias: bool) -> None:
        super().__init__()
        self.module = module
        self.scale = math.sqrt(2 / module.weight[0].numel()) if equalized else 1.0
        if equalized:
            nn.init.normal_(module.weight)
        if zero_bias and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        """What ``module`` gives, times ``c``."""
        out: Tensor = self.module(x) * self.scale
        return out


class Group(nn.Sequential):
    """The layers of one scale, each followed by LeakyReLU and, in a generator, pixel norm.

    Args:
        layers: in the order of their use.
        leak: slope of the LeakyReLU below zero.
        pixel_norm: whether :func:`pixel_norm` follows each.
    """

    def __init__(self, *layers: nn.Module, leak: float, pixel_norm: bool) -> None:
        super().__init__(*layers)
        self.leak = leak
        self.pixel_norm = pixel_norm

    def forward(self, x: Tensor) -> Tensor:
        """Features after the last layer."""
        for layer in self:
            x = functional.leaky_relu(layer(x), self.leak)
            x = pixel_norm(x) if self.pixel_norm else x
        return x


def pixel_norm(x: Tensor) -> Tensor:
    """``x / sqrt(mean_c(x^2) + 1e-8)``: every pixel's features, or every code, brought to unit mean square.

    Shapes: (N, C) or (N, C, H, W), and the same. Section 4.2 of the paper.
    """
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


def minibatch_std(x: Tensor, group: int = 4) -> Tensor:
    """Append one channel that says how much the pictures of a batch differ; zero for a single picture.

    The batch is divided into groups of ``group`` consecutive pictures (into a single group if it is smaller or
    not a multiple). In each group ``sqrt(var + 1e-8)`` of every feature at every pixel, with the unbiased variance as
    in the zoo, is averaged to one number. Section 3 of the paper.

    Shapes: (N, C, H, W) to (N, C + 1, H, W).
    """
    pictures, _, height, width = x.shape
    if pictures == 1:
        return torch.cat([x, x.new_zeros(1, 1, height, width)], dim=1)
    size = group if pictures % group == 0 else pictures
    deviation = (x.reshape(-1, size, *x.shape[1:]).var(dim=1) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    channel = deviation.repeat_interleave(size)[:, None, None, None].expand(pictures, 1, height, width)
    return torch.cat([x, channel], dim=1)


def upsampled(x: Tensor) -> Tensor:
    """Both sides doubled, nearest neighbour: (N, C, H, W) to (N, C, 2 H, 2 W)."""
    return functional.interpolate(x, scale_factor=2, mode="nearest")


def halved(x: Tensor) -> Tensor:
    """Both sides halved by averaging 2x2 pixels: (N, C, H, W) to (N, C, H / 2, W / 2)."""
    return functional.avg_pool2d(x, 2)
