"""Peak memory of compressive sensing at the paper's size: 1000 measurements of 256x256 RGB, the zoo's network.

python benchmarks/recovery_memory.py
"""

import resource

import torch

from lipdip.networks import Generator
from lipdip.physics import CompressiveSensing


def _peak(what: str) -> None:
    print(f"{what}: peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB", flush=True)


_peak("before")
draw = torch.Generator().manual_seed(0)
physics = CompressiveSensing((3, 256, 256), draw, measurements=1000, outliers=0.02)
_peak("with the matrix, 1000 x 196,608 in float32 (750 MiB)")
physics.A(torch.rand(4, 3, 256, 256, requires_grad=True)).square().sum().backward()
_peak("after A of four pictures and its gradient")
generator = Generator(latent=512, channels=[512, 512, 512, 512, 256, 128, 64], picture_channels=3)
_peak("with a generator of 23 million parameters")
code = torch.randn(2, 512, requires_grad=True)  # median of means: a candidate and its rival
physics.A(generator.requires_grad_(False)(code)).square().sum().backward()
_peak("after a step of a candidate and its rival")
