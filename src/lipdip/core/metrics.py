"""How a reconstruction is compared with the clean image."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lipdip.core import check

_STUDIO = (16 / 255, 219 / 255)  # ITU-R BT.601 luma: black at 16, white at 235, of 255


@dataclass(frozen=True)
class Metric:
    """PSNR and SSIM on declared channels, range and crop, for pictures with values in [0, 1].

    Args:
        channels: ``rgb`` (all channels of the picture) or ``y`` (its luma; a grey picture is its own luma).
        crop: pixels left out at every side.
        y_range: ``studio`` scales luma to 16..235 of 255 with peak 1, as super-resolution papers do; it reads
            20 log10(255/219) = 1.32 dB higher than ``full``.

    Raises:
        ValueError: on any other value.

    Examples:
        >>> clean = torch.zeros(1, 3, 32, 32)
        >>> metric = Metric("y", crop=4, y_range="full")
        >>> f"{metric}: {metric.psnr(clean + 0.1, clean):.2f} dB"
        'Y (full range), 4 pixels cropped: 20.00 dB'
    """

    channels: str = "rgb"
    crop: int = 0
    y_range: str = "studio"

    def __post_init__(self) -> None:
        check.choice("channels", self.channels, ("rgb", "y"))
        check.choice("y_range", self.y_range, ("studio", "full"))
        check.number("crop", self.crop, low=0, whole=True)

    def view(self, image: Tensor) -> Tensor:
        """What is compared: the chosen channels of ``image`` (N, C, H, W), cropped."""
        if self.crop:
            image = image[..., self.crop : -self.crop, self.crop : -self.crop]
        if self.channels == "rgb":
            return image
        if image.shape[1] == 3:
            from kornia.color import rgb_to_y  # here, because importing it takes a quarter of a second

            image = rgb_to_y(image)
        if self.y_range == "studio":
            offset, scale = _STUDIO
            image = offset + scale * image
        return image

    def psnr_to_view(self, image: Tensor, view: Tensor) -> Tensor:
        """PSNR in dB of ``image`` against a picture that was already passed through :meth:`view`; a scalar tensor."""
        return -10 * torch.log10((self.view(image) - view).square().mean())

    def psnr(self, image: Tensor, clean: Tensor) -> Tensor:
        """PSNR in dB of ``image`` against ``clean``, both (N, C, H, W); peak 1; a scalar tensor."""
        return self.psnr_to_view(image, self.view(clean))

    def ssim(self, image: Tensor, clean: Tensor) -> Tensor:
        """SSIM (Wang et al., 2004; Gaussian window of 11 pixels, sigma 1.5, data range 1); a scalar tensor."""
        from torchmetrics.functional.image import structural_similarity_index_measure  # takes seconds to import

        value = structural_similarity_index_measure(self.view(image), self.view(clean), data_range=1.0)
        assert isinstance(value, Tensor)
        return value

    def __str__(self) -> str:
        what = "RGB" if self.channels == "rgb" else f"Y ({self.y_range} range)"
        return f"{what}, {self.crop} pixels cropped" if self.crop else what
