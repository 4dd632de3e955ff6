"""Which weights every pruner chooses from."""

from torch import Tensor, nn


def prunable(network: nn.Module) -> dict[str, Tensor]:
    """The weights of all convolutions by parameter name, never a bias or BatchNorm; in the network's own order.

    Raises:
        ValueError: if the network has no convolution.
    """
    found = {
        f"{name}.weight" if name else "weight": module.weight
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d)
    }
    if not found:
        raise ValueError(f"{type(network).__name__} has no convolution to prune")
    return found
