"""Finding the code of a picture: how well can a generator reach it at all?"""

import torch
from torch import Tensor, nn


def invert(
    generator: nn.Module, codes: Tensor, pictures: Tensor, steps: int, lr: float = 0.05
) -> tuple[Tensor, Tensor]:
    """Adam on codes ``z``, all at once, to bring ``G(z)`` to the pictures; the generator stays as it is.

    Args:
        generator: from codes to pictures.
        codes: where to begin, (N, latent).
        pictures: (N, C, H, W).
        steps: of Adam.
        lr: of Adam.

    Returns:
        The pictures reached, and their mean squared errors (N,); of each the best step's.
    """
    codes = codes.clone().requires_grad_()
    optimizer = torch.optim.Adam([codes], lr=lr)
    best = torch.full((len(pictures),), torch.inf, device=pictures.device)
    reached = torch.zeros_like(pictures)
    wanted = [parameter.requires_grad for parameter in generator.parameters()]
    generator.requires_grad_(False)
    try:
        with torch.enable_grad():
            for _ in range(steps):
                optimizer.zero_grad()
                made = generator(codes)
                errors = (made - pictures).square().flatten(1).mean(1)
                better = errors.detach() < best
                best = torch.where(better, errors.detach(), best)
                reached = torch.where(better[:, None, None, None], made.detach(), reached)
                errors.sum().backward()
                optimizer.step()
    finally:
        for parameter, wants in zip(generator.parameters(), wanted, strict=True):
            parameter.requires_grad_(wants)
    return reached, best
