"""How much memory a fit will take, before anything large is made."""

import copy
import math
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from lipdip.core.errors import UserError
from lipdip.fit.settings import FitSettings

GIB = 2**30
SAID = 2 * GIB  # from here on a forecast is worth a word
_FLOAT, _DOUBLE = 4, 8
_LIBRARIES = GIB // 8  # what Lightning and torch's compiler take once a fit begins
_PICTURES = 8  # kept of each picture: clean, measured, output, average, best, chosen, and copies on the way
_GROUPS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current")


def forecast(
    network: nn.Module,
    code_shapes: Sequence[Sequence[int]],
    image_shapes: Sequence[Sequence[int]],
    settings: FitSettings,
    together: bool = False,
) -> int | None:
    """Bytes that a fit takes at its largest; nothing of that size is made to find out.

    Activations are counted on torch's meta device: all that autograd keeps of a forward pass, and the gradients that
    exist beside them. To these come codes, weights with Adam's state, the stopping rule's window, and the pictures.

    Args:
        network: any module from a code to a picture; it is copied.
        code_shapes: (c, h, w) of each picture's code.
        image_shapes: (C, H, W) of each picture.
        settings: of the fit.
        together: whether the activations of all pictures are held at a time.

    Returns:
        The forecast; None where the network cannot be run on the meta device.
    """
    try:
        steps = [_activations(network, shape) for shape in code_shapes]
    except Exception:  # whatever a network of the user's own does there
        return None
    codes = sum(_FLOAT * math.prod(shape) for shape in code_shapes)
    values = sum(math.prod(shape) for shape in image_shapes)
    weights = sum(weight.numel() for weight in network.parameters())
    window = settings.stop_window * _FLOAT + 4 * _DOUBLE if settings.stop_rule == "wmv" else 2 * _FLOAT
    held = 2 * codes + 7 * _FLOAT * weights + values * (window + _PICTURES * _FLOAT) + _LIBRARIES
    return held + (sum if together else max)(steps)


def check(needed: int | None, device: str, times: float = 1) -> str | None:
    """Say what a fit will need, where that is much.

    Args:
        needed: from :func:`forecast`.
        device: ``cpu`` or ``cuda``.
        times: how many times what is free it may be.

    Raises:
        UserError: if it is more than that.
    """
    if needed is None:
        return None
    free = free_bytes(device)
    if free is not None and needed > times * free:
        raise UserError(
            f"this fit needs about {needed / GIB:.1f} GB of memory, and {free / GIB:.1f} GB are free; give a smaller "
            "picture (image.size), fewer model.channels, or a smaller fit.stop_window"
        )
    return f"this fit needs about {needed / GIB:.1f} GB of memory" if needed >= SAID else None


def free_bytes(device: str) -> int | None:
    """Bytes that this process can still take on a device; None where nobody says."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    limits = [_available(), _group(), _limit()]
    return min((limit for limit in limits if limit is not None), default=None)


def _activations(network: nn.Module, code_shape: Sequence[int]) -> int:
    planned = copy.deepcopy(network).to("meta")
    own = {weight.untyped_storage()._cdata for weight in planned.parameters()}
    held: dict[int, torch.UntypedStorage] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            held[storage._cdata] = storage  # held, so that no other storage takes its place
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        output = planned(torch.empty(1, *code_shape, device="meta"))
        del output
    sizes = [storage.nbytes() for storage in held.values()]
    return sum(sizes) + 3 * max(sizes, default=0)


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        pass
    try:  # other systems than Linux
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _group() -> int | None:
    """What a container leaves."""
    try:
        most, used = (int(Path(file).read_text()) for file in _GROUPS)
    except (OSError, ValueError):  # there is none, or "max"
        return None
    return max(most - used, 0)


def _limit() -> int | None:
    """What ``ulimit -v`` leaves."""
    try:
        import resource  # not on Windows
    except ImportError:
        return None
    most = resource.getrlimit(resource.RLIMIT_AS)[0]
    if most == resource.RLIM_INFINITY:
        return None
    try:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        used = 0
    return max(most - used, 0)
