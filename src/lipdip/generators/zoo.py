"""Checkpoints of the public GAN zoo (facebookresearch/pytorch_GAN_zoo), read without running anything from the file."""

import hashlib
import json
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from lipdip.core import check
from lipdip.core.errors import UserError
from lipdip.core.files import open_regular
from lipdip.generators.checked_load import network_with
from lipdip.networks import Discriminator, Generator

_Kind = TypeVar("_Kind", bound=nn.Module)
# What torch.save writes: an archive, or before torch 1.6 a row of pickles of which the first is this number.
_ARCHIVE = b"PK\x03\x04"
_ROW = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
_NETWORKS = ("netG", "avgG", "netD")
_ACTIVATIONS = {"WGANGP": None, "Logistic": None, "DCGAN": "tanh", "MSE": "tanh"}  # the loss decides


class BaseConfig:
    """Stands in for the zoo's own class, of which a checkpoint's ``config`` is an object: a bag of attributes."""

    __module__ = "models.utils.config"  # the name that the file asks for


@dataclass(frozen=True, eq=False)
class ZooCheckpoint:
    """What a checkpoint holds.

    Args:
        generator: in its last state (``netG``).
        average: the moving average of the generators (``avgG``), which gives the better pictures.
        discriminator: ``netD``.
        config: the zoo's own settings, plain values by their zoo names.
        digest: SHA-256 of the file, 64 hexadecimal digits.
    """

    generator: Generator
    average: Generator
    discriminator: Discriminator
    config: Mapping[str, Any]
    digest: str


def load_zoo(path: Path) -> ZooCheckpoint:
    """Read a checkpoint of a progressively grown GAN, such as ``celebaHQ_s6_i80000-6196db68.pth``.

    If the file's name ends in ``-`` and eight hexadecimal digits, they must begin its SHA-256; an archive's parts must
    fit its checksums. The file is read by torch's weights-only reader: tensors, plain values and the one stand-in
    :class:`BaseConfig`, nothing else.

    Args:
        path: the file; written by any version of torch.

    Raises:
        UserError: if the file is missing, damaged, foreign, asks to run code, or its config does not fit its tensors.
    """
    try:
        with open_regular(path) as file:
            digest = _digest(file, path)
            content = _read(file, path)
    except OSError as error:
        raise UserError(f"cannot read the checkpoint {path}: {error.strerror or error}") from None
    if not isinstance(content, dict) or not {"config", *_NETWORKS} <= set(content):
        raise UserError(f"{path} is not a GAN zoo checkpoint: it must hold config, {', '.join(_NETWORKS)}")
    try:
        config = _plain(content["config"])
        for_generator, for_discriminator = _settings(config)
    except KeyError as error:
        raise UserError(f"{path} is not a checkpoint of a progressively grown GAN: no {error} in its config") from None
    except ValueError as error:
        raise UserError(f"{path} has a config that makes no sense: {str(error)[:200]}") from None
    last, average = (_network(path, part, Generator, for_generator, content[part]) for part in ("netG", "avgG"))
    discriminator = _network(path, "netD", Discriminator, for_discriminator, content["netD"])
    return ZooCheckpoint(last, average, discriminator, config, digest)


def _digest(file: BufferedReader, path: Path) -> str:
    """The SHA-256 of a file that torch may have written, checked against its name."""
    beginning = file.read(len(_ROW))
    if not beginning.startswith((_ARCHIVE, _ROW)):
        hint = " (it looks like a bare pickle, and was not opened)" if beginning[:1] == b"\x80" else ""
        raise UserError(f"{path} is not a checkpoint that torch wrote{hint}")
    file.seek(0)
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    named = re.search(r"-([0-9a-fA-F]{8})$", path.stem)
    if named and named[1].lower() != digest[:8]:
        differs = f"its SHA-256 begins with {digest[:8]}, not with the {named[1]} of its name"
        raise UserError(f"{path} is damaged: {differs}; download it again")
    file.seek(0)
    return digest


def _read(file: BufferedReader, path: Path) -> Any:
    """What is in the file, without running anything in it; torch does not look at an archive's checksums."""
    try:
        if file.read(len(_ARCHIVE)) == _ARCHIVE:
            with zipfile.ZipFile(file) as archive:
                if archive.testzip() is not None:
                    raise ValueError("a part does not fit its checksum")
        file.seek(0)
        with warnings.catch_warnings(), torch.serialization.safe_globals([BaseConfig]):
            warnings.simplefilter("ignore")  # of what the file is taken for; it is refused in one line below
            return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes torch raise almost anything
        asked = re.search(r"GLOBAL ([\w.]{1,80})", str(error)) if isinstance(error, pickle.UnpicklingError) else None
        if asked:
            raise UserError(f"{path} is not a GAN zoo checkpoint: it asks for {asked[1]}, which was not run") from None
        raise UserError(f"{path} is cut short or damaged, or holds more than tensors and plain values") from None


def _plain(config: object) -> dict[str, Any]:
    """The config's attributes as plain values."""
    values = vars(config) if isinstance(config, BaseConfig) else config
    if not isinstance(values, dict):
        raise ValueError("it is not a table of settings")
    try:
        plain: dict[str, Any] = json.loads(json.dumps(values))
    except (TypeError, ValueError, RecursionError):
        raise ValueError("it holds more than plain values") from None
    return plain


def _settings(config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments of generator and discriminator."""
    scales, fading, loss = config["depthOtherScales"], config["alpha"], config["lossCriterion"]
    classes = config.get("categoryVectorDim", 0)
    if not isinstance(scales, list):
        raise ValueError(f"depthOtherScales must be a list, not {scales!r}")
    check.number("alpha", fading, low=0, high=1)
    check.choice("lossCriterion", loss, _ACTIVATIONS)
    check.number("categoryVectorDim", classes, low=0, whole=True)
    both = {
        "channels": [config["depthScale0"], *scales],
        "picture_channels": config["dimOutput"],
        "alpha": 1 - fading,  # the zoo's is the share of the scale before
        "equalized": config["equalizedlR"],
        "zero_bias": config["initBiasToZero"],
        "leak": config["leakyReluLeak"],
    }
    generator = {
        "latent": config["latentVectorDim"],
        "pixel_norm": config["perChannelNormalization"],
        "activation": _ACTIVATIONS[loss],
    }
    return {**both, **generator}, {**both, "outputs": 1 + classes, "minibatch_std": config["miniBatchStdDev"]}


def _state(state: object) -> dict[str, Tensor]:
    """Tensors by today's names: without DataParallel's prefix, with the zoo's ``.module`` in every layer."""
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise ValueError("there is no table of tensors")
    if all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    # The zoo's first versions had no such level in their names.
    return {re.sub(r"(?<!\.module)\.(weight|bias)$", r".module.\1", name): value for name, value in state.items()}


def _network(path: Path, part: str, kind: Callable[..., _Kind], settings: Mapping[str, Any], state: object) -> _Kind:
    try:
        return network_with(kind, settings, _state(state))
    except ValueError as error:
        problem = f"{part}: {str(error)[:200]}"
        raise UserError(f"{path} is damaged, or its config is of other networks: {problem}") from None
