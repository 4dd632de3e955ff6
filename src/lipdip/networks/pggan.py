"""The progressively grown GAN: a generator and a discriminator that gain one scale after the other.

Source: Karras, Aila, Laine & Lehtinen, "Progressive Growing of GANs for Improved Quality, Stability, and
Variation", ICLR 2018. Layers, their names in the state dict and their arithmetic are those of the public "GAN zoo"
(facebookresearch/pytorch_GAN_zoo), so that its checkpoints load strictly.
"""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from lipdip.core.check import choice
from lipdip.networks.pggan_layers import halved, minibatch_std, pixel_norm, upsampled
from lipdip.networks.progressive import COARSEST, Progressive

_CHANNELS = (512, 512, 512, 512, 256, 128, 64)  # of the zoo's 256x256 networks


class Generator(Progressive):
    """A code to a picture: 4x4 features from a linear layer, then per scale nearest upsampling and two convolutions.

    Args:
        latent: numbers in a code.
        channels: features of each scale, the coarsest (4x4 pixels) first.
        picture_channels: of the picture, 3 for RGB.
        alpha: the finest scale's share, see :attr:`alpha`.
        pixel_norm: bring the code and every layer's features to unit mean square.
        equalized: equalised learning rate.
        zero_bias: biases start from zero.
        leak: slope of the LeakyReLU below zero.
        activation: of the picture: ``tanh``, or None for none (WGAN-GP).

    Shapes: codes ``(N, latent)``, standard normal, to pictures ``(N, picture_channels, size, size)``, made to be in
    [-1, 1] but not held there unless ``activation`` is ``tanh``.

    Raises:
        ValueError: if an argument makes no sense.
    """

    dense_layers: ClassVar[tuple[str, ...]] = ("formatLayer",)

    def __init__(
        self,
        latent: int = 512,
        channels: Sequence[int] = _CHANNELS,
        picture_channels: int = 3,
        alpha: float = 1.0,
        pixel_norm: bool = True,
        equalized: bool = True,
        zero_bias: bool = True,
        leak: float = 0.2,
        activation: str | None = None,
    ) -> None:
        super().__init__(
            channels,
            alpha,
            latent=latent,
            picture_channels=picture_channels,
            pixel_norm=pixel_norm,
            equalized=equalized,
            zero_bias=zero_bias,
            leak=leak,
            activation=activation,
        )
        choice("activation", activation, ("tanh", None))
        self.latent = latent
        self.pixel_norm = pixel_norm
        self.activation = activation
        first = channels[0]
        self.scaleLayers = nn.ModuleList()
        self.toRGBLayers = nn.ModuleList([self._conv(first, picture_channels, 1)])
        self.formatLayer = self._equalized(nn.Linear(latent, COARSEST**2 * first))
        self.groupScale0 = self._group(self._conv(first, first, 3), pixel_norm=pixel_norm)
        for count in channels[1:]:
            self.add_scale(count, alpha)

    def _grow(self, below: int, channels: int) -> None:
        layers = self._conv(below, channels, 3), self._conv(channels, channels, 3)
        self.scaleLayers.append(self._group(*layers, pixel_norm=self.pixel_norm))
        self.toRGBLayers.append(self._conv(channels, self.picture_channels, 1))

    def _normed(self, x: Tensor) -> Tensor:
        return pixel_norm(x) if self.pixel_norm else x

    def logits(self, z: Tensor) -> Tensor:
        """The picture before the activation, ``(N, picture_channels, size, size)``; some pruners score this."""
        x = self._leaky(self.formatLayer(self._normed(z.flatten(1))))
        x = below = self.groupScale0(self._normed(x.view(len(x), -1, COARSEST, COARSEST)))
        for group in self.scaleLayers:
            below, x = x, group(upsampled(x))
        picture: Tensor = self.toRGBLayers[-1](x)
        if self.alpha < 1 and len(self.scaleLayers):
            picture = self.alpha * picture + (1 - self.alpha) * upsampled(self.toRGBLayers[-2](below))
        return picture

    def forward(self, z: Tensor) -> Tensor:
        """The picture ``G(z)``."""
        picture = self.logits(z)
        return picture if self.activation is None else torch.tanh(picture)


class Discriminator(Progressive):
    """A picture to a score, higher for a picture that looks real; the generator's mirror image without pixel norm.

    Args:
        channels: features of each scale in the generator's order, the coarsest (4x4 pixels) first.
        picture_channels: of the picture.
        outputs: numbers in a score; 1, and one more for each class of a conditional GAN.
        alpha: the finest scale's share, see :attr:`alpha`; the zoo's does not fade in its second scale, this one does.
        minibatch_std: let the score see how much the pictures of a batch differ.
        equalized: equalised learning rate.
        zero_bias: biases start from zero.
        leak: slope of the LeakyReLU below zero.

    Shapes: pictures ``(N, picture_channels, size, size)`` to scores ``(N, outputs)``. With ``minibatch_std`` a score
    depends on the other pictures of the batch.

    Raises:
        ValueError: if an argument makes no sense.
    """

    dense_layers: ClassVar[tuple[str, ...]] = ("decisionLayer", "groupScaleZero.1")

    def __init__(
        self,
        channels: Sequence[int] = _CHANNELS,
        picture_channels: int = 3,
        outputs: int = 1,
        alpha: float = 1.0,
        minibatch_std: bool = True,
        equalized: bool = True,
        zero_bias: bool = True,
        leak: float = 0.2,
    ) -> None:
        super().__init__(
            channels,
            alpha,
            picture_channels=picture_channels,
            outputs=outputs,
            minibatch_std=minibatch_std,
            equalized=equalized,
            zero_bias=zero_bias,
            leak=leak,
        )
        self.minibatch_std = minibatch_std
        first = channels[0]
        self.scaleLayers = nn.ModuleList()
        self.fromRGBLayers = nn.ModuleList([self._conv(picture_channels, first, 1)])
        self.decisionLayer = self._equalized(nn.Linear(first, outputs))
        linear = self._equalized(nn.Linear(COARSEST**2 * first, first))
        self.groupScaleZero = nn.ModuleList([self._conv(first + minibatch_std, first, 3), linear])
        for count in channels[1:]:
            self.add_scale(count, alpha)

    def _grow(self, below: int, channels: int) -> None:
        self.scaleLayers.append(self._group(self._conv(channels, channels, 3), self._conv(channels, below, 3)))
        self.fromRGBLayers.append(self._conv(self.picture_channels, channels, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """The score ``D(x)``."""
        x = self._leaky(self.fromRGBLayers[-1](pictures))
        for scale in reversed(range(len(self.scaleLayers))):
            x = halved(self.scaleLayers[scale](x))
            if self.alpha < 1 and scale == len(self.scaleLayers) - 1:
                x = self.alpha * x + (1 - self.alpha) * self._leaky(self.fromRGBLayers[-2](halved(pictures)))
        x = minibatch_std(x) if self.minibatch_std else x
        for layer in self.groupScaleZero:
            x = self._leaky(layer(x)).flatten(1)
        scores: Tensor = self.decisionLayer(x)
        return scores
