"""What generator and discriminator of a progressively grown GAN share: scales, growth, fading in, settings."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipdip.core.check import FEATURES, SCALES, flag, number
from lipdip.networks.pggan_layers import Equalized, Group

COARSEST = 4  # pixels, side of the first scale


class Progressive(nn.Module):
    """A network of scales, each twice as fine as the one before; the finest one can be faded in.

    Args:
        channels: features of each scale, the coarsest first; subclasses build the first scale and add the others.
        alpha: the finest scale's share, see :attr:`alpha`.
        settings: every other argument of the subclass's constructor, as plain values.

    Raises:
        ValueError: if one of them makes no sense.
    """

    def __init__(self, channels: Sequence[int], alpha: float, **settings: Any) -> None:
        super().__init__()
        if not isinstance(channels, Sequence) or isinstance(channels, str) or not channels:
            raise ValueError(f"channels must be a list with one whole number for each scale, not {channels!r}")
        sizes = {f"channels[{scale}]": value for scale, value in enumerate(channels)}
        if len(channels) > SCALES:
            raise ValueError(f"channels must be a list of at most {SCALES} scales, not of {len(channels)}")
        sizes |= {name: settings[name] for name in ("latent", "picture_channels", "outputs") if name in settings}
        for name, value in sizes.items():
            number(name, value, low=1, most=_most(), whole=True)
        for name in {"equalized", "zero_bias", "pixel_norm", "minibatch_std"} & set(settings):
            flag(name, settings[name])
        number("leak", settings["leak"], low=0, high=1)
        self._settings = settings
        self.channels: tuple[int, ...] = (channels[0],)
        self.picture_channels: int = settings["picture_channels"]
        self.alpha = alpha

    @property
    def alpha(self) -> float:
        """The finest scale's share of the output: 0 when it is new, 1 when it is faded in (the zoo has the reverse)."""
        return self._alpha

    @alpha.setter
    def alpha(self, value: float) -> None:
        number("alpha", value, low=0, high=1)
        self._alpha = float(value)

    @property
    def size(self) -> int:
        """Side of the pictures in pixels; 4 with one scale, doubled by every other."""
        return int(COARSEST * 2 ** (len(self.channels) - 1))

    @property
    def settings(self) -> dict[str, Any]:
        """Plain values with which the constructor builds a network of this kind, as large as this one has grown."""
        return {"channels": list(self.channels), "alpha": self.alpha, **self._settings}

    def add_scale(self, channels: int, alpha: float = 0.0) -> None:
        """Grow by one scale, which doubles the picture's side.

        Args:
            channels: features of the new scale.
            alpha: its share; 0 leaves the output unchanged except for the picture's size.

        Raises:
            ValueError: if either makes no sense.
        """
        number("channels", channels, low=1, most=_most(), whole=True)
        self.alpha = alpha
        like = next(self.parameters())
        self._grow(self.channels[-1], channels)
        self.to(like)  # device and type of what was there
        self.channels = (*self.channels, channels)

    def _grow(self, below: int, channels: int) -> None:
        raise NotImplementedError

    def _conv(self, inputs: int, outputs: int, kernel: int) -> Equalized:
        return self._equalized(nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2))

    def _equalized(self, layer: nn.Conv2d | nn.Linear) -> Equalized:
        return Equalized(layer, self._settings["equalized"], self._settings["zero_bias"])

    def _group(self, *layers: nn.Module, pixel_norm: bool = False) -> Group:
        return Group(*layers, leak=self._settings["leak"], pixel_norm=pixel_norm)

    def _leaky(self, x: Tensor) -> Tensor:
        return functional.leaky_relu(x, self._settings["leak"])


def _most() -> float:
    """How many features there can be: any number on the meta device, where files are looked at and nothing is made."""
    return math.inf if torch.get_default_device().type == "meta" else FEATURES
