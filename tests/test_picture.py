"""Pictures of every kind: read and noted, or refused in one line."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.core.errors import UserError
from lipdip.pictures import Picture, bundled, pixel_mask, read, read_folder, read_pixel_mask, sized
from lipdip.pictures.emptiness import nothing_there


@pytest.fixture
def save(tmp_path):
    def do(name: str, image: Image.Image, **more) -> str:
        image.save(tmp_path / name, **more)
        return str(tmp_path / name)

    return do


GREY = Image.fromarray(np.arange(64 * 48, dtype=np.uint8).reshape(64, 48))
COLOUR = Image.merge("RGB", (GREY, GREY.rotate(180), GREY.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))


def _half_transparent() -> Image.Image:
    image = COLOUR.convert("RGBA")
    image.putalpha(GREY)
    return image


@pytest.mark.parametrize(
    ("name", "image", "channels", "note"),
    [
        ("rgb.png", COLOUR, 3, None),
        ("grey.png", GREY, 1, "is grey: one channel"),
        ("bits.png", GREY.convert("1"), 1, "is grey: one channel"),
        ("palette.png", COLOUR.convert("P"), 3, "(P) was converted to RGB"),
        ("rgba.png", _half_transparent(), 3, "put on white"),
        ("opaque.png", COLOUR.convert("RGBA"), 3, None),
        ("la.png", _half_transparent().convert("LA"), 1, "put on white"),
        ("deep.png", Image.fromarray(np.full((64, 48), 40000, np.uint16)), 1, "16-bit greys, which were kept"),
        ("cmyk.jpg", COLOUR.convert("CMYK"), 3, "(CMYK) was converted to RGB"),
        ("float.tiff", Image.fromarray(np.full((64, 48), 0.25, np.float32)), 1, None),
    ],
)
def test_pictures_that_can_be_read_are_and_it_is_said_what_was_done(save, name, image, channels, note):
    picture = read(save(name, image))
    assert picture.pixels.shape == (channels, 64, 48)
    assert 0 <= picture.pixels.min() <= picture.pixels.max() <= 1
    said = " ".join(picture.notes)
    assert (note in said) if note else (said == "")


def test_values_survive(save):
    pixels = read(save("rgb.png", COLOUR)).pixels
    assert torch.equal((pixels * 255).round().byte(), torch.tensor(np.array(COLOUR)).permute(2, 0, 1))
    deep = read(save("deep.png", Image.fromarray(np.full((64, 48), 40000, np.uint16))))
    assert deep.pixels.unique().tolist() == pytest.approx([40000 / 65535])


def test_the_first_of_several_frames_is_taken(save):
    picture = read(save("moves.gif", GREY, save_all=True, append_images=[GREY.rotate(90), GREY.rotate(180)]))
    assert "has 3 frames; the first was taken" in " ".join(picture.notes)


def test_a_cameras_rotation_is_applied(save):
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = read(save("photo.jpg", COLOUR, exif=exif))
    assert picture.pixels.shape == (3, 48, 64)
    assert "turned" in " ".join(picture.notes)


def test_arrays_are_pictures_too(tmp_path):
    for array in (np.full((40, 40, 3), 0.5), np.full((40, 40), 32768, np.uint16)):
        np.save(tmp_path / "a.npy", array)
        assert read(str(tmp_path / "a.npy")).pixels.mean().item() == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "a.png", "is empty"),
        (b"not a picture", "a.png", "is not a picture"),
        (None, "a.png", "there is no picture at"),
        (b"\x93NUMPY broken", "a.npy", "is not a NumPy array"),
    ],
)
def test_files_that_hold_no_picture(tmp_path, content, name, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=message) as caught:
        read(str(tmp_path / name))
    assert "\n" not in str(caught.value)


def test_a_picture_cut_short_is_damaged(save):
    path = Path(save("a.png", COLOUR))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="is damaged"):
        read(str(path))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((8, 8), np.nan), "not numbers"),
        (np.full((8, 8), 2.5), "values from 2.5 to 2.5"),
        (np.zeros((8, 8, 4)), "has shape"),
        (np.zeros((8, 8), np.int64), "holds int64 values"),
        (np.zeros((0, 8)), "has shape"),
    ],
)
def test_arrays_that_are_no_pictures(tmp_path, array, message):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(UserError, match=message):
        read(str(tmp_path / "a.npy"))


def test_a_folder_is_not_a_picture(tmp_path):
    with pytest.raises(UserError, match="cannot read"):
        read(str(tmp_path))


def test_bundled_pictures_need_no_download_and_unknown_ones_are_named():
    assert bundled("astronaut").pixels.shape == (3, 512, 512)
    assert bundled("camera").pixels.shape == (1, 512, 512)
    with pytest.raises(UserError, match="there are astronaut, camera, chelsea, coffee"):
        bundled("lenna")


def _blank(height: int, width: int) -> Picture:
    return Picture("blank", torch.zeros(3, height, width), "")


def test_own_size_is_cropped_in_the_centre_to_a_multiple_of_32_and_said():
    picture = _blank(100, 64)
    picture.pixels[:, 2:98] = 1
    cropped = sized(picture, None)
    assert cropped.pixels.shape == (3, 96, 64) and cropped.pixels.min() == 1
    assert "cropped from 100x64 to 96x64" in cropped.notes[0]
    assert sized(_blank(64, 64), None).notes == ()


def test_a_size_given_is_reached_and_said():
    assert sized(_blank(300, 200), 96).pixels.shape == (3, 96, 96)
    assert sized(_blank(300, 200), [32, 64]).pixels.shape == (3, 32, 64)
    assert "was reduced from 300x200 to 96x96" in sized(_blank(300, 200), 96).notes[0]
    assert "was enlarged" in sized(_blank(40, 40), 96).notes[0]
    assert sized(_blank(300, 200), 96, scale=4).pixels.shape == (3, 24, 24)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (100, "image.size=100 is not a multiple of 32; the nearest: 96 and 128"),
        (16, "image.size=16 is not a multiple of 32; the nearest: 32"),
        (-32, "must be a whole number"),
        ("big", "must be a whole number"),
        ([96], "must be a whole number"),
        (96.0, "must be a whole number"),
    ],
)
def test_sizes_that_cannot_be(size, message):
    with pytest.raises(UserError, match=message):
        sized(_blank(200, 200), size)


def test_a_picture_too_small():
    with pytest.raises(UserError, match="only 20x200 pixels; both sides must be at least 32"):
        sized(_blank(20, 200), None)


def test_a_pixel_mask_follows_its_picture(save):
    stripes = np.zeros((64, 48), np.uint8)
    stripes[:, :16] = 255
    path = save("mask.png", Image.fromarray(stripes))
    mask = read_pixel_mask(path, _blank(64, 48), None)
    assert mask.shape == (1, 64, 32) and mask[..., :8].min() == 1 and mask[..., 8:].max() == 0
    with pytest.raises(UserError, match="is 64x48, the picture 64x64"):
        read_pixel_mask(path, _blank(64, 64), None)


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("a\0b.png", "is no path"),
        ("a\ud800.png", "characters"),
        ("a" * 300 + ".png", "300|304"),
        ("a/" * 3000 + "b.png", "bytes"),
        ("~nobody-of-that-name/a.png", "no user"),
        ("", "is no path"),
        ("/dev/zero", "a file"),
    ],
)
def test_paths_that_no_picture_can_have(tmp_path, path, word):
    for ask in (lambda: read(path, str(tmp_path)), lambda: read_folder(path, str(tmp_path))):
        with pytest.raises(UserError, match=word) as caught:
            ask()
        assert "\n" not in str(caught.value)


def test_a_named_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(UserError, match="pipe"):
        read(str(tmp_path / "a.png"))
    with pytest.raises(UserError, match="pipe"):
        read_folder(str(tmp_path))
    with pytest.raises(UserError, match="pipe"):
        read_pixel_mask(str(tmp_path / "a.png"), _blank(64, 64), None)


def test_a_folder_that_may_not_be_looked_into(tmp_path, monkeypatch):
    def refused(*_args, **_more):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refused)
    monkeypatch.setattr(Path, "iterdir", refused)
    for ask in (read, read_folder):
        with pytest.raises(UserError, match="Permission denied"):
            ask("locked/a.png", str(tmp_path))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("price_$5_and_$10", "price_$5_and_$10"),
        ("München 図", "München 図"),
        ("two\nlines\x1b[31m", "two%0Alines%1B[31m"),
        ("caf\udce9", "caf%E9"),
    ],
)
def test_a_name_is_printable_and_a_folders(save, name, shown):
    assert read(save(f"{name}.png", COLOUR)).name == shown


def test_a_name_that_is_nearly_too_long_is_cut_in_results(save):
    first, second = (read(save("\n" * 200 + end + ".png", COLOUR)).name for end in "ab")
    assert first != second and len(first) <= 200


@pytest.mark.parametrize(
    ("overrides", "shape"),
    [
        ((), (300, 451)),
        (("image.clean=false",), (300, 451)),
        (("image.multiple=32",), (288, 448)),
        (("protocol=paper",), (288, 448)),
        (("protocol=paper", "image.clean=false"), (288, 448)),
        (("model=deep_decoder", "model.scales=3"), (296, 448)),
        (("task=super_resolution", "task.factor=7"), (294, 448)),
        (("task=super_resolution", "task.factor=3", "image.clean=false"), (900, 1353)),
        (("model._target_=tests.test_picture.Silent", "~model.scales", "~model.code_channels"), (288, 448)),
        (("image.size=[101,99]",), (101, 99)),
    ],
)
def test_sides_are_cropped_only_where_something_needs_it(overrides, shape):
    small = (
        ("model.channels=4",) if "model=deep_decoder" in overrides else ("model.channels=4", "model.skip_channels=4")
    )
    given = () if any("image.size" in one for one in overrides) else ("image.size=null",)
    problem = assemble(compose("image=chelsea", *small, *given, *overrides)).module.problems[0]
    assert problem.physics.image_shape[1:] == shape


class Silent(torch.nn.Conv2d):
    """A network that does not say which sides it takes."""

    def __init__(self, out_channels: int, channels: int, skip_channels: int) -> None:
        super().__init__(channels, out_channels, skip_channels - 1, padding=1)


def test_odd_sides_are_restored_as_they_are(tiny, save):
    noisy = Image.fromarray(np.random.default_rng(0).integers(0, 256, (37, 41, 3), np.uint8))
    path = save("odd.png", noisy)
    run, said = tiny("image=file", f"image.path={path}", "image.clean=false", "image.size=auto", "pruner=none")
    assert np.load(run / "images/restored_last.npy").shape[-2:] == (37, 41) and "cropped" not in said


def _mask(values: np.ndarray, path: Path) -> list[str]:
    np.save(path, values) if path.suffix == ".npy" else Image.fromarray(values).save(path)
    return list(pixel_mask(str(path), _blank(*values.shape[:2]), None).notes)


def test_a_pixel_mask_says_what_it_knows(tmp_path):
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, :48] = 255
    assert _mask(stripes, tmp_path / "a.png") == ["75.00% of the pixels are known (white in the pixel mask)"]
    for values, name in ((stripes > 0, "a.npy"), (stripes > 0, "b.png"), (stripes / 255.0, "b.npy")):
        assert "75.00%" in _mask(values, tmp_path / name)[-1]
        known = read_pixel_mask(str(tmp_path / name), _blank(64, 64), None)
        assert torch.equal(known[0], torch.tensor(stripes > 0).float())
    scratched = stripes.copy()
    scratched[:, 1:] = 0
    assert _mask(scratched, tmp_path / "c.png")[-1].startswith("warning: hardly any pixel is known")
    assert _mask(np.full((64, 64), 255, np.uint8), tmp_path / "d.png")[-1].startswith("warning: every pixel is known")
    stripes[:, :8] = 140
    assert "12.50% of the pixel mask are neither" in _mask(stripes, tmp_path / "e.png")[0]


@pytest.mark.parametrize(
    ("value", "word"), [(0, "knows no pixel"), (1, "knows no pixel"), (128, "no mask")], ids=["black", "one", "grey"]
)
def test_what_is_no_pixel_mask(tmp_path, value, word):
    with pytest.raises(UserError, match=word):
        _mask(np.full((64, 64), value, np.uint8), tmp_path / "a.png")


@pytest.mark.parametrize("clean", [True, False])
def test_a_flat_picture_is_said_to_be_one(save, clean):
    def warned(word: str, *asked: str) -> bool:
        notes = assemble(compose("image=file", f"image.clean={clean}", *asked)).notes
        return any(note.startswith("warning: there is nothing to restore") and word in note for note in notes)

    flat = save("flat.png", Image.new("RGB", (64, 64), (255, 255, 255)))
    assert warned("in flat: it has the same value in every pixel", f"image.path={flat}")
    half = np.full((64, 64), 90, np.uint8)
    half[:, 32:] = np.arange(32)
    half = save("half.png", Image.fromarray(half))
    known = save("known.png", Image.fromarray(np.repeat(np.uint8([[255, 0]]), 32, 1).repeat(64, 0)))
    masked = warned("in every known pixel", f"image.path={half}", "task=inpaint", f"task.pixel_mask={known}")
    assert masked is not clean


@pytest.mark.parametrize("shape", [(1, 33, 40), (3, 64, 64)])
@pytest.mark.parametrize("masked", [False, True])
def test_noise_alone_is_told_from_a_scene_under_the_same_noise(shape, masked):
    draw = torch.Generator().manual_seed(0)
    known = (torch.rand(1, *shape[1:], generator=draw) < 0.5).float() if masked else None
    noise = torch.randn(1, *shape, generator=draw)
    down, across = (torch.linspace(0, 1, side) for side in shape[1:])
    scene = 0.5 * (down[:, None] + across)  # nothing but a slope
    assert "noise alone" in nothing_there(noise if known is None else noise * known, known)
    assert "noise alone" in nothing_there((0.5 + noise).clamp(0, 1), known)
    assert nothing_there(scene + 100 / 255 * noise, known) is None
