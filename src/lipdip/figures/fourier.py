"""What pictures hold at which spatial frequency: their spectra, and how these differ."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import FigureBase
from matplotlib.image import AxesImage

from lipdip.core.errors import UserError
from lipdip.figures.picture_file import Array, read_picture
from lipdip.figures.style import DIVERGING, GREY, Part, line_style, wrapped

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, full range
ROUNDING = 1 / (255 * 12**0.5)  # the standard deviation of rounding to 8 bits: what is below it says nothing


def _luma(picture: Array) -> Array:
    return picture @ np.array(_LUMA) if picture.ndim == 3 else picture


def magnitude(picture: Array) -> Array:
    """``|F|`` of the picture's luma, orthonormal (``sum |F|^2 = sum luma^2``), with frequency 0 in the centre.

    Args:
        picture: (H, W) or (H, W, 3) in [0, 1].

    Returns:
        (H, W); white noise of standard deviation s has a root mean square of s at every frequency.
    """
    return np.abs(np.fft.fftshift(np.fft.fft2(_luma(picture), norm="ortho")))


def log_magnitude(picture: Array) -> Array:
    """``log10 |F|``, with all that lies under the rounding to 8 bits raised to it."""
    return np.log10(np.maximum(magnitude(picture), ROUNDING))


def radial(values: Array) -> tuple[Array, Array]:
    """The mean of ``values`` over rings around the centre.

    Args:
        values: (H, W) over frequencies, 0 in the centre, as :func:`magnitude` gives them.

    Returns:
        The rings' frequencies in cycles per pixel, from 0 to 0.5 in steps of 1 over the shorter side, and the means.
    """
    down, right = (np.fft.fftshift(np.fft.fftfreq(side)) for side in values.shape)
    shorter = min(values.shape)
    ring = np.rint(np.hypot(down[:, None], right[None]) * shorter).astype(int).ravel()
    means = np.bincount(ring, values.ravel()) / np.bincount(ring)
    rings = shorter // 2 + 1
    return np.arange(rings) / shorter, means[:rings]


def radial_power(picture: Array) -> tuple[Array, Array]:
    """The luma's mean ``|F|^2`` over rings around frequency 0, free of the jump between opposite borders.

    That jump is what draws the cross in a spectrum, and would hide how little a smooth picture holds at high
    frequencies. So the mean is taken out, and the rest goes through a Hann window whose mean square is 1.

    Args:
        picture: (H, W) or (H, W, 3) in [0, 1].

    Returns:
        Frequencies as :func:`radial` gives them, and the power; white noise of standard deviation s has s^2 at each.
    """
    luma = _luma(picture)
    window = np.outer(*(np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2 for side in luma.shape))
    window /= np.sqrt(np.mean(window**2))
    return radial(magnitude((luma - luma.mean()) * window) ** 2)


def magnitudes(pictures: Mapping[str, Path]) -> Part:
    """The pictures, each above the logarithm of its spectrum's magnitude; one colour scale for all.

    Args:
        pictures: files of 8-bit pictures by name, all of one size.

    Raises:
        UserError: if there is none, one cannot be read, or sizes differ.
    """
    arrays = _read(pictures)
    spectra = [log_magnitude(array) for array in arrays.values()]
    top = max(float(np.quantile(spectrum, 0.9999)) for spectrum in spectra)
    height, width = spectra[0].shape
    tall = min(max(height / width, 0.3), 3.0)

    def draw(figure: FigureBase) -> None:
        ratios = {"width_ratios": [1.0] * len(arrays) + [0.05], "height_ratios": [tall, 1.0]}
        grid = figure.subplots(2, len(arrays) + 1, gridspec_kw=ratios)
        grid[0, -1].set_visible(False)
        for (name, array), spectrum, (above, below) in zip(arrays.items(), spectra, grid.T, strict=False):
            above.imshow(array, cmap="gray", vmin=0, vmax=1)
            above.set_title(wrapped(name, 26), fontsize=10)
            above.set_xticks([])
            above.set_yticks([])
            shown = _map(below, spectrum, "magma", float(np.log10(ROUNDING)), top)
        bar = figure.colorbar(shown, cax=grid[1, -1], extend="max")
        bar.set_label("log₁₀|F| of the luma", fontsize=9)
        bar.ax.tick_params(labelsize=8)

    return Part((2.5 * len(arrays) + 1.0, 2.4 * (tall + 1) + 1.0), draw)


def power_and_differences(pictures: Mapping[str, Path], pairs: Sequence[tuple[str, str]] | None = None) -> Part:
    """How spectra differ: a map for each pair, and every picture's power over the spatial frequency.

    Args:
        pictures: files of 8-bit pictures by name, all of one size.
        pairs: (name, name of what it is compared with); by default every picture against the first.

    Raises:
        UserError: if there is nothing to compare, one cannot be read or is not named, or sizes differ.
    """
    names = list(pictures)
    pairs = [(name, names[0]) for name in names[1:]] if pairs is None else pairs
    for name in (name for pair in pairs for name in pair):
        if name not in pictures:
            raise UserError(f"there is no picture called {name!r} to compare; there are {', '.join(names)}")
    if not pairs:
        raise UserError("a difference of spectra needs two pictures")
    arrays = _read(pictures)
    spectra = {name: log_magnitude(array) for name, array in arrays.items()}
    maps = {pair: spectra[pair[0]] - spectra[pair[1]] for pair in pairs}
    top = max(float(np.quantile(np.abs(values), 0.995)) for values in maps.values()) or 1.0
    single = len(maps) == 1  # beside the power, not above it

    def draw(figure: FigureBase) -> None:
        first, second = figure.subfigures(1 if single else 2, 2 if single else 1, squeeze=False).flat
        row = first.subplots(1, len(maps), squeeze=False)[0]
        for (pair, values), axes in zip(maps.items(), row, strict=True):
            shown = _map(axes, values, DIVERGING, -top, top)
            axes.set_title(wrapped(f"{pair[0]} against {pair[1]}", 28), fontsize=10)
        bar = first.colorbar(shown, ax=row.tolist(), extend="both", shrink=0.9)
        bar.set_label("difference of log₁₀|F|", fontsize=9)
        bar.ax.tick_params(labelsize=8)
        _draw_power(second.subplots(), arrays)

    return Part((9.5, 3.6) if single else (max(2.7 * len(maps) + 1.1, 7), 6.6), draw)


def _draw_power(axes: Axes, arrays: Mapping[str, Array]) -> None:
    for index, (name, array) in enumerate(arrays.items()):
        frequency, power = radial_power(array)
        shown = np.maximum(power, ROUNDING**2)[1:]
        axes.plot(frequency[1:], shown, label=wrapped(name, 30), linewidth=1.3, **line_style(index))
    axes.set_yscale("log")
    if axes.get_ylim()[0] < 2 * ROUNDING**2:
        axes.axhline(ROUNDING**2, color=GREY, linewidth=0.8, linestyle=":", label="rounding to 8 bits")
    axes.set_xlim(0, 0.5)
    axes.set_xlabel("spatial frequency in cycles per pixel")
    axes.set_ylabel("power of the luma, mean |F|²")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8)


def _map(axes: Axes, values: Array, colours: str | Colormap, low: float, high: float) -> AxesImage:
    """Draw ``values`` over both frequencies in cycles per pixel."""
    height, width = values.shape
    sides = (-0.5 - 0.5 / width, 0.5 - 0.5 / width, 0.5 - 0.5 / height, -0.5 - 0.5 / height)
    shown = axes.imshow(values, cmap=colours, vmin=low, vmax=high, extent=sides)
    axes.set_xticks([-0.5, 0, 0.5])
    axes.set_yticks([-0.5, 0, 0.5])
    axes.tick_params(labelsize=8)
    axes.set_xlabel("cycles per pixel, across", fontsize=8)
    axes.set_ylabel("cycles per pixel, down", fontsize=8)
    axes.label_outer()
    return shown


def _read(pictures: Mapping[str, Path]) -> dict[str, Array]:
    """Each picture as (H, W) or (H, W, 3) in [0, 1]."""
    if not pictures:
        raise UserError("there is no picture to take a spectrum of")
    arrays = {name: read_picture(name, path) for name, path in pictures.items()}
    sizes = {name: "{}x{}".format(*array.shape) for name, array in arrays.items()}
    first = next(iter(sizes))
    for name, size in sizes.items():
        if size != sizes[first]:
            raise UserError(f"spectra are compared at one size, but {first} is {sizes[first]} and {name} is {size}")
    return arrays
