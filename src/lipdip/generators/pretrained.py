"""The GAN that a run starts from: the one that ships with lipdip, one from a run, or the zoo's."""

import stat
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.error import URLError

import torch

from lipdip.core.errors import UserError
from lipdip.core.files import checked_path
from lipdip.generators.network_file import load_discriminator, load_generator
from lipdip.generators.zoo import load_zoo
from lipdip.networks import Discriminator, Generator

EMBEDDED, CELEBAHQ = "embedded", "celebahq"
CELEBAHQ_URL = "https://dl.fbaipublicfiles.com/gan_zoo/PGAN/celebaHQ_s6_i80000-6196db68.pth"
GENERATOR_FILE, DISCRIMINATOR_FILE = "generator.safetensors", "discriminator.safetensors"


@dataclass(frozen=True, eq=False)
class Pretrained:
    """A generator, and its discriminator if that is known.

    Args:
        generator: from latents (N, latent), standard normal, to pictures in [-1, 1]; the average over its training.
        discriminator: what it was trained against; None if only a generator is available.
        name: of its source.
        digest: SHA-256 that identifies the generator.
    """

    generator: Generator
    discriminator: Discriminator | None
    name: str
    digest: str


def pretrained(path: str) -> Pretrained:
    """The GAN that ``path`` names.

    ``embedded`` is the one that ships with lipdip (32x32 grey clothes); ``celebahq`` the GAN zoo's of faces (256x256),
    fetched once into torch's own cache; otherwise a zoo checkpoint (``.pth``), a run directory of ``task=gan_train``,
    or one generator's file.

    Raises:
        UserError: if it is missing, damaged or foreign, or cannot be downloaded.
    """
    if not isinstance(path, str) or not path:
        raise UserError(
            f"model.path must be {EMBEDDED}, {CELEBAHQ}, a run directory of task=gan_train, or a file, not {path!r}"
        )
    if path == EMBEDDED:
        with resources.as_file(resources.files("lipdip.generators") / "data" / "clothes_32") as folder:
            return _stored(folder, EMBEDDED)
    file = fetched(CELEBAHQ_URL) if path == CELEBAHQ else checked_path(path, "model.path")
    try:
        mode = file.stat().st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG  # what is missing is named below
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror or error}") from None
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise UserError(f"model.path={path} is a pipe or a device, not a file")
    if stat.S_ISDIR(mode):
        return _stored(file, file.absolute().name)
    if file.suffix == ".pth":
        checkpoint = load_zoo(file)
        name = CELEBAHQ if path == CELEBAHQ else file.stem
        return Pretrained(checkpoint.average, checkpoint.discriminator, name, checkpoint.digest)
    stored = load_generator(file)
    return Pretrained(stored.generator, None, file.stem, stored.digest)


def fetched(url: str) -> Path:
    """A checkpoint in torch's cache, downloaded if it is not there; whole, and with the digest that its name ends in.

    Raises:
        UserError: if it cannot be downloaded, or what came is another file.
    """
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if file.exists():
        return file
    digest = file.stem.rpartition("-")[2]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(file), hash_prefix=digest, progress=False)
    except (URLError, OSError, RuntimeError) as error:
        reason = getattr(error, "reason", None) or error
        raise UserError(
            f"cannot fetch {url} ({reason}); download it where there is a network and give model.path=FILE"
        ) from None
    return file


def _stored(folder: Path, name: str) -> Pretrained:
    """From the two files that ``task=gan_train`` writes."""
    if not (folder / GENERATOR_FILE).exists():
        raise UserError(f"{folder} holds no {GENERATOR_FILE}; it is not a finished run of task=gan_train")
    stored, other = load_generator(folder / GENERATOR_FILE), folder / DISCRIMINATOR_FILE
    discriminator = load_discriminator(other) if other.exists() else None
    return Pretrained(stored.generator, discriminator, name, stored.digest)
