"""Pretrained generators, read from the GAN zoo's checkpoints or from lipdip's own files."""

from lipdip.generators.network_file import (
    StoredGenerator,
    load_discriminator,
    load_generator,
    network_bytes,
    save_network,
)
from lipdip.generators.zoo import ZooCheckpoint, load_zoo

__all__ = [
    "StoredGenerator",
    "ZooCheckpoint",
    "load_discriminator",
    "load_generator",
    "load_zoo",
    "network_bytes",
    "save_network",
]
