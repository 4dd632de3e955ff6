"""A ticket: a mask, the initialisation it belongs to, and where it came from, in one file (docs/ticket-format.md)."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lipdip.core.errors import UserError
from lipdip.core.files import checked_path, write_whole
from lipdip.tickets.mask import Mask
from lipdip.tickets.redraw import rebuilt
from lipdip.tickets.sealed import sealed, tensor_digests, unsealed

__all__ = ["FORMAT", "Ticket", "tensor_digests"]

FORMAT = 2
_KEY = "lipdip.ticket"
_WEIGHTS = "start/"


@dataclass(frozen=True, eq=False)
class Ticket:
    """Mask, initialisation, code and provenance. Plain values and tensors only.

    Args:
        mask: which weights are kept.
        architecture: ``target`` (dotted name of the network's class) and its ``settings``, enough to build it again.
        init: the weights that training starts from: ``seed`` and ``stream`` that they are drawn from (seed None if
            they cannot be redrawn), ``rewind_step``, and ``tensors`` (:func:`tensor_digests` of the whole state);
            if they are a pretrained network's, ``pretrained``: its ``name`` and ``sha256``.
        code: ``seed`` of the code ``z``.
        provenance: plain values: configuration, picture, round, scores.
        weights: those weights themselves, or None if the seed is enough: for a masked weight its kept values, in
            order, as one row; every other tensor of the network's state whole.

    Example:
        >>> import tempfile
        >>> from lipdip.networks import Hourglass
        >>> from lipdip.tickets.scope import prunable
        >>> network = Hourglass(channels=4, scales=2)
        >>> architecture = {"target": "lipdip.networks.Hourglass", "settings": {"channels": 4, "scales": 2}}
        >>> init = {"seed": None, "tensors": tensor_digests(network.state_dict())}
        >>> mask = Mask({name: weight.abs() > 0.1 for name, weight in prunable(network).items()})
        >>> ticket = Ticket(mask, architecture, init, {"seed": 0}).carrying(network.state_dict())
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ticket.save(f"{folder}/mine.safetensors")
        ...     again = Ticket.load(f"{folder}/mine.safetensors").network()
        >>> torch.equal(again.head.weight, network.head.weight * mask["head.weight"])
        True
    """

    mask: Mask
    architecture: Mapping[str, Any]
    init: Mapping[str, Any]
    code: Mapping[str, Any]
    provenance: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, Tensor] | None = None

    @property
    def pretrained(self) -> str | None:
        """Name of the pretrained network whose weights the ticket starts from but does not contain; else None."""
        source = self.init.get("pretrained")
        return str(source["name"]) if source is not None and self.weights is None else None

    def to_bytes(self) -> bytes:
        """The file's bytes: a JSON header, and the mask with eight weights per byte, layer after layer."""
        flat = np.concatenate([layer.cpu().numpy().reshape(-1) for layer in self.mask.values()])
        tensors = {"mask": torch.from_numpy(np.packbits(flat, bitorder="little"))}
        for name, tensor in (self.weights or {}).items():
            tensors[_WEIGHTS + name] = tensor.detach().cpu().contiguous()
        header: dict[str, Any] = {
            "format": FORMAT,
            "layers": [[name, list(layer.shape)] for name, layer in self.mask.items()],
            "network": dict(self.architecture),
            "init": dict(self.init),
            "code": dict(self.code),
            "provenance": dict(self.provenance),
        }
        return sealed(_KEY, header, tensors)

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all; overwrites an existing one.

        Raises:
            UserError: if it cannot be written.
        """
        write_whole(Path(path), self.to_bytes())

    @classmethod
    def load(cls, path: str | Path) -> "Ticket":
        """Read and check a ticket; runs no code from the file.

        Raises:
            UserError: if the file is missing, foreign, damaged, or of another format.
        """
        path = checked_path(path, "ticket")
        header, tensors = unsealed(path, _KEY, "ticket", "a lipdip ticket", FORMAT)
        try:
            return cls._parse(header, tensors)
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise UserError(f"{path} is not a valid ticket: {' '.join(str(error).split())}") from None

    @classmethod
    def _parse(cls, header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> "Ticket":
        mask = _unpack(tensors["mask"], header["layers"])
        for name in ("network", "init", "code", "provenance"):
            if not isinstance(header[name], dict):
                raise ValueError(f"{name} is not a table")
        digests, seed = header["init"]["tensors"], header["init"]["seed"]
        if not isinstance(digests, dict) or not isinstance(seed, int | None):
            raise ValueError("init has no seed or no digests")
        if "pretrained" in header["init"] and not isinstance(header["init"]["pretrained"]["name"], str):
            raise ValueError("init names no pretrained network")
        weights = {name.removeprefix(_WEIGHTS): t for name, t in tensors.items() if name.startswith(_WEIGHTS)}
        for name in mask if weights else ():
            if name not in weights or weights[name].shape != (int(mask[name].sum()),):
                raise ValueError(f"the weights of {name} are not as many as its mask keeps")
        return cls(
            mask, header["network"], header["init"], header["code"], header["provenance"], weights if weights else None
        )

    def network(self, network: Callable[..., nn.Module] | None = None) -> nn.Module:
        """The ticket's network, built again with its initial weights, masked, and ready to be trained.

        Args:
            network: the network's class, called with the ticket's settings; only lipdip's own are known by their name,
                and nothing is ever imported because a file names it.

        Raises:
            UserError: if the network cannot be built, does not fit the ticket, or its weights cannot be had.
        """
        return rebuilt(self, network)

    def start(self) -> dict[str, Tensor] | None:
        """All weights that training starts from, with zeros for pruned ones; None if the file has only their seed.

        Raises:
            UserError: if the file has only some of them.
        """
        if self.weights is None:
            return None
        missing = sorted(set(self.init["tensors"]) - set(self.weights))
        if missing:
            raise UserError(f"the ticket carries only part of its weights: {missing[0]} is missing")
        whole = {}
        for name, tensor in self.weights.items():
            if name in self.mask:
                whole[name] = torch.zeros(self.mask[name].shape, dtype=tensor.dtype)
                whole[name][self.mask[name].cpu()] = tensor
            else:
                whole[name] = tensor.clone()
        return whole

    def carrying(self, state: Mapping[str, Tensor]) -> "Ticket":
        """The same ticket containing a network's whole ``state``; of masked weights, only the kept values."""
        packed = {
            name: tensor.detach().cpu()[self.mask[name].cpu()] if name in self.mask else tensor.detach().cpu().clone()
            for name, tensor in state.items()
        }
        return replace(self, weights=packed)


def _unpack(packed: Tensor, layers: Sequence[tuple[str, Sequence[int]]]) -> Mask:
    shapes = {name: tuple(shape) for name, shape in layers}
    whole = all(type(side) is int and side > 0 for shape in shapes.values() for side in shape)
    named = all(isinstance(name, str) and name.isprintable() for name in shapes)
    if len(shapes) != len(layers) or not shapes or not whole or not named:
        raise ValueError("its layers have no proper names and shapes")
    sizes = [math.prod(shape) for shape in shapes.values()]
    # Counted before anything is made of that size: a forged shape must not ask for all memory.
    if packed.dtype is not torch.uint8 or packed.shape != (-(-sum(sizes) // 8),):
        raise ValueError("its mask has not the size of its layers")
    flat = torch.from_numpy(np.unpackbits(packed.numpy(), count=sum(sizes), bitorder="little").astype(bool))
    pieces = torch.split(flat, sizes)
    return Mask({name: piece.reshape(shape) for (name, shape), piece in zip(shapes.items(), pieces, strict=True)})
