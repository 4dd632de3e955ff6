"""Pictures for people: what is computed for them holds, they can be opened, and bad input is one line."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from lipdip.core.errors import UserError
from lipdip.figures import fourier, markdown, run_figures, style
from lipdip.figures.fourier import magnitudes, power_and_differences
from lipdip.figures.heat_map import cell_text, colour_range, decimals_for, heat_map, text_colour
from lipdip.figures.picture_file import read_picture
from lipdip.figures.png import sheet, to_unit
from lipdip.tasks.generation.generated import Generated
from lipdip.tasks.recovery.recovered import Recovered, RecoveredPicture
from lipdip.tasks.recovery.recovered_figure import recovered_figure


def _spectra(pictures: Mapping[str, Path]) -> bytes:
    return style.rendered(style.alone(magnitudes(pictures)))


def _differences(*pictures: Any) -> bytes:
    return style.rendered(style.alone(power_and_differences(*pictures)))


def _opened(png: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(png))
    image.load()
    assert image.format == "PNG"
    return np.asarray(image.convert("RGB"))


@pytest.fixture
def save(tmp_path):
    def do(name: str, array: np.ndarray) -> Path:
        path = tmp_path / f"{name}.png"
        Image.fromarray((array.clip(0, 1) * 255).round().astype(np.uint8)).save(path)
        return path

    return do


def _waves(down: int, right: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A sinusoid with so many periods over the height and the width."""
    i, j = np.mgrid[:height, :width]
    return 0.5 + 0.25 * np.cos(2 * np.pi * (down * i / height + right * j / width))


def test_a_sinusoid_has_two_peaks_where_its_frequency_lies():
    spectrum = fourier.magnitude(_waves(5, 12))
    amplitude = 0.25 / 2 * np.sqrt(48 * 64)
    assert spectrum[24 + 5, 32 + 12] == pytest.approx(amplitude) == spectrum[24 - 5, 32 - 12]
    spectrum[[24, 29, 19], [32, 44, 20]] = 0
    assert spectrum.max() < 1e-10


def test_the_spectrum_has_the_pictures_energy_of_its_luma():
    for shape in ((31, 40), (32, 32, 3), (7, 9)):
        picture = np.random.default_rng(0).random(shape)
        luma = picture @ [0.299, 0.587, 0.114] if picture.ndim == 3 else picture
        assert (fourier.magnitude(picture) ** 2).sum() == pytest.approx((luma**2).sum())


def test_a_constant_picture_has_nothing_but_its_centre():
    logs = fourier.log_magnitude(np.full((16, 24, 3), 0.5))
    assert logs[8, 12] == pytest.approx(np.log10(0.5 * np.sqrt(16 * 24)))
    logs[8, 12] = np.log10(fourier.ROUNDING)
    assert (logs == np.log10(fourier.ROUNDING)).all()


@pytest.mark.parametrize(("down", "right"), [(9, 0), (0, 12), (6, 8)])
def test_rings_are_counted_in_cycles_per_pixel_on_oblong_pictures_too(down, right):
    frequency, mean = fourier.radial(fourier.magnitude(_waves(down, right)) ** 2)
    assert frequency[0] == 0 and frequency[-1] == 0.5 and np.allclose(np.diff(frequency), 1 / 48)
    at = frequency[1 + mean[1:].argmax()]
    assert at == pytest.approx(np.hypot(down / 48, right / 64), abs=0.5 / 48)


def test_a_rings_mean_is_a_mean():
    for side in (8, 9):
        assert np.allclose(fourier.radial(np.full((side, 12), 3.0))[1], 3)


def test_white_noise_has_its_variance_at_every_frequency():
    noise = np.random.default_rng(0).normal(0.5, 0.1, (256, 256))
    for _, power in (fourier.radial_power(noise), fourier.radial(fourier.magnitude(noise) ** 2)):
        assert np.allclose(power[40:], 0.01, rtol=0.4) and power[40:].mean() == pytest.approx(0.01, rel=0.02)


def test_the_jump_between_opposite_borders_is_no_high_frequency():
    ramp = np.linspace(0, 1, 128) * np.ones((128, 1))
    assert fourier.radial(fourier.magnitude(ramp) ** 2)[1][50] > 100 * fourier.ROUNDING**2
    assert fourier.radial_power(ramp)[1][50] < fourier.ROUNDING**2


def test_spectra_of_pictures_are_drawn(save):
    sharp = np.random.default_rng(0).random((40, 60, 3))
    pictures = {"clean": save("clean", sharp), "a ticket with $ and a rather long name": save("grey", sharp[..., 0])}
    height, width, _ = _opened(_spectra(pictures)).shape
    assert 500 < height < 1200 and 700 < width < 1500
    assert _opened(_spectra({"one": pictures["clean"]})).shape[1] < width
    third = {**pictures, "flat": save("flat", np.full((40, 60), 0.5))}
    for pairs in (None, [("flat", "clean")]):
        height, width, _ = _opened(_differences(third, pairs)).shape
        assert 400 < height < 1200 and 900 < width < 1600
    assert _differences(third) == _differences(third)


def test_equal_pictures_have_no_difference(save):
    same = save("same", np.random.default_rng(0).random((32, 32)))
    image = _opened(_differences({"one": same, "two": same})).astype(int)
    middle = image[image.shape[0] // 2, image.shape[1] // 6]
    assert abs(middle - [int(style.DIVERGING(0.5)[part] * 255) for part in range(3)]).max() <= 2


@pytest.mark.parametrize(
    ("names", "pairs", "message"),
    [
        (("big", "small"), None, "big is 32x48 and small is 32x32"),
        (("big", "absent"), None, "there is no picture absent at"),
        (("big", "text"), None, "is not in a format that can be read"),
        (("big", "cut"), None, "cannot read the picture cut"),
        (("big", "clear"), None, "is neither 8-bit grey nor 8-bit RGB, but RGBA"),
        (("big", "folder"), None, "cannot read the picture folder"),
        (("big",), None, "needs two pictures"),
        ((), None, "needs two pictures"),
        (("big", "small"), [("big", "bog")], "no picture called 'bog' to compare; there are big, small"),
    ],
)
def test_pictures_without_comparable_spectra_are_refused_in_one_line(save, tmp_path, names, pairs, message):
    big = save("big", np.random.default_rng(0).random((32, 48)))
    save("small", np.random.default_rng(0).random((32, 32)))
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "cut.png").write_bytes(big.read_bytes()[:600])
    (tmp_path / "folder.png").mkdir()
    Image.new("RGBA", (48, 32)).save(tmp_path / "clear.png")
    with pytest.raises(UserError, match=message) as caught:
        _differences({name: tmp_path / f"{name}.png" for name in names}, pairs)
    assert "\n" not in str(caught.value)


def test_no_picture_has_no_spectrum():
    with pytest.raises(UserError, match="no picture"):
        _spectra({})


@pytest.mark.parametrize("colours", [style.DIVERGING, style.SEQUENTIAL])
def test_numbers_can_be_read_on_every_colour(colours):
    def luminance(colour):
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
        return np.dot(parts, (0.2126, 0.7152, 0.0722))

    assert (text_colour((1, 1, 0.8)), text_colour((0.3, 0, 0.3))) == ("black", "white")
    for at in np.linspace(0, 1, 101):
        text, cell = {"black": 0.0, "white": 1.0}[text_colour(colours(at)[:3])], luminance(colours(at)[:3])
        assert (max(text, cell) + 0.05) / (min(text, cell) + 0.05) >= 5


def test_diverging_colours_have_zero_in_their_middle():
    assert colour_range([-0.5, 2.0], diverging=True) == (-2.0, 2.0)
    assert colour_range([24.0, 30.0], diverging=False) == (24.0, 30.0)
    for values in ([], [0.0], [3.0, 3.0]):
        for diverging in (True, False):
            low, high = colour_range(values, diverging)
            assert low < high and all(low <= value <= high for value in values)


@pytest.mark.parametrize(
    ("mean", "spread", "decimals", "signed", "text"),
    [
        (0.314, 0.05, 2, True, "+0.31\n± 0.05"),
        (-1.5, None, 2, True, "\N{MINUS SIGN}1.50"),
        (25.126, 0.3, 2, False, "25.13\n± 0.30"),
        (-0.001, 0.0, 2, True, "0.00\n± 0.00"),
    ],
)
def test_cells_say_mean_and_spread(mean, spread, decimals, signed, text):
    assert cell_text(mean, spread, decimals, signed) == text


def test_decimals_suit_the_values():
    assert [decimals_for(values) for values in ([0.3, -2], [25.0], [0.0], [], [0.012], [4500.0])] == [
        *(2, 2, 2, 2, 3, 0)
    ]


def test_heat_maps_grow_with_their_table_and_show_what_is_missing():
    small = _opened(heat_map([[1.0, -1.0], [0.0, None]], [[0.1, None], [0.0, None]], ["a", "b"], ["c", "d"], "t", "dB"))
    rows = [f"row {i}, found on denoising and moved to inpainting" for i in range(12)]
    columns = ["super-resolution x4", "magnitude_of_every_layer", *"cdefgh"]
    mean = np.random.default_rng(0).normal(size=(12, 8)).tolist()
    large = _opened(heat_map(mean, np.abs(mean).tolist(), rows, columns, "a title", "PSNR in dB", diverging=False))
    assert 300 < small.shape[0] < 700 < large.shape[0] < 1800 and 400 < small.shape[1] < 900 < large.shape[1] < 2400
    for end in (0.0, 1.0):
        colour = np.rint(np.array(style.DIVERGING(end)[:3]) * 255).astype(int)
        assert (abs(small.astype(int) - colour).max(2) <= 1).sum() > 5000
    nothing: list[list[float | None]] = [[None, float("nan")]]
    assert _opened(heat_map(nothing, nothing, ["a"], ["b", "c"], "t", "dB")).size


@pytest.mark.parametrize(("rows", "columns"), [("ab", "c"), ("a", "cd"), ("", "c"), ("a", "")])
def test_a_table_must_have_its_labels_shape(rows, columns):
    with pytest.raises(ValueError, match="needs as many cells"):
        heat_map([[1.0]], [[0.1]], rows, columns, "t", "dB")


def test_a_markdown_table_has_a_row_for_each_name():
    text = markdown.table(["a", "b (dB)"], {"dense": ["1 ± 2", ""], "x": ["missing", "3"]})
    assert text == "| | a | b (dB) |\n|---|---|---|\n| dense | 1 ± 2 |  |\n| x | missing | 3 |\n"


def test_pictures_of_a_generator_in_their_range_and_on_one_sheet():
    assert torch.equal(to_unit(torch.tensor([-3.0, -1, 0, 1, 2])), torch.tensor([0, 0, 0.5, 1, 1]))
    pictures = torch.arange(5.0).view(5, 1, 1, 1).expand(5, 2, 3, 4) + 1
    whole = sheet(pictures, across=3)
    assert whole.shape == (1, 2, 6, 12)
    assert whole[0, 1, ::3, ::4].tolist() == [[1, 2, 3], [4, 5, 0]]


COMMON = {"sparsity": 0.0, "kept_weights": 9, "loss": 0.5, "seconds": 1.0}


def _recovery(path: Path, pictures: int, *files: str) -> tuple[Path, Recovered, list[RecoveredPicture]]:
    """A recovery's pictures and rows; every picture is of one grey, and there are files of the first 16."""
    names = [f"p{number}" for number in range(pictures)]
    for name in names[:16]:
        (path / name).mkdir(parents=True)
        for file in files:
            Image.new("L", (32, 32), 102 if file == "measured" else 77).save(path / name / f"{file}.png")
    row = Recovered(**COMMON, round=0, measurements=3, mse=0.04, psnr=20.0)
    return path, row, [RecoveredPicture(0, 0.0, name, 1, 0.1, 0.04, 20.0, 0.4) for name in names]


def _texts(figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


@pytest.mark.parametrize("pictures", [1, 9, 17])
def test_a_recoverys_pictures_stand_side_by_side_large_enough_and_the_first_sixteen(tmp_path, pictures):
    image = _opened(recovered_figure(*_recovery(tmp_path, pictures, "clean", "restored_dense", "lasso")))
    assert (image == 77).all(2).sum() > 3 * min(pictures, 16) * 200**2
    assert max(image.shape) < 3200


def test_below_a_recoverys_pictures_stand_name_and_scores(tmp_path, monkeypatch):
    monkeypatch.setattr(style, "rendered", lambda figure: figure)
    few = _texts(recovered_figure(*_recovery(tmp_path / "few", 1, "clean", "measured", "restored_dense")))
    scores = ["20.17 dB, MSE 0.0384", "20.00 dB, MSE 0.0400"]
    assert {"p0", "clean", "measured", "recovered", *scores} <= set(few) and "Lasso" not in few
    assert "MSE per pixel on [-1, 1]; a measurement of 0, as of an unknown pixel, is grey" in few
    many = _texts(recovered_figure(*_recovery(tmp_path / "many", 17, "clean", "restored_dense", "lasso")))
    assert many.count("10.00 dB, MSE 0.4000") == 16 and "Lasso" in many
    assert "MSE per pixel on [-1, 1]; the first 16 of 17 pictures" in many


def test_rounds_of_a_gan_are_drawn_with_their_error_and_samples(tmp_path, monkeypatch):
    own = {"generator_loss": 1.0, "distance": 1.0, "reconstruction_error": 0.2}
    rows = [Generated(**{**COMMON, "sparsity": 0.2 * number}, round=number, **own) for number in range(3)]
    monkeypatch.setattr(style, "rendered", lambda figure: figure)
    assert len(run_figures.rounds(rows, tmp_path).axes) == 1
    for number in range(3):
        Image.new("L", (96, 8)).save(tmp_path / f"samples_{number:02d}.png")
    figure = run_figures.rounds(rows, tmp_path)
    assert len(figure.axes) == 4
    assert any(text.startswith("reconstruction error") and "lower is better" in text for text in _texts(figure))


def test_names_are_drawn_as_they_are_read(recwarn):
    """No formula is made of dollar signs, and nothing that cannot be printed, or has no letter, makes it fail."""
    name = "price_$5_and_$10 \x1b[31m \udcff 図 \\$ {"
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 10], [1, 10], label=name)
    axes.set_yscale("log")
    axes.set(title=name, xlabel=name, ylabel=name)
    axes.set_xticks([1, 2], [style.wrapped(name, 20)] * 2)
    axes.legend()
    _opened(style.rendered(figure))
    assert not recwarn.list
    assert style.plain(style.plain("$5_and_$10")) == style.plain("$5_and_$10") == r"\$5_and_\$10"


def test_a_strangers_picture_is_opened_as_a_png_alone(tmp_path, monkeypatch):
    def start(*_args: Any, **_more: Any) -> None:
        raise AssertionError("a program was started")

    monkeypatch.setattr("subprocess.Popen", start)
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"
    (tmp_path / "clean.png").write_bytes(eps)
    for ask in (lambda: run_figures.opened(tmp_path, "clean"), lambda: read_picture("clean", tmp_path / "clean.png")):
        with pytest.raises(UserError, match="not in a format that can be read"):
            ask()
    assert run_figures.opened(tmp_path, "measured") is None
