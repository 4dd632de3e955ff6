"""Pictures in two splits, labelled or not: one constructor per source, all of one shape."""

from lipdip.datasets.cifar import cifar10
from lipdip.datasets.dataset import Dataset, Examples
from lipdip.datasets.fashion import fashion_mnist
from lipdip.datasets.image_folder import folder
from lipdip.datasets.pictures import pictures
from lipdip.datasets.sklearn_digits import digits

__all__ = ["Dataset", "Examples", "cifar10", "digits", "fashion_mnist", "folder", "pictures"]
