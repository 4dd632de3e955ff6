"""What picture formats have in common once their numbers are known: orientation, transparency, ink."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Samples = npt.NDArray[np.generic]

_TURNS = {3: 2, 6: 3, 8: 1, 5: 1, 7: 3}  # orientation to quarter turns against the clock; 5 and 7 are mirrored first


def upright(samples: Samples, orientation: int) -> Samples:
    """(H, W, ...) as its camera saw it, by the orientation 1 to 8 of EXIF and TIFF; another number changes nothing."""
    if orientation in (2, 4, 5, 7):
        samples = samples[:, ::-1]
    turned: Samples = np.rot90(samples, 2 if orientation == 4 else _TURNS.get(orientation, 0))
    return turned


def unit(samples: Samples, bits: int) -> Array:
    """Unsigned integers of so many bits, or booleans, in [0, 1]; floats as they are. No larger copy is made."""
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    whole = samples.view(np.uint8) if samples.dtype.kind == "b" else samples
    divided: Array = np.divide(whole, np.float32(2**bits - 1), dtype=np.float32)
    return divided


def on_white(values: Array, alpha: Array, *, multiplied: bool = False) -> tuple[Array, bool]:
    """(H, W, C) over white by ``alpha`` (H, W), and whether any white shows; ``multiplied``: by alpha already."""
    if bool((alpha == 1).all()):
        return values, False
    opacity = alpha[..., None]
    return np.minimum(values + (1 - opacity) if multiplied else opacity * values + (1 - opacity), np.float32(1)), True


def inks_to_rgb(inks: Array) -> Array:
    """(H, W, 4) of cyan, magenta, yellow and black to (H, W, 3) of light, without a printer's profile."""
    return (1 - inks[..., :3]) * (1 - inks[..., 3:])
