"""A picture with its name and history, and reading one from a file, a folder or scikit-image."""

import hashlib
import stat
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from lipdip.core.errors import UserError
from lipdip.core.files import checked_path, read_regular
from lipdip.pictures.decode import MOST_PIXELS, decoded, header_sides
from lipdip.pictures.formats import suffixes
from lipdip.pictures.readable_name import readable_name
from lipdip.pictures.samples import Array
from lipdip.pictures.standard_sets import how_to_fetch

MOST_BYTES = 32 * MOST_PIXELS  # four channels of eight bytes
BUNDLED = ("astronaut", "camera", "chelsea", "coffee")


@dataclass(frozen=True)
class Picture:
    """A picture as read.

    Args:
        name: what it is called in results.
        pixels: (C, H, W) float32 in [0, 1]; C is 3 (RGB) or 1 (grey).
        digest: SHA-256 of the source, so that runs on another picture of the same name stay apart.
        notes: what was done to it on the way, one sentence each.
    """

    name: str
    pixels: Tensor
    digest: str
    notes: tuple[str, ...] = ()

    def changed(self, pixels: Tensor, note: str) -> "Picture":
        """A copy with new pixels, and a note that says what was done."""
        return replace(self, pixels=pixels, notes=(*self.notes, note))


def bundled(name: str) -> Picture:
    """A picture that ships with scikit-image; nothing is downloaded.

    Raises:
        UserError: if there is none of that name.
    """
    if name not in BUNDLED:
        raise UserError(f"no bundled picture is called {name!r}; there are {', '.join(BUNDLED)}")
    import skimage.data

    array = getattr(skimage.data, name)()
    return Picture(name, _tensor(array.astype(np.float32) / 255), hashlib.sha256(array.tobytes()).hexdigest())


def read(path: str | None, data_dir: str | None = None, name: str | None = None, rgb: bool = False) -> Picture:
    """A picture from a file of a common format, or a NumPy array (.npy; floats in [0, 1], booleans, 8 or 16 bits).

    Grey stays one channel; palettes and inks become RGB; transparent pixels are put on white; 16 bits keep their
    precision; negatives are turned round; of several frames the first is taken; a camera's rotation is applied. Every
    such step is noted.

    Args:
        path: of the file.
        data_dir: where a relative path is looked up if it does not exist from the current directory.
        name: of the picture; by default the file's name without its suffix. What cannot be printed is percent-encoded.
        rgb: whether a grey picture is given three equal channels.

    Raises:
        UserError: if there is no such file, or no picture in it.
    """
    if path is None:
        raise UserError("image=file needs to know which file: add image.path=PICTURE")
    if not isinstance(path, str):
        raise UserError(f"image.path must be the path of one picture, not {path!r}")
    return read_file(_below(path, data_dir), name, rgb)


def read_file(
    file: Path, name: str | None = None, rgb: bool = False, setting: str = "image.path or paths.data_dir"
) -> Picture:
    """A picture from a file whose path is final: no ``~`` in it, and not looked up elsewhere; else as :func:`read`.

    Args:
        file: its path.
        name: as for :func:`read`, like the next one.
        rgb: whether a grey picture is given three equal channels.
        setting: what names the file; for errors.

    Raises:
        UserError: if there is no such file, or no picture in it.
    """
    try:
        if file.stat().st_size > MOST_BYTES:
            raise UserError(f"{file} is too large to be a picture that a network can fit")
        content = read_regular(file)
    except FileNotFoundError:
        command = how_to_fetch(file)
        hint = f"fetch it with `{command}`" if command else "put it there"
        raise UserError(f"there is no picture at {file}; {hint}, or point {setting} elsewhere") from None
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror or error}") from None
    array, notes = decoded(content, file)
    pixels = _tensor(array)
    if rgb and pixels.shape[0] == 1:
        pixels, notes = (
            pixels.expand(3, -1, -1).clone(),
            (*notes, f"{readable_name(file.name)} was given three equal channels"),
        )
    return Picture(readable_name(name or file.stem), pixels, hashlib.sha256(content).hexdigest(), notes)


def sides(file: Path) -> tuple[int, int]:
    """The two sides of the picture in a file, in pixels, whichever is its height; from the header alone, if possible.

    Raises:
        UserError: if there is no such file, or no picture in it.
    """
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise OSError
        return header_sides(file)
    except Exception:  # strangers' bytes may raise anything in a parser
        height, width = read_file(file).pixels.shape[1:]  # says what is wrong with it
        return height, width


def read_folder(path: str | None, data_dir: str | None = None) -> list[Picture]:
    """Every picture that lies in a folder, sorted by name.

    Sub-folders, names that begin with a dot and files whose suffix is no picture format's are left out; the first
    picture's notes name the latter.

    Args:
        path: of the folder.
        data_dir: where a relative path is looked up if it does not exist from the current directory.

    Raises:
        UserError: if there is no such folder, or no picture in it, or one of its pictures cannot be read.
    """
    if path is None:
        raise UserError("image=folder needs to know which folder: add image.path=DIR")
    if not isinstance(path, str):
        raise UserError(f"image.path must be the path of one folder, not {path!r}")
    folder = _below(path, data_dir)
    try:
        entries = [(entry, entry.is_dir()) for entry in folder.iterdir()]
    except FileNotFoundError:
        raise UserError(f"there is no folder at {folder}; point image.path or paths.data_dir elsewhere") from None
    except NotADirectoryError:
        raise UserError(f"{folder} is a file; image=file reads one picture, image=folder those of a folder") from None
    except OSError as error:
        raise UserError(f"cannot read {folder}: {error.strerror or error}") from None
    files = sorted(entry for entry, is_folder in entries if not is_folder and not entry.name.startswith("."))
    formats = suffixes()
    chosen = [file for file in files if file.suffix.lower() in formats]
    if not chosen:
        raise UserError(f"{folder} holds no pictures; sub-folders are not looked into")
    found = [read_file(file) for file in chosen]
    others = ", ".join(readable_name(file.name) for file in files if file not in chosen)
    if others:
        found[0] = replace(found[0], notes=(*found[0].notes, f"left out, since their names are no pictures': {others}"))
    return found


def _below(path: str, data_dir: str | None) -> Path:
    """``path``, or where there is nothing the same path below ``data_dir``, if that exists."""
    here = checked_path(path, "image.path")
    if data_dir is None:
        return here
    there = checked_path(data_dir, "paths.data_dir") / here
    return there if _is_there(there) and not _is_there(here) else here


def _is_there(path: Path) -> bool:
    try:
        path.stat()
    except OSError:
        return False
    return True


def _tensor(array: Array) -> Tensor:
    """(H, W) or (H, W, C), as files store it, to (C, H, W)."""
    if array.ndim == 2:
        array = array[..., None]
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))  # a grey one is not copied
