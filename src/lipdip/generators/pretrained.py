"""The generator that a run recovers with: the one that ships with lipdip, a stored one, or the zoo's."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from lipdip.core.errors import UserError
from lipdip.generators.stored import load_generator
from lipdip.generators.zoo import load_zoo
from lipdip.networks import Generator

EMBEDDED = "fashion_mnist_32.safetensors"


@dataclass(frozen=True, eq=False)
class Pretrained:
    """A generator and what it is called.

    Args:
        generator: from codes (N, latent), standard normal, to pictures in [-1, 1].
        name: of where it is from.
        digest: SHA-256 that tells it from others.
    """

    generator: Generator
    name: str
    digest: str


def pretrained(path: str | None = None) -> Pretrained:
    """The generator at ``path``: a zoo checkpoint (``.pth``; its average) or a stored one; None for the embedded one.

    Raises:
        UserError: if the file is missing, damaged or foreign.
    """
    if path is None:
        embedded = resources.files("lipdip.generators") / "data" / EMBEDDED
        if not embedded.is_file():
            raise UserError(
                "no generator ships with this lipdip; give model.path=FILE, a zoo checkpoint or a stored one"
            )
        with resources.as_file(embedded) as file:
            stored = load_generator(file)
        return Pretrained(stored.generator, "embedded", stored.digest)
    if not isinstance(path, str):
        raise UserError(f"model.path must be the path of one generator, not {path!r}")
    file = Path(path).expanduser()
    if file.suffix == ".pth":
        checkpoint = load_zoo(file)
        return Pretrained(checkpoint.average, file.stem, checkpoint.digest)
    stored = load_generator(file)
    return Pretrained(stored.generator, file.stem, stored.digest)
