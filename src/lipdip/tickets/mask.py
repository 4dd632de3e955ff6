"""Which weights are kept: an exact mask over named weights."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from lipdip.networks.protocol import unwrapped
from lipdip.tickets.scope import prunable


@dataclass(frozen=True, eq=False)
class Mask(Mapping[str, Tensor]):
    """A bool tensor for each prunable weight, by name: True is kept. A value: no method changes it.

    Raises:
        TypeError: if a layer is not a bool tensor.

    Example:
        >>> mask = Mask({"weight": torch.tensor([[True, False], [True, True]])})
        >>> mask.kept, mask.total, mask.sparsity
        (3, 4, 0.25)
        >>> module = nn.Linear(2, 2)
        >>> with mask.held(module):
        ...     optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
        ...     for step in range(3):
        ...         module(torch.ones(1, 2)).square().sum().backward()
        ...         optimizer.step()
        >>> module.weight[0, 1].item() == 0
        True
    """

    layers: Mapping[str, Tensor]

    def __post_init__(self) -> None:
        for name, layer in self.layers.items():
            if layer.dtype is not torch.bool:
                raise TypeError(f"the mask of {name} has dtype {layer.dtype}, not bool")

    @classmethod
    def dense(cls, weights: Mapping[str, Tensor] | nn.Module) -> "Mask":
        """The mask that keeps each of these weights, or of a module every weight that can be pruned."""
        if isinstance(weights, nn.Module):
            weights = prunable(weights)
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

    def check(self, module: nn.Module) -> None:
        """Refuse a module that has not all of the mask's weights, of the same shapes.

        Raises:
            ValueError: which names the first such weight.
        """
        shapes = {name: own.shape for name, own in unwrapped(module).named_parameters(remove_duplicate=False)}
        for name, layer in self.items():
            if shapes.get(name) != layer.shape:
                here = tuple(shapes[name]) if name in shapes else "not there"
                raise ValueError(f"the weight {name} is {tuple(layer.shape)} in the mask and {here} in the module")

    def apply_to(self, module: nn.Module) -> None:
        """Set every pruned weight of a module to zero, in place.

        Raises:
            ValueError: if the module has not all of the mask's weights, of the same shapes.
        """
        _Held(module, self).apply()

    @contextmanager
    def held(self, module: nn.Module) -> Iterator[None]:
        """Within this block pruned weights of a module are zero, whoever trains it and however.

        They are set to zero on entry, after every step of any ``torch.optim`` optimiser, and on exit, and their
        gradients are zero, so that loops without an optimiser keep them too. The module's ``state_dict`` stays as it
        is, it may be compiled before or within the block, and blocks may be nested. Afterwards nothing holds them.

        Raises:
            ValueError: if the module has not all of the mask's weights, of the same shapes.
        """
        held = _Held(module, self)
        held.apply()
        hooks = [register_optimizer_step_post_hook(held.after_step), *held.zero_gradients()]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
            held.apply()

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


class _Held:
    """A mask over a module's parameters, which are looked up anew each time: they may be moved, or loaded again."""

    def __init__(self, module: nn.Module, mask: Mask) -> None:
        mask.check(module)
        self._mask, self._factors = mask, dict[str, Tensor]()
        split = {name: name.rpartition(".") for name in mask}
        self._owners = {name: (unwrapped(module).get_submodule(path), last) for name, (path, _, last) in split.items()}

    def apply(self) -> None:
        """Set every pruned weight to zero."""
        weights = {name: getattr(owner, last).data for name, (owner, last) in self._owners.items()}
        torch._foreach_mul_(list(weights.values()), [self._factor(name, own) for name, own in weights.items()])

    def after_step(self, *_: Any) -> None:
        """What an optimiser calls after its step."""
        self.apply()

    def zero_gradients(self) -> list[Any]:
        """Let the gradient of every pruned weight be zero; the hooks to remove."""
        return [self._hook(name, getattr(owner, last)) for name, (owner, last) in self._owners.items()]

    def _hook(self, name: str, weight: nn.Parameter) -> Any:
        def zero(own: Tensor) -> None:
            if own.grad is not None:
                own.grad.mul_(self._factor(name, own.grad))

        return weight.register_post_accumulate_grad_hook(zero)  # type: ignore[no-untyped-call]

    def _factor(self, name: str, like: Tensor) -> Tensor:
        """The mask as numbers, made anew only where the weights have moved to another device or type."""
        factor = self._factors.get(name)
        if factor is None or factor.device != like.device or factor.dtype != like.dtype:
            factor = self._factors[name] = self._mask[name].to(like.device, like.dtype)
        return factor
