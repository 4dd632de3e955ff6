"""Building a network from the settings and tensors that a file holds, after checking each of them."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

_Network = TypeVar("_Network", bound=nn.Module)


def network_with(kind: Callable[..., _Network], settings: Mapping[str, Any], state: Mapping[str, Tensor]) -> _Network:
    """A network built from ``settings``, with exactly the weights ``state``, as float32 on the CPU.

    Names and shapes are compared before memory is allocated, so forged settings cost nothing. Draws no random numbers.

    Args:
        kind: the network's class.
        settings: arguments of its constructor.
        state: tensors by name, as in its state dict.

    Raises:
        ValueError: if the settings make no sense, or do not fit the tensors, or a tensor is not plain finite numbers.
    """
    try:
        with torch.device("meta"):
            network = kind(**settings)
    except (TypeError, RuntimeError, OverflowError) as error:
        raise ValueError(" ".join(str(error).split())) from None
    wanted = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    for name in sorted(set(wanted) ^ set(state)):
        raise ValueError(
            f"{name!r} is {'missing' if name in wanted else 'in none of the layers that its settings describe'}"
        )
    for name, tensor in state.items():
        if type(tensor) not in (Tensor, nn.Parameter) or tensor.layout != torch.strided or not tensor.is_contiguous():
            raise ValueError(f"{name} is not a plain tensor")
        if tuple(tensor.shape) != wanted[name]:
            raise ValueError(f"{name} has shape {tuple(tensor.shape)}, and its settings ask for {wanted[name]}")
        if not tensor.is_floating_point() or not tensor.isfinite().all():
            raise ValueError(f"{name} is not made of finite floating-point numbers")
    copies = {name: tensor.detach().to("cpu", torch.float32, copy=True) for name, tensor in state.items()}
    network.load_state_dict(copies, assign=True)
    return network
