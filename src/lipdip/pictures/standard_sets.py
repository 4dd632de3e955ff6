"""The standard sets of test pictures: their files, where those are public, and whether they are here. Without torch."""

import hashlib
import io
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import yaml

from lipdip.core.errors import UserError
from lipdip.core.files import read_regular, write_whole
from lipdip.pictures.download import download

AS_PUBLIC, MISSING, OTHER = "as public", "missing", "other"


@dataclass(frozen=True)
class PublicFile:
    """A file of a set: a picture, or a pixel mask.

    Args:
        place: path below the data directory, such as ``set5/baby.png``.
        url: where the file is public.
        sha256: of the public file.
        pixels: SHA-256 of its 8-bit RGB pixels, where it is not a PNG but kept as one; None: it is kept as it is.
    """

    place: str
    url: str
    sha256: str
    pixels: str | None = None

    def state(self, directory: Path) -> str:
        """``AS_PUBLIC``, ``MISSING`` or ``OTHER``: what the data directory holds of it.

        Raises:
            UserError: if what is there cannot be read.
        """
        file = directory / self.place
        if not os.path.lexists(file):
            return MISSING
        try:
            content = read_regular(file)
        except OSError as error:
            raise UserError(f"cannot read {file}: {error.strerror or error}") from None
        if self.pixels is None:
            return AS_PUBLIC if _sha256(content) == self.sha256 else OTHER
        from PIL import Image

        from lipdip.pictures.formats import readable

        try:
            with Image.open(io.BytesIO(content), formats=readable()) as image:
                same = image.mode == "RGB" and _sha256(image.tobytes()) == self.pixels
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            same = False
        return AS_PUBLIC if same else OTHER

    def fetch(self, directory: Path) -> None:
        """Download the file into the data directory. Overwrites an existing file.

        Raises:
            UserError: if it cannot be downloaded as it was published, or not be written; nothing is then changed.
        """
        content = download(self.url, self.sha256)
        if self.pixels is not None:
            from PIL import Image

            from lipdip.pictures.formats import readable

            png = io.BytesIO()
            with Image.open(io.BytesIO(content), formats=readable()) as image:
                image.save(png, "PNG")
            content = png.getvalue()
        file = directory / self.place
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot make the folder {file.parent}: {error.strerror or error}") from None
        write_whole(file, content)


@dataclass(frozen=True)
class StandardSet:
    """A set of pictures.

    Args:
        name: of the set, and of its folder below the data directory.
        about: a sentence on it.
        base: the address below which its files are public.
        files: what it consists of.
    """

    name: str
    about: str
    base: str
    files: tuple[PublicFile, ...]


def standard_sets() -> Mapping[str, StandardSet]:
    """All sets by name, as ``data/standard_sets.yaml`` lists them."""
    table = yaml.safe_load((resources.files("lipdip.pictures") / "data" / "standard_sets.yaml").read_text("utf-8"))
    return {name: _set(name, **entry) for name, entry in table.items()}


def how_to_fetch(file: Path) -> str | None:
    """The command that downloads a standard set's picture to ``file``; None if it is no such picture."""
    name, directory = file.parent.name, file.parent.parent
    found = standard_sets().get(name)
    if found is None or f"{name}/{file.name}" not in (one.place for one in found.files):
        return None
    return f"python -m lipdip.data fetch {name} --to {shlex.quote(str(directory))}"


def _set(name: str, about: str, base: str, files: Mapping[str, Mapping[str, str]]) -> StandardSet:
    listed = (
        PublicFile(f"{name}/{file}", base + entry["path"], entry["sha256"], entry.get("pixels"))
        for file, entry in files.items()
    )
    return StandardSet(name, about, base, tuple(listed))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
