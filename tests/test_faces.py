"""A directory of pictures without labels: its split, what is refused in one line, and a GAN trained on it."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.cli.run_command import plain
from lipdip.core.errors import UserError
from lipdip.fit.execute import execute
from lipdip.generators import load_generator
from lipdip.pictures import datasets
from lipdip.runs.directory import RunDirectory
from lipdip.tasks.configuration import build

SIDE = 16


@pytest.fixture
def faces(tmp_path):
    """Twenty colour pictures: most lie directly in the directory, some in a sub-folder; two formats, two shapes."""
    home = tmp_path / "faces"
    (home / "more").mkdir(parents=True)
    draw = np.random.default_rng(0)
    for i in range(20):
        pixels = draw.integers(0, 256, (SIDE, SIDE + 8 * (i % 2), 3), dtype=np.uint8)
        Image.fromarray(pixels).save(home / ("more" if i % 5 == 0 else "") / f"{i:02d}.{'JPG' if i % 3 else 'png'}")
    return home


def names(examples, home) -> list[str]:
    return [str(Path(file).relative_to(home)) for file in examples.files]


def everything(examples) -> tuple[torch.Tensor, torch.Tensor]:
    return examples.batch(torch.arange(len(examples)))


def refused(home, message: str, **more) -> str:
    """The one line with which ``home`` is refused."""
    with pytest.raises(UserError, match=message) as caught:
        datasets.unlabelled(str(home), SIDE, **{"held_out": 4, **more})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_pictures_have_one_shape_and_no_classes(faces):
    dataset = datasets.unlabelled(str(faces), SIDE, held_out=4)
    assert (dataset.name, dataset.classes, dataset.notes) == ("faces", (), ())
    for examples, count in ((dataset.train, 16), (dataset.test, 4)):
        pixels, labels = everything(examples)
        assert pixels.shape == (count, 3, SIDE, SIDE) and pixels.dtype == torch.float32
        assert 0 <= pixels.min() < pixels.max() <= 1
        assert labels.tolist() == [0] * count and labels.dtype == torch.int64


def test_every_picture_is_in_one_split_and_both_are_spread_evenly(faces):
    dataset = datasets.unlabelled(str(faces), SIDE, held_out=4)
    train, test = names(dataset.train, faces), names(dataset.test, faces)
    every = sorted(str(file.relative_to(faces)) for file in faces.rglob("*.*"))
    assert sorted(train + test) == every and train == sorted(train)
    assert test == [every[2], every[7], every[12], every[17]]
    half = names(datasets.unlabelled(str(faces), SIDE, share=0.5, held_out=4).train, faces)
    assert half == train[1::2]


@pytest.mark.parametrize("held_out", [1, 3, 7, 19])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.4, 0.99, 1])
def test_a_share_changes_the_train_split_alone(faces, held_out, share):
    whole = datasets.unlabelled(str(faces), SIDE, held_out=held_out)
    part, again = (datasets.unlabelled(str(faces), SIDE, share=share, held_out=held_out) for _ in range(2))
    assert (part.train.files, part.test.files, part.digest) == (again.train.files, again.test.files, again.digest)
    assert part.test.files == whole.test.files and len(whole.test) == len(set(whole.test.files)) == held_out
    assert set(part.train.files) <= set(whole.train.files) and not set(part.train.files) & set(part.test.files)
    assert len(set(part.train.files)) == len(part.train) == max(1, round(share * (20 - held_out)))
    assert (part.digest == whole.digest) == (part.train.files == whole.train.files)


def test_a_share_is_noted(faces):
    (note,) = datasets.unlabelled(str(faces), SIDE, share=0.4, held_out=5).notes
    assert note == f"{faces}: trained on 6 of the 15 pictures that are not held out"


def test_the_digest_is_over_names_and_sizes_and_not_the_place(faces, tmp_path):
    def seen(home, **more):
        return datasets.unlabelled(str(home), 8, **{"held_out": 4, **more}).digest

    before = seen(faces)
    assert re.fullmatch("[0-9a-f]{64}", before) and seen(faces, held_out=5) != before
    assert datasets.unlabelled(str(faces), SIDE, held_out=4).digest == before
    moved = faces.rename(tmp_path / "elsewhere")
    (moved / ".hidden.txt").write_text("x")
    assert seen(moved) == before
    file = moved / "03.png"
    file.write_bytes(file.read_bytes() + b"0")
    longer = seen(moved)
    file.rename(file.with_name("030.png"))
    assert len({before, longer, seen(moved)}) == 3


def test_arrays_are_pictures_too(faces):
    np.save(faces / "04b.npy", np.zeros((SIDE, SIDE, 3), np.float32))
    assert len(datasets.unlabelled(str(faces), SIDE, held_out=4).train) == 17
    np.save(faces / "04b.npy", np.zeros((SIDE, 4, 3), np.float32))
    refused(faces, r"\(1 of 21 files\): 04b.npy; ")


def _empty(home):
    for file in [*home.glob("*.*"), *home.glob("more/*")]:
        file.unlink()


def _strays(home):
    for name in ("list_attr.txt", "more/a.csv", "b.zip", "c.txt", "d.txt", "e", "README"):
        (home / name).write_text("x")


def _small(home):
    for i in range(2):
        Image.new("RGB", (40, SIDE - 1)).save(home / f"small{i}.png")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda home: home.rename(home.with_name("x")), "^there is no directory at .*/faces; put .* dataset.path else"),
        (_empty, "^.*/faces is empty; put the pictures there, or point dataset.path elsewhere$"),
        (
            _strays,
            r"faces holds files that by their names are no pictures \(7 of 27 files\): "
            r"README, b.zip, c.txt, d.txt, e and 2 more; move them elsewhere$",
        ),
        *(
            (
                lambda home, end=end: (home / "03.png").rename(home / f"03.png{end}"),
                rf"files that are empty or half copied \(1 of 20 files\): 03.png{end}; copy them again, or delete",
            )
            for end in (".part", ".crdownload", ".tmp", ".partial", ".download")
        ),
        (lambda home: (home / "more/05.JPG").write_bytes(b""), r"half copied \(1 of 20 files\): more/05.JPG; copy"),
        (_small, r"side of less than 16 pixels \(2 of 22 files\): small0.png, small1.png; enlarged they"),
        (lambda home: (home / "03.png").write_text("<html>"), "^.*faces/03.png is not a picture in a format"),
        (lambda home: (home / "03.npy").write_bytes(b"x"), "^.*faces/03.npy is not a NumPy array"),
        (lambda home: (home / "gone.png").symlink_to("/nowhere/x.png"), "^cannot read .*gone.png: No such file"),
        (lambda home: (home / "more/loop").symlink_to(home), "^cannot read .*loop: Too many levels of symbolic links"),
    ],
)
def test_directories_that_cannot_be_trained_on(faces, spoil, message):
    spoil(faces)
    refused(faces, message)


def test_a_file_is_no_directory(faces):
    refused(faces / "03.png", "^.*/03.png is a file; dataset.path must be the directory")


def test_too_few_pictures_to_hold_some_out(faces):
    line = refused(faces, "faces holds 20 pictures, and dataset.held_out=20 of them are for testing", held_out=20)
    assert line.endswith("put at least 21 there, or give a smaller dataset.held_out")
    assert len(datasets.unlabelled(str(faces), SIDE, held_out=19).train) == 1


@pytest.mark.parametrize("name", ["06.png", "01.JPG"])
def test_a_picture_that_is_cut_short_is_named_when_it_is_read(faces, name):
    content = (faces / name).read_bytes()
    (faces / name).write_bytes(content[: len(content) * 3 // 4])
    dataset = datasets.unlabelled(str(faces), SIDE, held_out=4)
    place = names(dataset.train, faces).index(name)
    with pytest.raises(UserError, match=f"^{faces / name} is damaged: ") as caught:
        dataset.train.batch(torch.tensor([place]))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("share=0", "share must be a number above 0 and at most 1, not 0"),
        ("share=1.5", "share must be a number above 0 and at most 1, not 1.5"),
        ("share=nan", "share must be a number above 0 and at most 1, not nan"),
        ("share=true", "share must be a number above 0 and at most 1, not True"),
        ("held_out=0", "held_out must be a whole number of at least 1, not 0"),
        ("held_out=2.5", "held_out must be a whole number of at least 1, not 2.5"),
        ("size=7", "size must be a whole number of at least 8, not 7"),
        ("path=null", "path must be a directory, not None"),
    ],
)
def test_settings_that_cannot_be_are_named_as_the_command_line_does(override, message):
    with pytest.raises(UserError, match=rf"^dataset\.{re.escape(message)}$"):
        build(plain(compose("task=gan_train", "dataset=faces", "dataset.size=24", f"dataset.{override}")), "dataset")


def test_the_yaml_looks_in_the_data_directory(faces):
    words = ("task=gan_train", "dataset=faces", f"paths.data_dir={faces.parent}", "dataset.held_out=4")
    config = plain(compose(*words))
    assert config["dataset"] == {
        "_target_": "lipdip.pictures.datasets.unlabelled",
        "path": str(faces),
        "size": None,
        "share": 1.0,
        "held_out": 4,
    }
    assert len(build(config, "dataset", size=SIDE).test) == 4


def test_pictures_without_labels_cannot_be_classified(faces):
    words = ["task=classify", "dataset=faces", f"dataset.path={faces}", "dataset.size=16", "dataset.held_out=4"]
    with pytest.raises(UserError, match=r"^task=classify needs labelled pictures, and faces has no labels; take"):
        assemble(compose(*words))


def test_a_gan_is_trained_on_them(faces, tmp_path):
    small = ("model.channels=[6,5,4]", "model.latent=5", "fit.batch=4", "fit.judging_steps=3", "fit.judged=3")
    data = ("dataset=faces", f"dataset.path={faces}", "dataset.held_out=4", "dataset.share=0.5")
    words = ["task=gan_train", *data, *small, "model.picture_channels=3", "fit.steps=6", "fit.grow=2", "trainer=cpu"]
    experiment = assemble(compose(*words))
    dataset = experiment.module.dataset
    assert len(dataset.train) == 8 and dataset.train.size == SIDE
    assert experiment.configuration["dataset"] == {"name": "faces", "size": SIDE, "sha256": dataset.digest}
    with RunDirectory(tmp_path / "run") as held:
        (row,) = execute(experiment, held, Console(file=io.StringIO())).rounds
    assert row.reconstruction_error > 0
    stored = load_generator(tmp_path / "run/generator.safetensors")
    assert stored.notes["trained_on"] == "faces" and stored.generator.picture_channels == 3
    with Image.open(tmp_path / "run/images/samples_dense.png") as samples:
        assert samples.mode == "RGB"
