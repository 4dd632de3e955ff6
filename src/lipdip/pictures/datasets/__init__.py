"""Pictures in two splits, labelled or not: one constructor per source, all of one shape."""

from lipdip.pictures.datasets.cifar import cifar10
from lipdip.pictures.datasets.dataset import Dataset, Examples
from lipdip.pictures.datasets.fashion import fashion_mnist
from lipdip.pictures.datasets.image_folder import folder
from lipdip.pictures.datasets.sklearn_digits import digits
from lipdip.pictures.datasets.unlabelled import pictures

__all__ = ["Dataset", "Examples", "cifar10", "digits", "fashion_mnist", "folder", "pictures"]
