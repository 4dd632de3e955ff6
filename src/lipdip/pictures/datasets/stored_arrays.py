"""A split that is held in memory as bytes and resized batch by batch."""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True, eq=False)
class Stored:
    """Square pictures in memory at their own size; resized ones would take up to a thousand times as much.

    Args:
        pixels: (N, C, side, side) uint8; C is 3 (RGB) or 1 (grey).
        labels: (N,) int64.
        white: the value that counts as 1.
        size: side of the pictures given out, in pixels.
    """

    pixels: Tensor
    labels: Tensor
    white: int
    size: int

    def __len__(self) -> int:
        """How many there are."""
        return len(self.labels)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """(N, 3, size, size) in [0, 1], resized (bicubic, antialiased) and clamped, and (N,) labels."""
        pixels = self.pixels[indices].to(torch.float32) / self.white
        if pixels.shape[-1] != self.size:
            pixels = functional.interpolate(pixels, (self.size, self.size), mode="bicubic", antialias=True)
        return pixels.clamp(0, 1).expand(-1, 3, -1, -1).contiguous(), self.labels[indices]


def digest(*splits: Stored) -> str:
    """SHA-256 over the splits' pictures and labels, in order."""
    sha = hashlib.sha256()
    for split in splits:
        sha.update(f"{tuple(split.pixels.shape)} of {split.white}\n".encode())
        sha.update(split.pixels.numpy().tobytes())
        sha.update(split.labels.numpy().tobytes())
    return sha.hexdigest()
