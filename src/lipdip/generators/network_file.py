"""A generator or discriminator in one safetensors file: weights, settings that build it, notes on where it is from."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from lipdip.core.errors import UserError
from lipdip.core.files import write_whole
from lipdip.generators.checked_load import network_with
from lipdip.networks import Discriminator, Generator
from lipdip.networks.progressive import Progressive
from lipdip.tickets.ticket_file import tensor_digests

FORMAT = 1
_KEY = "lipdip.network"
_TARGETS: dict[type, str] = {
    Generator: "lipdip.networks.Generator",
    Discriminator: "lipdip.networks.Discriminator",
}
_LONGEST_HEADER = 100_000_000  # bytes; safetensors' own bound
_Network = TypeVar("_Network", Generator, Discriminator)


@dataclass(frozen=True, eq=False)
class StoredGenerator:
    """What a file holds.

    Args:
        generator: with float32 weights.
        notes: plain values: where it is from.
        digest: SHA-256 over settings, notes and weights, 64 hexadecimal digits.
    """

    generator: Generator
    notes: Mapping[str, Any]
    digest: str


def network_bytes(
    network: Progressive, notes: Mapping[str, Any] | None = None, dtype: torch.dtype = torch.float32
) -> bytes:
    """The file's bytes; the same for the same network, notes and type.

    The safetensors metadata have one key, ``lipdip.network``, and as its value a JSON text: ``format``, ``target``
    (the class), ``settings``, ``tensors`` (:func:`lipdip.core.ticket.tensor_digests` of the tensors as stored),
    ``notes`` and ``sha256``, that of the JSON without it.

    Args:
        network: a generator or discriminator, on any device, of any floating-point type.
        notes: plain values.
        dtype: of the file; ``torch.float16`` halves it, and rounds weights to 11 significant bits.

    Raises:
        ValueError: for another class or type, notes that are not plain, or weights that are not finite in that type.
    """
    if dtype not in (torch.float16, torch.float32):
        raise ValueError(f"dtype must be torch.float16 or torch.float32, not {dtype}")
    if type(network) not in _TARGETS:
        raise ValueError(f"a {type(network).__name__} cannot be stored, only {' and '.join(_TARGETS.values())}")
    tensors = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in network.state_dict().items()}
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} holds values that are not finite as {dtype}")
    header: dict[str, Any] = {
        "format": FORMAT,
        "target": _TARGETS[type(network)],
        "settings": network.settings,
        "tensors": tensor_digests(tensors),
        "notes": dict(notes or {}),
    }
    try:
        header = json.loads(_json(header))  # as it will be read
    except TypeError as error:
        raise ValueError(f"the notes are not plain values: {error}") from None
    header["sha256"] = _checksum(header)
    return save(tensors, {_KEY: _json(header)})


def save_network(
    network: Progressive,
    path: Path,
    notes: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Write :func:`network_bytes` to a file, whole or not at all; overwrites an existing file.

    Raises:
        UserError: if the file cannot be written.
        ValueError: as :func:`network_bytes`.
    """
    write_whole(path, network_bytes(network, notes, dtype))


def load_generator(path: Path) -> StoredGenerator:
    """Read and check a stored generator; runs no code from the file, and touches no random stream.

    Raises:
        UserError: if the file is missing, foreign, damaged, of another format, or of another network.
    """
    return StoredGenerator(*_load(path, Generator))


def load_discriminator(path: Path) -> Discriminator:
    """Read and check a stored discriminator, as :func:`load_generator` a generator."""
    return _load(path, Discriminator)[0]


def _load(path: Path, kind: type[_Network]) -> tuple[_Network, dict[str, Any], str]:
    """Network, notes and digest."""
    what = kind.__name__.lower()
    try:
        header, content = _read(path)
    except OSError as error:
        raise UserError(f"cannot read the {what} {path}: {error.strerror or error}") from None
    version = header.get("format")
    if type(version) is int and version != FORMAT:
        raise UserError(f"{path} is a stored network of format {version}; this lipdip reads format {FORMAT}")
    try:
        tensors = load(content)
        intact = header["sha256"] == _checksum(header) and header["tensors"] == tensor_digests(tensors)
    except (SafetensorError, AssertionError, KeyError, TypeError, ValueError, RuntimeError):
        intact = False
    if version != FORMAT or not intact:
        raise UserError(f"{path} is damaged: its contents do not fit its checksum")
    try:
        if header["target"] != _TARGETS[kind]:
            raise ValueError(f"it holds {str(header['target'])[:80]!r}")
        if not isinstance(header["settings"], dict) or not isinstance(header["notes"], dict):
            raise ValueError("settings or notes are not a table")
        return network_with(kind, header["settings"], tensors), header["notes"], header["sha256"]
    except (KeyError, ValueError) as error:
        raise UserError(f"{path} is not a valid {what}: {str(error)[:200]}") from None


def _json(header: Mapping[str, Any]) -> str:
    return json.dumps(header, sort_keys=True, allow_nan=False)


def _checksum(header: Mapping[str, Any]) -> str:
    """Of the header without this number; it contains the tensors' digests."""
    return hashlib.sha256(
        _json({name: value for name, value in header.items() if name != "sha256"}).encode()
    ).hexdigest()


def _read(path: Path) -> tuple[dict[str, Any], bytes]:
    """The header, and the file's bytes; only the beginning of a foreign file is read, however large it is."""
    with path.open("rb") as file:
        beginning = file.read(9)
        size = int.from_bytes(beginning[:8], "little")
        if len(beginning) < 9 or beginning[8:] != b"{" or not 0 < size <= _LONGEST_HEADER:
            raise UserError(f"{path} is not a network that lipdip stored, nor any other safetensors file")
        text = beginning[8:] + file.read(size - 1)
        try:
            metadata = json.loads(text).get("__metadata__", {})
            header = json.loads(metadata[_KEY]) if _KEY in metadata else None
        except (ValueError, TypeError, AttributeError, RecursionError):
            raise UserError(f"{path} is cut short or damaged") from None
        if not isinstance(header, dict):
            raise UserError(f"{path} is a safetensors file, but not a network that lipdip stored")
        return header, beginning[:8] + text + file.read()
