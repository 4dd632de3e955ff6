"""A contract: what a library can write is read back exactly, or refused in one line."""

import io
import itertools
import struct
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from lipdip.core.errors import UserError
from lipdip.pictures import Picture, read, sides
from lipdip.pictures.formats import readable

HEIGHT, WIDTH = 18, 34
COMPRESSIONS = (None, "deflate", "lzma")  # what tifffile writes without imagecodecs
PREDICTED = (False, True)
LAYOUTS = {"minisblack": (1,), "miniswhite": (1,), "rgb": (3,)}


def _values(dtype: str, bands: int) -> np.ndarray:
    """(H, W, bands) with both ends of the scale."""
    draw = np.random.default_rng(bands).random((HEIGHT, WIDTH, bands))
    draw[0, 0], draw[0, 1] = 0, 1
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return draw > 0.5
    return (draw if kind.kind == "f" else np.round(draw * np.iinfo(kind).max)).astype(kind)


def _seen(stored: np.ndarray) -> np.ndarray:
    """What these numbers mean, in [0, 1]."""
    return stored.astype(np.float64) / (1 if stored.dtype.kind in "fb" else np.iinfo(stored.dtype).max)


def _is(picture: Picture, wanted: np.ndarray) -> None:
    found = picture.pixels.numpy().transpose(1, 2, 0)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() < 2e-7  # float32


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "float64", "bool"])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite", "rgb"])
def test_tiff_is_read_back_whatever_its_layout(tmp_path, dtype, photometric):
    bands, file = 3 if photometric == "rgb" else 1, tmp_path / "a.tif"
    stored = _values(dtype, bands)
    wanted = 1 - _seen(stored) if photometric == "miniswhite" else _seen(stored)
    planes = ("contig", "separate") if bands == 3 else ("contig",)
    cells = itertools.product("<>", COMPRESSIONS, PREDICTED, planes, (None, (16, 16)), (False, True))
    for order, compression, predictor, plane, tile, big in cells:
        if dtype == "bool" and (tile or predictor or bands == 3):
            continue  # tifffile cannot write these
        array = stored[..., 0] if bands == 1 else np.moveaxis(stored, -1, 0) if plane == "separate" else stored
        tifffile.imwrite(
            file,
            array,
            byteorder=order,
            photometric=photometric,
            planarconfig=plane if bands == 3 else None,
            compression=compression,
            predictor=predictor and compression is not None and np.dtype(dtype).kind == "u",
            tile=tile,
            bigtiff=big,
        )
        _is(read(str(file)), wanted)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("bands", [1, 3])
@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha", "unspecified"])
def test_transparency_is_put_on_white_at_full_depth(tmp_path, dtype, bands, kind):
    stored, file = _values(dtype, bands + 1), str(tmp_path / "a.tif")
    colour, alpha = _seen(stored[..., :bands]), _seen(stored[..., bands:])
    if kind == "assocalpha":
        stored[..., :bands] = np.minimum(stored[..., :bands], stored[..., bands:])
        colour = _seen(stored[..., :bands])
    wanted = {
        "unassalpha": alpha * colour + 1 - alpha,
        "assocalpha": colour + 1 - alpha,
        "unspecified": colour,
    }[kind]
    for plane, order in itertools.product(("contig", "separate"), "<>"):
        array = np.moveaxis(stored, -1, 0) if plane == "separate" else stored
        tifffile.imwrite(
            file,
            array,
            photometric="rgb" if bands == 3 else "minisblack",
            planarconfig=plane,
            extrasamples=[kind],
            byteorder=order,
        )
        picture = read(file)
        _is(picture, wanted)
        assert ("left out" if kind == "unspecified" else "white") in " ".join(picture.notes)


def test_palettes_and_inks(tmp_path):
    file = str(tmp_path / "a.tif")
    index, table = _values("uint8", 1)[..., 0], np.random.default_rng(0).integers(0, 256, (3, 256))
    wanted = table.T[index] / 255
    for scale in (1, 256, 257):  # writers differ
        tifffile.imwrite(file, index, photometric="palette", colormap=(table * scale).astype(np.uint16))
        _is(read(file), wanted)
    for dtype in ("uint8", "uint16", "float32"):
        inks = _values(dtype, 4)
        seen = _seen(inks)
        tifffile.imwrite(file, inks, photometric="separated")
        _is(read(file), (1 - seen[..., :3]) * (1 - seen[..., 3:]))
        assert "CMYK" in " ".join(read(file).notes)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint32", "uint64", "complex64"])
@pytest.mark.parametrize("bands", [1, 3])
def test_numbers_without_a_known_white_are_refused(tmp_path, dtype, bands):
    stored = np.ones((HEIGHT, WIDTH, bands), dtype).squeeze()
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric="rgb" if bands == 3 else "minisblack")
    with pytest.raises(UserError, match=dtype):
        read(str(tmp_path / "a.tif"))


@pytest.mark.parametrize("kind", ["cielab", "cfa", "linear_raw", "logl"])
def test_other_kinds_of_tiff_are_refused(tmp_path, kind):
    stored = _values("uint8", 3 if kind in ("cielab", "linear_raw") else 1).squeeze()
    tifffile.imwrite(tmp_path / "a.tif", stored, photometric=kind)
    with pytest.raises(UserError, match="kind"):
        read(str(tmp_path / "a.tif"))


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation(tmp_path, compression, orientation):
    """Row 0 and column 0 of what is stored are these sides of what was seen."""
    seen = _values("uint8", 3)
    wanted = {
        1: seen,
        2: seen[:, ::-1],
        3: seen[::-1, ::-1],
        4: seen[::-1],
        5: seen.transpose(1, 0, 2),
        6: seen.transpose(1, 0, 2)[:, ::-1],
        7: seen[::-1, ::-1].transpose(1, 0, 2),
        8: seen.transpose(1, 0, 2)[::-1],
    }[orientation]
    file = str(tmp_path / "a.tif")
    Image.fromarray(seen).save(file, compression=compression, tiffinfo={274: orientation})
    picture = read(file)
    _is(picture, _seen(wanted))
    assert ("turned" in " ".join(picture.notes)) == (orientation != 1)
    exif = Image.Exif()
    exif[274] = orientation
    Image.fromarray(seen).save(tmp_path / "a.png", exif=exif)
    _is(read(str(tmp_path / "a.png")), _seen(wanted))


def _pillow(mode: str) -> tuple[Image.Image, np.ndarray]:
    """An image of a mode, and what it shows."""
    grey, colour = _values("uint8", 1)[..., 0], _values("uint8", 3)
    if mode == "1":
        return Image.fromarray(grey > 127), _seen(grey > 127)[..., None]
    if mode == "I;16":
        deep = _values("uint16", 1)[..., 0]
        return Image.fromarray(deep), _seen(deep)[..., None]
    if mode == "F":
        real = _values("float32", 1)[..., 0]
        return Image.fromarray(real), real[..., None]
    if mode == "L":
        return Image.fromarray(grey), _seen(grey)[..., None]
    image = Image.fromarray(colour).convert(mode)
    return image, _seen(np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "I;16", "F"])
@pytest.mark.parametrize(
    "compression",
    ["raw", "tiff_lzw", "tiff_deflate", "tiff_adobe_deflate", "packbits", "lzma", "zstd", "group3", "group4"],
)
def test_what_pillow_writes_as_tiff(tmp_path, mode, compression):
    if compression.startswith("group") and mode != "1":
        return
    image, wanted = _pillow(mode)
    try:
        image.save(tmp_path / "a.tif", compression=compression)
    except OSError:  # this libtiff has it not
        return
    found = read(str(tmp_path / "a.tif")).pixels.numpy().transpose(1, 2, 0)
    rounding = 1.5 / 255 if mode in ("CMYK", "YCbCr") else 2e-7  # Pillow's own conversion rounds to 8 bits
    assert found.shape == wanted.shape and np.abs(found - wanted).max() < rounding


def _deep_lzw(file: Path, colour: np.ndarray) -> None:
    """16-bit colours packed by LZW, which no library at hand writes: a grey picture three times as wide, relabelled."""
    Image.fromarray(colour.reshape(HEIGHT, 3 * WIDTH)).save(file, compression="tiff_lzw", tiffinfo={277: 1})
    with tifffile.TiffFile(file, mode="r+") as tiff:
        tags = tiff.pages[0].tags
        tags["ImageWidth"].overwrite(WIDTH)
        tags["PhotometricInterpretation"].overwrite(2)
        tags["BitsPerSample"].overwrite((16, 16, 16))
        tags["SamplesPerPixel"].overwrite(3)


def test_sixteen_bit_colours_are_kept_where_pillow_cuts_them(tmp_path):
    colour, alpha = _values("uint16", 3), _values("uint16", 1)
    _deep_lzw(tmp_path / "a.tif", colour)
    _is(read(str(tmp_path / "a.tif")), _seen(colour))
    for maximum in (65535, 1023):
        few = (colour.astype(np.int64) * maximum // 65535).astype(">u2")
        (tmp_path / "a.ppm").write_bytes(b"P6\n# by hand\n%d %d\n%d\n" % (WIDTH, HEIGHT, maximum) + few.tobytes())
        _is(read(str(tmp_path / "a.ppm")), few / maximum)
        plain = "\n".join(" ".join(map(str, row)) + " # row" for row in few.reshape(HEIGHT, -1))
        (tmp_path / "b.ppm").write_text(f"P3\n{WIDTH} {HEIGHT}\n{maximum}\n{plain}\n")
        _is(read(str(tmp_path / "b.ppm")), few / maximum)
    a, seen = _seen(alpha), _seen(colour)
    for kind, stored, wanted in (
        (2, colour, seen),
        (4, np.concatenate([colour[..., :1], alpha], -1), a * seen[..., :1] + 1 - a),
        (6, np.concatenate([colour, alpha], -1), a * seen + 1 - a),
    ):
        for interlaced in (False, True):
            (tmp_path / "a.png").write_bytes(_png(stored, kind, interlaced))
            picture = read(str(tmp_path / "a.png"))
            _is(picture, wanted)
            assert "16-bit" in " ".join(picture.notes) and "8 bits" not in " ".join(picture.notes)


def _png(stored: np.ndarray, kind: int, interlaced: bool) -> bytes:
    """A PNG of 16 bits, which Pillow does not write in colour."""
    import struct
    import zlib

    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    lines = b"".join(
        b"\0" + row.astype(">u2").tobytes()
        for top, left, down, across in (passes if interlaced else [(0, 0, 1, 1)])
        for row in stored[top::down, left::across]
    )

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, kind, 0, 0, int(interlaced))
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("name", ["a.bmp", "a.tga", "a.pcx", "a.sgi", "a.ppm", "a.png", "a.gif", "a.webp", "a.ico"])
def test_lossless_formats_of_eight_bits(tmp_path, name):
    colour = _values("uint8", 3) // 64 * 64 if name == "a.gif" else _values("uint8", 3)
    image = Image.fromarray(colour).quantize(256) if name == "a.gif" else Image.fromarray(colour)
    options = {"lossless": True} if name == "a.webp" else {"sizes": [(WIDTH, HEIGHT)]} if name == "a.ico" else {}
    image.save(tmp_path / name, **options)
    _is(read(str(tmp_path / name)), _seen(np.asarray(image.convert("RGB"))))


def test_pages_and_previews(tmp_path):
    file, stored = str(tmp_path / "a.tif"), _values("uint16", 3)
    with tifffile.TiffWriter(file) as writer:
        writer.write(stored[::2, ::2], photometric="rgb", subfiletype=1)
        writer.write(stored, photometric="rgb")
    picture = read(file)
    _is(picture, _seen(stored))
    assert "2 frames" in " ".join(picture.notes)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate"])
def test_a_tiff_that_is_damaged_is_refused_in_one_line(tmp_path, capfd, compression):
    whole = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(
        whole, "TIFF", compression=compression
    )
    content = whole.getvalue()
    for size in range(8, len(content), 997):
        (tmp_path / "a.tif").write_bytes(content[:size])
        with pytest.raises(UserError, match="damaged") as caught:
            read(str(tmp_path / "a.tif"))
        assert "\n" not in str(caught.value)
    if compression != "raw":  # whose pixels may be anything
        (tmp_path / "a.tif").write_bytes(content[:8] + bytes(2000) + content[2008:])
        with pytest.raises(UserError, match="damaged"):
            read(str(tmp_path / "a.tif"))
    assert capfd.readouterr() == ("", "")  # libtiff speaks past Python


@pytest.mark.parametrize(
    "array", [np.ones((4, 4), bool), np.full((4, 4, 3), 1, np.float16), np.full((4, 4), 65535, ">u2")]
)
def test_arrays_of_every_kind(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    assert read(str(tmp_path / "a.npy")).pixels.unique().tolist() == [1]


@pytest.mark.parametrize("shape", [(10**9, 10**9), (10**30, 1)])
def test_an_array_that_claims_more_than_there_is(tmp_path, shape):
    file = tmp_path / "a.npy"
    with file.open("wb") as out:
        np.lib.format.write_array_header_1_0(out, {"descr": "<f8", "fortran_order": False, "shape": shape})
    with pytest.raises(UserError, match="damaged"):
        read(str(file))


@pytest.mark.parametrize(
    "content", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", b"\xd7\xcd\xc6\x9a" + bytes(40)]
)
def test_no_other_program_is_started_for_a_picture(tmp_path, monkeypatch, content):
    def start(*_args, **_more):
        raise AssertionError("a program was started")

    monkeypatch.setattr(subprocess, "Popen", start)
    for name in ("a.png", "a.eps"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match="not a picture"):
            read(str(tmp_path / name))
    assert not {"EPS", "WMF", "PDF"} & set(readable())


def test_a_large_bilevel_picture_needs_little_more_than_its_numbers(tmp_path):
    """4 bytes a pixel are the numbers; of a bilevel file Pillow itself keeps one."""
    import tracemalloc

    Image.new("1", (3000, 3000), 1).save(tmp_path / "a.png")
    tracemalloc.start()
    picture = read(str(tmp_path / "a.png"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert picture.pixels.shape == (1, 3000, 3000) and peak < 6.5 * 9e6


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.npy"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_sides_are_known_from_the_header(tmp_path, name, orientation):
    colour, file = _values("uint8", 3), tmp_path / name
    exif = Image.Exif()
    exif[274] = orientation
    if name == "a.npy":
        np.save(file, colour)
    else:
        Image.fromarray(colour).save(file, exif=exif)
    assert sorted(sides(file)) == sorted(read(str(file)).pixels.shape[1:])


@pytest.mark.parametrize("depth", [2, 4, 8, 16])
def test_one_grey_of_a_png_may_stand_for_transparency(tmp_path, depth):
    most = 2**depth - 1
    greys = np.linspace(0, most, 6 * 8).round().reshape(6, 8).astype(np.uint16)
    key = int(greys[3, 3])
    file = tmp_path / "key.png"
    file.write_bytes(_grey_png(greys, depth, key))
    picture = read(str(file))
    expected = np.where(greys == key, 1.0, greys / most)
    assert picture.pixels.shape == (1, 6, 8)
    assert np.abs(picture.pixels[0].numpy() - expected).max() < 0.6 / most
    assert any("put on white" in note for note in picture.notes)


def _grey_png(greys, depth, key):
    """A grey PNG as the specification has it, with a transparent grey."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    height, width = greys.shape
    bits = (greys[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    lines = [b"\0" + np.packbits(line.reshape(-1).astype(np.uint8)).tobytes() for line in bits]
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, 0)
    parts = (
        (b"IHDR", header),
        (b"tRNS", struct.pack(">H", key)),
        (b"IDAT", zlib.compress(b"".join(lines))),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize("compression", ["packbits", "raw"])
def test_a_predictor_that_the_compression_has_not_is_refused(tmp_path, compression):
    Image.fromarray(np.arange(200, dtype=np.uint8).reshape(10, 20)).save(
        tmp_path / "a.tif", compression=compression, tiffinfo={317: 2}
    )
    with pytest.raises(UserError, match="differences"):
        read(str(tmp_path / "a.tif"))
