"""A picture with its name and history, and reading one from a file, a folder or scikit-image."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from lipdip.core.errors import UserError
from lipdip.pictures.decode import decoded
from lipdip.pictures.samples import Array
from lipdip.pictures.standard_sets import how_to_fetch

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
    """A picture from a file: any format of Pillow's, or a NumPy array (.npy; floats in [0, 1] or 8/16-bit).

    Grey stays one channel; palettes become RGB; transparent pixels are put on white; 16-bit keeps its precision;
    of several frames the first is taken; a camera's rotation is applied. Every such step is noted.

    Args:
        path: of the file.
        data_dir: where a relative path is looked up if it does not exist from the current directory.
        name: of the picture; by default the file's name without its suffix.
        rgb: whether a grey picture is given three equal channels.

    Raises:
        UserError: if there is no such file, or no picture in it.
    """
    if path is None:
        raise UserError("image=file needs to know which file: add image.path=PICTURE")
    if not isinstance(path, str):
        raise UserError(f"image.path must be the path of one picture, not {path!r}")
    try:
        file = _below(path, data_dir)
        content = file.read_bytes()
    except FileNotFoundError:
        command = how_to_fetch(file)
        hint = f"fetch it with `{command}`" if command else "put it there"
        raise UserError(
            f"there is no picture at {file}; {hint}, or point image.path or paths.data_dir elsewhere"
        ) from None
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from None
    except (RuntimeError, ValueError) as error:
        raise UserError(f"there can be no picture at {path!r}: {error}") from None
    array, notes = decoded(content, file)
    pixels = _tensor(array)
    if rgb and pixels.shape[0] == 1:
        pixels, notes = pixels.expand(3, -1, -1).clone(), (*notes, f"{file.name} was given three equal channels")
    return Picture(name or file.stem, pixels, hashlib.sha256(content).hexdigest(), notes)


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
    try:
        folder = _below(path, data_dir)
        entries = [(entry, entry.is_dir()) for entry in folder.iterdir()]
    except FileNotFoundError:
        raise UserError(f"there is no folder at {folder}; point image.path or paths.data_dir elsewhere") from None
    except NotADirectoryError:
        raise UserError(f"{folder} is a file; image=file reads one picture, image=folder those of a folder") from None
    except OSError as error:
        raise UserError(f"cannot read {folder}: {error.strerror}") from None
    except (RuntimeError, ValueError) as error:
        raise UserError(f"there can be no folder at {path!r}: {error}") from None
    files = sorted(entry for entry, is_folder in entries if not is_folder and not entry.name.startswith("."))
    formats = {".npy", *Image.registered_extensions()}
    chosen = [file for file in files if file.suffix.lower() in formats]
    if not chosen:
        raise UserError(f"{folder} holds no pictures; sub-folders are not looked into")
    found = [read(str(file)) for file in chosen]
    others = ", ".join(file.name for file in files if file not in chosen)
    if others:
        found[0] = replace(found[0], notes=(*found[0].notes, f"left out, since their names are no pictures': {others}"))
    return found


def _below(path: str, data_dir: str | None) -> Path:
    """``path``, or where there is nothing the same path below ``data_dir``, if that exists."""
    here = Path(path).expanduser()
    there = None if data_dir is None else Path(data_dir).expanduser() / here
    return there if there is not None and there.exists() and not here.exists() else here


def _tensor(array: Array) -> Tensor:
    """(H, W) or (H, W, C), as files store it, to (C, H, W)."""
    if array.ndim == 2:
        array = array[..., None]
    return torch.from_numpy(np.ascontiguousarray(array.transpose(2, 0, 1)))  # a grey one is not copied
