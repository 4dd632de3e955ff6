"""Pre-trained generators: read from the GAN zoo's checkpoints, kept in files of lipdip's own."""

from lipdip.generators.stored import StoredGenerator, load_discriminator, load_generator, network_bytes, save_network
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
