"""A ticket: a mask, the initialisation it belongs to, and where it came from, in one safetensors file."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from lipdip.core.errors import UserError
from lipdip.core.mask import Mask

FORMAT = 1
_KEY = "lipdip.ticket"


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """SHA-256 over the names, shapes and bytes of a network's state; tells one initialisation from another."""
    sha = hashlib.sha256()
    for name, tensor in state.items():
        sha.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        sha.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()


@dataclass(frozen=True, eq=False)
class Ticket:
    """Mask, initialisation, code and provenance.

    Args:
        mask: which weights are kept.
        init: ``seed`` and ``sha256`` (:func:`weights_digest`) of the initialisation.
        code: ``seed`` of the code ``z``.
        provenance: plain values: configuration, round, sparsity, scores.
    """

    mask: Mask
    init: Mapping[str, Any]
    code: Mapping[str, Any]
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The file's bytes: eight weights to a byte, layer after layer, and a JSON header."""
        flat = np.concatenate([layer.cpu().numpy().reshape(-1) for layer in self.mask.values()])
        header = {
            "format": FORMAT,
            "layers": [[name, list(layer.shape)] for name, layer in self.mask.items()],
            "mask_sha256": self.mask.digest(),
            "init": dict(self.init),
            "code": dict(self.code),
            "provenance": dict(self.provenance),
        }
        # One metadata key only: safetensors does not keep the order of several, and the bytes must not vary.
        return save(
            {"mask": torch.from_numpy(np.packbits(flat, bitorder="little"))},
            {_KEY: json.dumps(header, sort_keys=True, allow_nan=False)},
        )

    @classmethod
    def load(cls, path: Path) -> "Ticket":
        """Read and check a ticket; runs no code from the file.

        Raises:
            UserError: if the file is missing, damaged, no ticket, or of a newer format.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise UserError(f"cannot read the ticket {path}: {error.strerror}") from None
        try:
            packed = load(content)["mask"]
            size = int.from_bytes(content[:8], "little")
            header = json.loads(json.loads(content[8 : 8 + size])["__metadata__"][_KEY])
            version = header["format"]
        except (SafetensorError, KeyError, TypeError, ValueError):
            raise UserError(f"{path} is not a lipdip ticket, or it is damaged") from None
        if version != FORMAT:
            raise UserError(f"{path} has ticket format {version}; this lipdip reads format {FORMAT}")
        try:
            mask = _unpack(packed, header["layers"])
            intact = mask.digest() == header["mask_sha256"]
            ticket = cls(mask, header["init"], header["code"], header["provenance"])
        except (KeyError, TypeError, ValueError, RuntimeError):
            intact = False
        if not intact:
            raise UserError(f"{path} is damaged: its mask does not fit its checksum")
        return ticket


def _unpack(packed: Tensor, layers: list[tuple[str, list[int]]]) -> Mask:
    sizes = [math.prod(shape) for _, shape in layers]
    flat = torch.from_numpy(np.unpackbits(packed.numpy(), count=sum(sizes), bitorder="little").astype(bool))
    pieces = torch.split(flat, sizes)
    return Mask({name: piece.reshape(shape) for (name, shape), piece in zip(layers, pieces, strict=True)})
