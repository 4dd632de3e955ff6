"""Safetensors files with one JSON header and a checksum over all of it; read without running code from the file."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from lipdip.core.errors import UserError
from lipdip.core.files import open_regular

_LONGEST_HEADER = 100_000_000  # bytes; safetensors' own bound
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK")  # bare ones, and torch.save's archive


def tensor_digests(state: Mapping[str, Tensor]) -> dict[str, str]:
    """The first 12 hexadecimal digits of the SHA-256 of each tensor's type, shape and bytes, by name."""
    return {name: tensor_hash(tensor).hexdigest()[:12] for name, tensor in state.items()}


def tensor_hash(tensor: Tensor) -> Any:
    """SHA-256 over a tensor's type, shape and bytes."""
    sha = hashlib.sha256(f"{tensor.dtype}{tuple(tensor.shape)}".encode())
    # As bytes first: numpy knows no bfloat16.
    sha.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return sha


def sealed(key: str, header: Mapping[str, Any], tensors: Mapping[str, Tensor], of_tensors: bool = True) -> bytes:
    """The file's bytes; the same for the same header and tensors.

    Args:
        key: of the metadata; its value is the header as JSON, with ``sha256`` added.
        header: plain values.
        tensors: contiguous, on the CPU.
        of_tensors: whether the checksum covers the tensors, not the header alone (which then has their digests).

    Raises:
        TypeError: if the header holds other than plain values.
    """
    # As it will be read: there a key that is a number has become text, and is sorted as such.
    whole = json.loads(_json(header))
    whole["sha256"] = _checksum(whole, tensors if of_tensors else {})
    # One metadata key only: safetensors does not keep the order of several, and the bytes must not vary.
    return save(dict(tensors), {key: _json(whole)})


def unsealed(
    path: Path, key: str, kind: str, what: str, version: int, of_tensors: bool = True
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Header and tensors of a file that :func:`sealed` made; only the beginning of a foreign one is read.

    Args:
        path: of the file.
        key: of the metadata.
        kind: what the file holds, in a word: ticket.
        what: what a file of this key is: a lipdip ticket.
        version: the ``format`` that the header must name.
        of_tensors: as it was sealed.

    Raises:
        UserError: if it is missing, foreign, damaged, or of another format.
    """
    try:
        header, content = _read(path, key, what)
    except OSError as error:
        raise UserError(f"cannot read the {kind} {path}: {error.strerror or error}") from None
    found = header.get("format")
    if type(found) is int and found != version:
        hint = "make it again with this lipdip" if found < version else "a newer lipdip made it"
        raise UserError(f"{path} has {kind} format {found}; this lipdip reads format {version}; {hint}")
    try:
        tensors = load(content)
        intact = found == version and header["sha256"] == _checksum(header, tensors if of_tensors else {})
        if not of_tensors:
            intact = intact and header["tensors"] == tensor_digests(tensors)
    except (SafetensorError, AssertionError, KeyError, TypeError, ValueError, RuntimeError):
        intact = False
    if not intact:
        raise UserError(f"{path} is damaged: its contents do not fit its checksum")
    return header, tensors


def _json(header: Mapping[str, Any]) -> str:
    return json.dumps(header, sort_keys=True, allow_nan=False)


def _checksum(header: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over the header without this number, and over the tensors."""
    sha = hashlib.sha256(_json({name: value for name, value in header.items() if name != "sha256"}).encode())
    for name in sorted(tensors):
        sha.update(name.encode())
        sha.update(tensor_hash(tensors[name]).digest())
    return sha.hexdigest()


def _read(path: Path, key: str, what: str) -> tuple[dict[str, Any], bytes]:
    """The header, and the file's bytes."""
    with open_regular(path) as file:
        beginning = file.read(9)
        size = int.from_bytes(beginning[:8], "little")
        if len(beginning) < 9 or beginning[8:] != b"{" or not 0 < size <= _LONGEST_HEADER:
            pickled = " (it looks like a pickle, and was not opened as one)" if beginning.startswith(_PICKLES) else ""
            raise UserError(f"{path} is not {what}, nor any other safetensors file{pickled}")
        text = beginning[8:] + file.read(size - 1)
        try:
            metadata = json.loads(text).get("__metadata__", {})
            header = json.loads(metadata[key]) if key in metadata else None
        except (ValueError, TypeError, AttributeError, RecursionError):
            if len(text) == size and key.encode() not in text:
                raise UserError(f"{path} is a safetensors file, but not {what}") from None
            raise UserError(f"{path} is cut short or damaged") from None
        if not isinstance(header, dict):
            raise UserError(f"{path} is a safetensors file, but not {what}")
        return header, beginning[:8] + text + file.read()
