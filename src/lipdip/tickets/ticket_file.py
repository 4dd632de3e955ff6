"""A ticket: a mask, the initialisation it belongs to, and where it came from, in one file (docs/ticket-format.md)."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from lipdip.core.errors import UserError
from lipdip.tickets.mask import Mask

FORMAT = 2
_KEY = "lipdip.ticket"
_WEIGHTS = "start/"
_LONGEST_HEADER = 100_000_000  # bytes; safetensors' own bound
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK")  # bare ones, and torch.save's archive


def tensor_digests(state: Mapping[str, Tensor]) -> dict[str, str]:
    """The first 12 hexadecimal digits of the SHA-256 of each tensor's type, shape and bytes, by name."""
    return {name: _digest(tensor).hexdigest()[:12] for name, tensor in state.items()}


@dataclass(frozen=True, eq=False)
class Ticket:
    """Mask, initialisation, code and provenance. Plain values and tensors only.

    Args:
        mask: which weights are kept.
        network: ``target`` (dotted name of the network's class) and its ``settings``, enough to build it again.
        init: the weights that training starts from: ``seed`` and ``stream`` that they are drawn from (seed None if
            they cannot be redrawn), ``rewind_step``, and ``tensors`` (:func:`tensor_digests` of the whole state);
            if they are a pretrained network's, ``pretrained``: its ``name`` and ``sha256``.
        code: ``seed`` of the code ``z``.
        provenance: plain values: configuration, picture, round, scores.
        weights: those weights themselves, or None if the seed is enough: for a masked weight its kept values, in
            order, as one row; every other tensor of the network's state whole.
    """

    mask: Mask
    network: Mapping[str, Any]
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
            "network": dict(self.network),
            "init": dict(self.init),
            "code": dict(self.code),
            "provenance": dict(self.provenance),
        }
        # As it will be read: there a key that is a number has become text, and is sorted as such.
        header = json.loads(_json(header))
        header["sha256"] = _checksum(header, tensors)
        # One metadata key only: safetensors does not keep the order of several, and the bytes must not vary.
        return save(tensors, {_KEY: _json(header)})

    @classmethod
    def load(cls, path: Path) -> "Ticket":
        """Read and check a ticket; runs no code from the file.

        Raises:
            UserError: if the file is missing, foreign, damaged, or of another format.
        """
        try:
            header, content = _read(path)
        except OSError as error:
            raise UserError(f"cannot read the ticket {path}: {error.strerror or error}") from None
        version = header.get("format")
        if type(version) is int and version != FORMAT:
            hint = "make it again with this lipdip" if version < FORMAT else "a newer lipdip made it"
            raise UserError(f"{path} has ticket format {version}; this lipdip reads format {FORMAT}; {hint}")
        try:
            tensors = load(content)
            intact = version == FORMAT and header["sha256"] == _checksum(header, tensors)
        except (SafetensorError, AssertionError, KeyError, TypeError, ValueError, RuntimeError):
            intact = False
        if not intact:
            raise UserError(f"{path} is damaged: its contents do not fit its checksum")
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


def _json(header: Mapping[str, Any]) -> str:
    return json.dumps(header, sort_keys=True, allow_nan=False)


def _digest(tensor: Tensor) -> Any:
    sha = hashlib.sha256(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
    # As bytes first: numpy knows no bfloat16.
    sha.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return sha


def _checksum(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over all that the file says: the header without this number, and all tensors."""
    sha = hashlib.sha256(_json({name: value for name, value in header.items() if name != "sha256"}).encode())
    for name in sorted(tensors):
        sha.update(name.encode())
        sha.update(_digest(tensors[name]).digest())
    return sha.hexdigest()


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    """The ticket's header, and the file's bytes; only the beginning of a foreign file is read, however large it is."""
    with path.open("rb") as file:
        beginning = file.read(9)
        size = int.from_bytes(beginning[:8], "little")
        if len(beginning) < 9 or beginning[8:] != b"{" or not 0 < size <= _LONGEST_HEADER:
            what = f"{path} is not a lipdip ticket, nor any other safetensors file"
            if beginning.startswith(_PICKLES):
                what += " (it looks like a pickle, and was not opened as one)"
            raise UserError(what)
        text = beginning[8:] + file.read(size - 1)
        try:
            metadata = json.loads(text)["__metadata__"]
            header = json.loads(metadata[_KEY]) if _KEY in metadata else None
        except (ValueError, TypeError, KeyError, RecursionError):
            if len(text) == size and _KEY.encode() not in text:
                raise UserError(f"{path} is a safetensors file, but not a lipdip ticket") from None
            raise UserError(f"{path} is cut short or damaged") from None
        if not isinstance(header, dict):
            raise UserError(f"{path} is a safetensors file, but not a lipdip ticket")
        return header, beginning[:8] + text + file.read()


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
