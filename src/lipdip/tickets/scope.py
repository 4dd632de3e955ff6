"""Which weights every pruner chooses from."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


def convolutions(network: nn.Module) -> dict[str, nn.Conv2d]:
    """All convolutions by the name of their weight, in the network's own order."""
    return {
        f"{name}.weight" if name else "weight": module
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d)
    }


def prunable(network: nn.Module, scope: str = "all", code: Tensor | None = None) -> dict[str, Tensor]:
    """The weights of convolutions by parameter name, never a bias or BatchNorm; in the network's own order.

    Args:
        network: any module.
        scope: ``all`` convolutions, or ``inner``: without those that read the code and the last one.
        code: an input of the network, needed for ``inner``; if it is given, convolutions that it does not pass
            through (a grown generator's outputs at its earlier sizes) are left out.

    Raises:
        ValueError: if the scope is neither, or contains no convolution.
    """
    if scope not in ("all", "inner"):
        raise ValueError(f"scope must be all or inner, not {scope!r}")
    convs = convolutions(network)
    if code is not None:
        used = {use.name for use in uses(network, code)}
        convs = {name: conv for name, conv in convs.items() if name in used}
    if scope == "inner":
        assert code is not None
        first, last = ends(network, code)
        convs = {name: conv for name, conv in convs.items() if name not in first and name != last}
    if not convs:
        raise ValueError(f"scope={scope} of {type(network).__name__} has no convolution to prune")
    return {name: conv.weight for name, conv in convs.items()}


@dataclass(frozen=True)
class Use:
    """One use of a convolution in a forward pass: its weight, whether it reads the code itself, at how many places."""

    name: str
    reads_code: bool
    places: int


def uses(network: nn.Module, code: Tensor) -> list[Use]:
    """All uses of convolutions in one forward pass, in order; in eval mode, so that no buffer changes."""
    return _watched(network, code)[0]


def _watched(network: nn.Module, code: Tensor) -> tuple[list[Use], Tensor]:
    seen: list[Use] = []

    def watch(name: str) -> Any:
        def look(_: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            seen.append(Use(name, inputs[0] is code, output.shape[-2] * output.shape[-1]))

        return look

    hooks = [conv.register_forward_hook(watch(name)) for name, conv in convolutions(network).items()]
    training = network.training
    try:
        with torch.no_grad():
            output: Tensor = network.eval()(code)
    finally:
        network.train(training)
        for hook in hooks:
            hook.remove()
    return seen, output


def ends(network: nn.Module, code: Tensor) -> tuple[set[str], str | None]:
    """Names of the weights that read the input itself, and of the one that is used last and outputs the picture.

    The latter is None if the output is not a picture (a classifier's).
    """
    seen, output = _watched(network, code)
    return {use.name for use in seen if use.reads_code}, seen[-1].name if output.dim() == 4 else None
