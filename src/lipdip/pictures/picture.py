"""Reading a picture of any usual format, and noting what was done to it on the way."""

import hashlib
import io
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import skimage.data
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from lipdip.core.errors import UserError
from lipdip.pictures.standard_sets import how_to_fetch

Array = npt.NDArray[np.float32]
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
    array = getattr(skimage.data, name)()
    return Picture(name, _tensor(array.astype(np.float32) / 255), hashlib.sha256(array.tobytes()).hexdigest())


def read(path: str | None, data_dir: str | None = None, name: str | None = None, rgb: bool = False) -> Picture:
    """A picture from a file: any format of Pillow's, or a NumPy array (.npy; floats in [0, 1] or 8/16-bit).

    Grey stays one channel; palettes become RGB; transparency is laid on white; 16-bit keeps its precision;
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
    if not content:
        raise UserError(f"{file} is empty")
    array, notes = _from_npy(content, file) if file.suffix.lower() == ".npy" else _from_image(content, file)
    if not np.isfinite(array).all():
        raise UserError(f"{file} holds values that are not numbers (NaN or infinite)")
    if array.min() < 0 or array.max() > 1:
        low, high = f"{array.min():.4g}", f"{array.max():.4g}"
        raise UserError(f"{file} holds values from {low} to {high}; floating-point pictures must lie in [0, 1]")
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
    """(H, W) or (H, W, C) to (C, H, W)."""
    if array.ndim == 2:
        array = array[..., None]
    return torch.from_numpy(array.transpose(2, 0, 1).copy())


def _from_npy(content: bytes, file: Path) -> tuple[Array, tuple[str, ...]]:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, EOFError, OSError):
        raise UserError(f"{file} is not a NumPy array, or it is damaged") from None
    if not isinstance(array, np.ndarray):
        raise UserError(f"{file} holds several arrays (.npz); a picture is one (.npy)")
    if array.size == 0 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 3))):
        raise UserError(f"{file} has shape {array.shape}; a picture is (height, width) or (height, width, 1 or 3)")
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        return (array / np.float32(np.iinfo(array.dtype).max)).astype(np.float32), ()
    if array.dtype.kind != "f":
        raise UserError(f"{file} holds {array.dtype} values; a picture holds uint8, uint16 or floats in [0, 1]")
    return array.astype(np.float32), ()


def _from_image(content: bytes, file: Path) -> tuple[Array, tuple[str, ...]]:
    notes = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(io.BytesIO(content))
            frames = getattr(image, "n_frames", 1)
            deep_colour = image.mode in ("RGB", "RGBA") and "16" in str(getattr(image, "tile", ""))
            image.load()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise UserError(
            f"{file} is too large to be a picture that a network can fit (over 89 million pixels)"
        ) from None
    except UnidentifiedImageError:
        raise UserError(f"{file} is not a picture in a format that can be read") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise UserError(f"{file} is damaged: {error}") from None
    if frames > 1:
        notes.append(f"{file.name} has {frames} frames; the first was taken")
    if deep_colour:
        notes.append(f"{file.name} has 16-bit colours, which were read at 8 bits (a .npy file keeps them)")
    turned = ImageOps.exif_transpose(image)
    if turned.size != image.size or image.getexif().get(0x0112, 1) != 1:
        notes.append(f"{file.name} was turned as its camera says")
    image = turned
    if "transparency" in image.info or image.mode in ("RGBA", "LA", "PA", "RGBa", "La"):
        grey = image.mode in ("LA", "La", "L")
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            notes.append(f"{file.name} has transparent pixels, which were laid on white")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image).convert("L" if grey else "RGB")
    if image.mode.startswith("I"):  # 16-bit grey, or 32-bit integers that hold it
        if np.asarray(image).max() > 65535:
            raise UserError(f"{file} has 32-bit integer values; a picture has 8 or 16 bits")
        notes.append(f"{file.name} has 16-bit greys, which were kept")
        return np.asarray(image, dtype=np.float32) / np.float32(65535), tuple(notes)
    if image.mode == "F":
        return np.asarray(image, dtype=np.float32), tuple(notes)
    if image.mode == "1":
        image = image.convert("L")
    if image.mode not in ("L", "RGB"):
        notes.append(f"{file.name} ({image.mode}) was converted to RGB")
        image = image.convert("RGB")
    if image.mode == "L":
        notes.append(f"{file.name} is grey: one channel")
    return np.asarray(image, dtype=np.float32) / np.float32(255), tuple(notes)
