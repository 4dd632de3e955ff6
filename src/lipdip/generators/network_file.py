"""A generator or discriminator in one safetensors file: weights, settings that build it, notes on where it is from."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch

from lipdip.core.errors import UserError
from lipdip.core.files import write_whole
from lipdip.generators.checked_load import network_with
from lipdip.networks import Discriminator, Generator
from lipdip.networks.progressive import Progressive
from lipdip.tickets.sealed import sealed, tensor_digests, unsealed

FORMAT = 1
_KEY = "lipdip.network"
_TARGETS: dict[type, str] = {
    Generator: "lipdip.networks.Generator",
    Discriminator: "lipdip.networks.Discriminator",
}
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
    (the class), ``settings``, ``tensors`` (:func:`lipdip.tickets.sealed.tensor_digests` of the tensors as stored),
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
        return sealed(_KEY, header, tensors, of_tensors=False)
    except TypeError as error:
        raise ValueError(f"the notes are not plain values: {error}") from None


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
    header, tensors = unsealed(path, _KEY, what, "a network that lipdip stored", FORMAT, of_tensors=False)
    try:
        if header["target"] != _TARGETS[kind]:
            raise ValueError(f"it holds {str(header['target'])[:80]!r}")
        if not isinstance(header["settings"], dict) or not isinstance(header["notes"], dict):
            raise ValueError("settings or notes are not a table")
        return network_with(kind, header["settings"], tensors), header["notes"], header["sha256"]
    except (KeyError, ValueError) as error:
        raise UserError(f"{path} is not a valid {what}: {str(error)[:200]}") from None
