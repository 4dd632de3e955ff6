"""Which weights every pruner chooses from: those of convolutions and linear layers."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from lipdip.core.check import choice
from lipdip.networks.protocol import dense_modules, unwrapped

TransposedLayer = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d
PrunableLayer = nn.Conv1d | nn.Conv2d | nn.Conv3d | TransposedLayer | nn.Linear
SCOPES = ("all", "inner")


def _named_layers(network: nn.Module) -> list[tuple[str, PrunableLayer]]:
    """Every layer whose weight may be pruned, with its weight's name; layers that share a weight share its name."""
    network = unwrapped(network)
    dense, names, found = dense_modules(network), dict[int, str](), []
    for name, module in network.named_modules():
        # A weight that is computed from others (weight norm, a parametrisation) is none of the layer's parameters.
        if isinstance(module, PrunableLayer) and module not in dense and "weight" in module._parameters:
            own = f"{name}.weight" if name else "weight"
            found.append((names.setdefault(id(module.weight), own), module))
    return found


def layers(network: nn.Module) -> dict[str, PrunableLayer]:
    """Layers whose weights may be pruned, by the name of the weight, in the network's own order.

    These are one- to three-dimensional convolutions, transposed or not, and linear layers, besides those that the
    network names as its ``dense_layers`` (:class:`lipdip.networks.protocol.Prior`). Of layers that share one weight,
    the first stands for all.
    """
    found: dict[str, PrunableLayer] = {}
    for name, layer in _named_layers(network):
        found.setdefault(name, layer)
    return found


def prunable(network: nn.Module, scope: str = "all", code: Tensor | None = None) -> dict[str, Tensor]:
    """The weights of :func:`layers` by parameter name, never a bias or BatchNorm; in the network's own order.

    Args:
        network: any module.
        scope: ``all`` layers, or ``inner``: without those that read the code and the last one.
        code: an input of the network, needed for ``inner``; if it is given, layers that it does not pass through
            (a grown generator's outputs at its earlier sizes) are left out.

    Raises:
        ValueError: if the scope is neither, or contains no layer, or needs an input.

    Example:
        >>> list(prunable(nn.Sequential(nn.Conv1d(2, 4, 3), nn.BatchNorm1d(4), nn.Linear(6, 1))))
        ['0.weight', '2.weight']
    """
    choice("scope", scope, SCOPES)
    found = layers(network)
    if code is not None:
        used = {use.name for use in uses(network, code)}
        found = {name: layer for name, layer in found.items() if name in used}
    if scope == "inner":
        if code is None:
            raise ValueError("scope=inner needs an input of the network, to see which layers read it")
        first, last = ends(network, code)
        found = {name: layer for name, layer in found.items() if name not in first and name != last}
    if not found:
        raise ValueError(f"scope={scope} of {type(unwrapped(network)).__name__} has no layer to prune")
    return {name: layer.weight for name, layer in found.items()}


@dataclass(frozen=True)
class Use:
    """One use of a layer in a forward pass.

    Args:
        name: of its weight.
        reads_code: whether it reads the network's input itself.
        places: how often each of its weights is multiplied, for one example of a batch.
    """

    name: str
    reads_code: bool
    places: int


def uses(network: nn.Module, code: Tensor) -> list[Use]:
    """All uses of :func:`layers` in one forward pass, in order; in eval mode, so that no buffer changes."""
    return _watched(network, code)[0]


def ends(network: nn.Module, code: Tensor) -> tuple[set[str], str | None]:
    """Names of the weights that read the input itself, and of the one that is used last and outputs the picture.

    The latter is None if the output is not a picture, a volume or a signal (but a classifier's).
    """
    seen, output = _watched(network, code)
    last = seen[-1].name if seen and isinstance(output, Tensor) and output.dim() > 2 else None
    return {use.name for use in seen if use.reads_code}, last


def _watched(network: nn.Module, code: Tensor) -> tuple[list[Use], Any]:
    network, seen = unwrapped(network), list[Use]()

    def watch(name: str) -> Any:
        def look(layer: PrunableLayer, args: tuple[Tensor, ...], named: dict[str, Tensor], output: Tensor) -> None:
            read = args[0] if args else named["input"]
            seen.append(Use(name, read is code, _places(layer, read, output)))

        return look

    hooks = [layer.register_forward_hook(watch(name), with_kwargs=True) for name, layer in _named_layers(network)]
    modes = {module: module.training for module in network.modules()}
    try:
        with torch.no_grad():
            output = network.eval()(code)
    finally:
        for module, training in modes.items():
            module.training = training
        for hook in hooks:
            hook.remove()
    return seen, output


def _places(layer: PrunableLayer, read: Tensor, output: Tensor) -> int:
    """How often each weight is multiplied: once for every place of the output, of the input if it is transposed."""
    if isinstance(layer, nn.Linear):
        return math.prod(output.shape[1:-1])
    return math.prod((read if isinstance(layer, TransposedLayer) else output).shape[-len(layer.kernel_size) :])
