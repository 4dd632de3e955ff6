"""Targets that a network is asked to fit in place of the picture, from pure structure to pure noise."""

import torch

from lipdip.core.errors import UserError
from lipdip.pictures.picture import Picture

CONTENTS = ("picture", "noisy", "shuffled", "noise")
_SIGMA = 25 / 255


def with_content(picture: Picture, content: str, generator: torch.Generator) -> Picture:
    """The picture with its content changed, as for the learning curves of the paper's Fig. 10.

    Args:
        picture: with pixels (C, H, W) in [0, 1].
        content: ``picture`` (as it is), ``noisy`` (Gaussian noise of standard deviation 25/255 is added, then clipped
            to [0, 1]), ``shuffled`` (the pixels in random order, a pixel's channels together), or ``noise`` (white
            noise, uniform in [0, 1]; of the picture only the size is left).
        generator: on the pixels' device; what is drawn from it decides the result.

    Source: Wu et al., Chasing Better Deep Image Priors between Over- and Under-parameterization, Fig. 10; the four
    targets are those of Ulyanov et al., Deep Image Prior, Fig. 2.

    Raises:
        UserError: on any other content.
    """
    pixels, name = picture.pixels, picture.name
    if content == "picture":
        return picture
    if content == "noisy":
        noise = torch.randn(pixels.shape, generator=generator, device=pixels.device)
        note = f"{name} was given Gaussian noise of standard deviation 25/255 and clipped to [0, 1]"
        return picture.changed((pixels + _SIGMA * noise).clamp(0, 1), note)
    if content == "shuffled":
        order = torch.randperm(pixels[0].numel(), generator=generator, device=pixels.device)
        shuffled = pixels.flatten(1)[:, order].reshape(pixels.shape)
        return picture.changed(shuffled, f"the pixels of {name} were put in random order")
    if content == "noise":
        noise = torch.rand(pixels.shape, generator=generator, device=pixels.device)
        return picture.changed(noise, f"{name} was replaced by white noise, uniform in [0, 1]; only its size is left")
    raise UserError(f"image.content={content} is not known; there are {', '.join(CONTENTS)}")
