"""Which weights are kept: an exact mask over named weights."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Mask(Mapping[str, Tensor]):
    """A bool tensor for each prunable weight, by name: True is kept. A value: no method changes it.

    Raises:
        TypeError: if a layer is not a bool tensor.
    """

    layers: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        for name, layer in self.layers.items():
            if layer.dtype is not torch.bool:
                raise TypeError(f"the mask of {name} has dtype {layer.dtype}, not bool")

    @classmethod
    def dense(cls, weights: Mapping[str, Tensor]) -> "Mask":
        """The mask that keeps every weight."""
        return cls({name: torch.ones_like(weight, dtype=torch.bool) for name, weight in weights.items()})

    def __getitem__(self, name: str) -> Tensor:
        return self.layers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Mask)
            and list(self) == list(other)
            and all(torch.equal(self[name].cpu(), other[name].cpu()) for name in self)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def total(self) -> int:
        """Number of prunable weights."""
        return sum(layer.numel() for layer in self.layers.values())

    @property
    def kept(self) -> int:
        """Number of weights kept."""
        return sum(int(layer.sum()) for layer in self.layers.values())

    @property
    def sparsity(self) -> float:
        """Fraction of the prunable weights that is pruned."""
        return 1 - self.kept / self.total

    def inside(self, other: "Mask") -> bool:
        """Whether every weight kept here is kept in ``other``."""
        return all(bool((other[name] | ~layer).all()) for name, layer in self.items())

    def to(self, device: torch.device | str) -> "Mask":
        """The same mask on another device."""
        return Mask({name: layer.to(device) for name, layer in self.items()})

    def digest(self) -> str:
        """SHA-256 over names, shapes and values."""
        sha = hashlib.sha256()
        for name, layer in self.items():
            sha.update(f"{name}{tuple(layer.shape)}".encode())
            sha.update(layer.cpu().contiguous().numpy().tobytes())
        return sha.hexdigest()


class Pruned:
    """The mask at work on a network's weights: holds both, and sets pruned weights to exactly zero.

    The multiplication factors are made once, so that ``apply`` costs one fused call a step.
    """

    def __init__(self, weights: Mapping[str, Tensor], mask: Mask) -> None:
        if list(weights) != list(mask):
            raise ValueError("the mask and the network name different weights")
        self.mask = mask
        self._weights = [weight.data for weight in weights.values()]
        self._factors = [mask[name].to(weight.device, weight.dtype) for name, weight in weights.items()]
        self._dense = mask.kept == mask.total

    def apply(self) -> None:
        """Set every pruned weight to zero, in place."""
        if not self._dense:
            torch._foreach_mul_(self._weights, self._factors)
