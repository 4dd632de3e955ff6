"""Networks that serve as priors: plain modules that know nothing of pruning or pictures."""

from lipdip.networks.classifier import Classifier
from lipdip.networks.deep_decoder import DeepDecoder
from lipdip.networks.hourglass import Hourglass
from lipdip.networks.pggan import Discriminator, Generator

__all__ = ["Classifier", "DeepDecoder", "Discriminator", "Generator", "Hourglass"]
