"""What a network may say of itself, and what holds for one that says nothing."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor, nn

from lipdip.core.check import number


@runtime_checkable
class Prior(Protocol):
    """A network that serves as a prior: a module from a code ``z`` to a picture ``f(z)``.

    This is all that one may say of itself. Nothing of it is required of a module but that it can be called on a code:
    the functions of this file ask for the rest, and have an answer for plain modules from pictures to pictures. One
    may also have a number ``multiple``, see :func:`multiple_of`.
    """

    dense_layers: ClassVar[tuple[str, ...]]
    """Names of submodules that are never pruned; none by default."""

    def __call__(self, z: Tensor) -> Tensor:
        """The picture, ``(N, C, H, W)``."""
        ...

    def code_shape(self, height: int, width: int) -> tuple[int, int, int]:
        """Shape (channels, height, width) of the code for a picture of that size; ValueError if there is none."""
        ...

    def logits(self, z: Tensor) -> Tensor:
        """The output before the last non-linearity."""
        ...


def code_shape_of(network: nn.Module, image_shape: Sequence[int]) -> tuple[int, int, int]:
    """Shape (channels, height, width) of the network's code for a picture.

    Args:
        network: if it has no ``code_shape``, its code has the picture's size, and as many channels as its first
            two-dimensional convolution reads.
        image_shape: of the picture, (..., height, width).

    Raises:
        ValueError: if the network takes no such picture, or the number of channels cannot be known.

    Example:
        >>> code_shape_of(nn.Sequential(nn.Conv2d(8, 3, 1), nn.Sigmoid()), (3, 32, 48))
        (8, 32, 48)
    """
    network, (height, width) = unwrapped(network), image_shape[-2:]
    own = getattr(network, "code_shape", None)
    if own is None:
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
                return module.in_channels, height, width
        raise ValueError(
            f"{type(network).__name__} has no two-dimensional convolution from which the shape of its code could be "
            "known: give it a method code_shape(height, width)"
        )
    channels, *sides = own(height, width)
    for side in (channels, *sides):
        number(f"code_shape of {type(network).__name__}", side, low=1, whole=True)
    if len(sides) != 2:
        raise ValueError(f"code_shape of {type(network).__name__} must be (channels, height, width)")
    return channels, sides[0], sides[1]


def multiple_of(network: nn.Module) -> int:
    """What both sides of a picture must be divisible by for this network.

    Args:
        network: if it has no ``multiple``, 32: many networks halve a picture five times.

    Raises:
        ValueError: if its ``multiple`` is not a whole number of at least 1.

    Example:
        >>> multiple_of(nn.Conv2d(8, 3, 1))
        32
    """
    network = unwrapped(network)
    own: int = getattr(network, "multiple", 32)
    number(f"multiple of {type(network).__name__}", own, low=1, whole=True)
    return own


def logits_of(network: nn.Module) -> Callable[[Tensor], Tensor]:
    """The network without its last non-linearity.

    That is its method ``logits``; or an ``nn.Sequential`` without the sigmoid that ends it; or else the network itself.
    """
    network = unwrapped(network)
    own: Callable[[Tensor], Tensor] | None = getattr(network, "logits", None)
    if own is not None:
        return own
    if isinstance(network, nn.Sequential) and type(network).forward is nn.Sequential.forward:
        return network[:-1] if len(network) > 1 and isinstance(network[-1], nn.Sigmoid) else network
    return network


def dense_modules(network: nn.Module) -> set[nn.Module]:
    """The submodules that the network, or a part of it, names as ``dense_layers``, and all that they contain.

    Raises:
        ValueError: if there is none of such a name.
    """
    dense: set[nn.Module] = set()
    for module in network.modules():
        for name in getattr(module, "dense_layers", ()):
            try:
                dense.update(module.get_submodule(name).modules())
            except AttributeError:
                raise ValueError(f"dense_layers of {type(module).__name__} names {name!r}, which it has not") from None
    return dense


def unwrapped(network: nn.Module) -> nn.Module:
    """The module itself, where ``torch.compile`` or a data-parallel wrapper holds it; names stay the module's own."""
    while True:
        if isinstance(inner := network._modules.get("_orig_mod"), nn.Module):
            network = inner
        elif isinstance(network, nn.DataParallel | nn.parallel.DistributedDataParallel):
            network = network.module
        else:
            return network
