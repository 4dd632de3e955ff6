"""Data sets: pictures in two splits, labelled or not; one function per source, all pictures of one shape."""

from lipdip.pictures.datasets.cifar import cifar10
from lipdip.pictures.datasets.dataset import Dataset, Examples
from lipdip.pictures.datasets.fashion import fashion_mnist
from lipdip.pictures.datasets.image_folder import folder
from lipdip.pictures.datasets.sklearn_digits import digits
from lipdip.pictures.datasets.unlabelled_folder import unlabelled

__all__ = ["Dataset", "Examples", "cifar10", "digits", "fashion_mnist", "folder", "unlabelled"]
