"""Labelled pictures: what each source gives, the same every time, and one line for what is not there."""

import hashlib
import inspect
import pickle
import re
import shutil

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from PIL import Image
from sklearn.datasets import load_digits

from lipdip.cli.compose import config_dir
from lipdip.cli.run_command import plain
from lipdip.core.errors import UserError
from lipdip.pictures import datasets
from lipdip.tasks.configuration import build

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
BATCHES = (*(f"data_batch_{i}.bin" for i in range(1, 6)), "test_batch.bin")


def records(count: int, seed: int) -> np.ndarray:
    made = np.random.default_rng(seed).integers(0, 256, (count, 3073), dtype=np.uint8)
    made[:, 0] = (np.arange(count) + seed) % 10
    return made


@pytest.fixture
def cifar(tmp_path):
    """A CIFAR-10 of three pictures a file."""
    home = tmp_path / "cifar-10-batches-bin"
    home.mkdir()
    for seed, name in enumerate(BATCHES):
        (home / name).write_bytes(records(3, seed).tobytes())
    (home / "batches.meta.txt").write_text("\n".join(NAMES) + "\n\n")
    return home


@pytest.fixture
def photos(tmp_path):
    """Two classes of pictures, grey and in colour, of several shapes and formats."""
    home = tmp_path / "photos"
    generator = np.random.default_rng(0)
    for split, count in (("train", 3), ("val", 1)):
        for name, shape in (("cat", (20, 30, 3)), ("ant", (40, 16))):
            (home / split / name).mkdir(parents=True)
            for i in range(count):
                image = Image.fromarray(generator.integers(0, 256, shape, dtype=np.uint8))
                image.save(home / split / name / f"{i}.{('png', 'bmp', 'jpg')[i]}")
    return home


@pytest.fixture(params=["digits", "cifar10", "folder"])
def make(request, cifar, photos):
    """One source after the other, as a function of the size."""
    path = {"digits": {}, "cifar10": {"path": str(cifar)}, "folder": {"path": str(photos)}}[request.param]
    return lambda size: getattr(datasets, request.param)(size=size, **path)


def everything(examples: datasets.Examples) -> tuple[torch.Tensor, torch.Tensor]:
    return examples.batch(torch.arange(len(examples)))


def test_every_source_gives_pictures_of_one_shape_and_labels_of_its_classes(make):
    for size in (8, 12, 32):
        dataset = make(size)
        for examples in (dataset.train, dataset.test):
            pixels, labels = everything(examples)
            assert pixels.shape == (len(examples), 3, size, size) and pixels.dtype == torch.float32
            assert 0 <= pixels.min() < pixels.max() <= 1 and pixels.is_contiguous()
            assert labels.shape == (len(examples),) and labels.dtype == torch.int64
            assert labels.min() >= 0 and labels.max() < len(dataset.classes)


def test_a_picture_does_not_depend_on_its_batch(make):
    train = make(12).train
    pixels, labels = everything(train)
    order = torch.tensor([2, 0, 2, len(train) - 1])
    some, their = train.batch(order)
    assert torch.equal(some, pixels[order]) and torch.equal(their, labels[order])
    alone, its = train.batch(order[:1])
    assert torch.equal(alone, some[:1]) and its.tolist() == [labels[2]]
    none, nobody = train.batch(torch.tensor([], dtype=torch.int64))
    assert none.shape == (0, 3, 12, 12) and nobody.shape == (0,)


def test_a_source_is_the_same_every_time_and_draws_from_no_global_generator(make):
    before = torch.random.get_rng_state()
    first, second = make(8), make(8)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert first.digest == second.digest == make(32).digest and re.fullmatch("[0-9a-f]{64}", first.digest)
    for ours, theirs in zip(everything(first.train), everything(second.train), strict=True):
        assert torch.equal(ours, theirs)


def test_examples_can_be_sent_to_another_process(make):
    train = make(8).train
    assert torch.equal(everything(pickle.loads(pickle.dumps(train)))[0], everything(train)[0])


@pytest.mark.parametrize("size", [7, 0, -8, 32.0, True, None, "32"])
@pytest.mark.parametrize("source", ["digits", "cifar10", "folder"])
def test_sizes_that_cannot_be(source, size):
    more = {} if source == "digits" else {"path": "/nowhere"}
    with pytest.raises(ValueError, match=rf"^size must be a whole number of at least 8, not {size!r}$"):
        getattr(datasets, source)(size=size, **more)


@pytest.mark.parametrize("path", [None, 3, "", "~nobody-of-that-name/data"])
@pytest.mark.parametrize("source", [datasets.cifar10, datasets.folder])
def test_paths_that_cannot_be(source, path):
    with pytest.raises(ValueError, match=rf"^path must be a directory, not {path!r}"):
        source(path=path, size=8)


@pytest.mark.parametrize("source", ["digits", "cifar10", "folder"])
def test_a_yaml_calls_its_source_and_a_mistake_is_named_as_the_command_line_does(source, tmp_path, cifar, photos):
    shutil.copytree(photos, tmp_path / "imagenet20")
    settings = {
        "protocol": {"classify": {"size": 16, "folder_size": 16}},
        "paths": {"data_dir": str(tmp_path)},
        "dataset": OmegaConf.load(config_dir() / "dataset" / f"{source}.yaml"),
    }
    config = plain(OmegaConf.create(settings))
    assert set(config["dataset"]) - {"_target_"} == set(inspect.signature(getattr(datasets, source)).parameters)
    dataset = build(config, "dataset")
    assert dataset.name == ("imagenet20" if source == "folder" else source)
    assert everything(dataset.test)[0].shape[1:] == (3, 16, 16)
    with pytest.raises(UserError, match=r"^dataset\.size must be a whole number of at least 8, not 4$"):
        build({**config, "dataset": {**config["dataset"], "size": 4}}, "dataset")


def test_digits_are_split_class_by_class_and_none_is_lost():
    dataset = datasets.digits(8)
    assert dataset.classes == tuple("0123456789") and len(dataset.train) + len(dataset.test) == 1797
    (shown, labels), (held, held_labels) = everything(dataset.train), everything(dataset.test)
    for mine, its in zip(labels.bincount().tolist(), held_labels.bincount().tolist(), strict=True):
        assert its == round((mine + its) / 5)
    source = load_digits()
    rows = (torch.cat([shown, held])[:, 0] * 16).flatten(1).tolist()
    ours = zip(rows, torch.cat([labels, held_labels]).tolist(), strict=True)
    assert sorted(ours) == sorted(zip(source.data.tolist(), source.target.tolist(), strict=True))
    assert torch.equal(shown[:, 0], shown[:, 1]) and torch.equal(shown[:, 0], shown[:, 2])


def test_the_digits_split_is_the_published_one():
    held, labels = everything(datasets.digits(8).test)
    assert len(labels) == 359
    content = (held[:, 0] * 16).to(torch.uint8).numpy().tobytes() + labels.to(torch.uint8).numpy().tobytes()
    assert hashlib.sha256(content).hexdigest() == "26d264dcda562060989fce58d2ff2ca2db00e709eda40f828ebb8cb9931d7551"


def test_cifar_records_are_read_as_they_lie(cifar):
    dataset = datasets.cifar10(str(cifar), 32)
    assert (dataset.name, dataset.classes, len(dataset.train), len(dataset.test)) == ("cifar10", NAMES, 15, 3)
    expected = np.concatenate([records(3, seed) for seed in range(5)])
    pixels, labels = everything(dataset.train)
    assert labels.tolist() == expected[:, 0].tolist()
    assert np.array_equal((pixels * 255).round().numpy(), expected[:, 1:].reshape(-1, 3, 32, 32))
    assert everything(dataset.test)[1].tolist() == records(3, 5)[:, 0].tolist()


def test_cifar_that_is_not_whole_is_noted(cifar):
    (note,) = datasets.cifar10(str(cifar), 8).notes
    assert "has 15 training and 3 test pictures; the whole of CIFAR-10 has 50000 and 10000" in note


@pytest.mark.parametrize("place", [0, 1, 3072])
def test_another_byte_is_another_cifar(cifar, place):
    before = datasets.cifar10(str(cifar), 8).digest
    content = bytearray((cifar / "data_batch_2.bin").read_bytes())
    content[place] ^= 1
    (cifar / "data_batch_2.bin").write_bytes(content)
    assert datasets.cifar10(str(cifar), 8).digest != before


def refused(source, path, message: str) -> str:
    """The one line with which ``source`` refuses ``path``."""
    with pytest.raises(UserError, match=message) as caught:
        source(str(path), 8)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_no_cifar_says_where_it_is_expected_and_how_to_fetch_it(tmp_path):
    home = tmp_path / "my data" / "cifar-10-batches-bin"
    line = refused(datasets.cifar10, home, f"^there is no CIFAR-10 at {home}; ")
    assert "curl -LO https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz" in line
    assert "c32a1d4ab5d03f1284b67883e8d87530" in line and "dataset.path" in line
    assert f"tar -xzf cifar-10-binary.tar.gz -C '{home.parent}'" in line and "pickled" not in line
    assert f"-C '{home.parent}'" in refused(datasets.cifar10, home.parent, "there is no CIFAR-10")


@pytest.mark.parametrize("given", ["cifar-10-batches-bin", "cifar-10-batches-py", "."])
def test_the_pickled_cifar_is_not_read(tmp_path, given):
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(pickle.dumps({b"labels": [1]}))
    line = refused(datasets.cifar10, tmp_path / given, "cifar-10-batches-py is the pickled version, which is not read")
    assert "curl -LO" in line


def test_the_folder_above_cifar_is_not_cifar(cifar):
    refused(datasets.cifar10, cifar.parent, f"holds it; set dataset.path={cifar}$")


@pytest.mark.parametrize("name", [*BATCHES, "batches.meta.txt"])
def test_a_cifar_file_that_is_missing_is_named(cifar, name):
    (cifar / name).unlink()
    refused(datasets.cifar10, cifar, f"^{name} is missing from {cifar}; to fetch")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("data_batch_3.bin", records(3, 0).tobytes()[:-1], "data_batch_3.bin has 9218 bytes, not a whole number"),
        ("test_batch.bin", b"", "test_batch.bin has 0 bytes, not a whole number"),
        ("data_batch_1.bin", bytes(3073) + bytes([10]) + bytes(3072), r"batch_1.bin .*picture 1 .* has the label 10,"),
        ("batches.meta.txt", b"cat\ndog\n", "batches.meta.txt names 2 classes, not 10"),
        ("batches.meta.txt", b"\xff\xfe", "batches.meta.txt names 1 classes, not 10"),
        ("data_batch_4.bin", None, "cannot read .*data_batch_4.bin: Is a directory"),
    ],
)
def test_cifar_files_that_are_damaged_are_named(cifar, name, content, message):
    (cifar / name).unlink()
    (cifar / name).mkdir() if content is None else (cifar / name).write_bytes(content)
    refused(datasets.cifar10, cifar, message)


def test_a_path_with_a_nul_is_no_path(tmp_path):
    with pytest.raises(ValueError, match="path must be a directory"):
        datasets.cifar10(f"{tmp_path}/a\0b", 8)
    with pytest.raises(ValueError, match="path must be a directory"):
        datasets.folder(f"{tmp_path}/a\0b", 8)


def test_a_folder_is_read_in_the_order_of_its_names(photos):
    dataset = datasets.folder(str(photos), 16)
    assert (dataset.name, dataset.classes, dataset.notes) == ("photos", ("ant", "cat"), ())
    assert everything(dataset.train)[1].tolist() == [0, 0, 0, 1, 1, 1]
    assert everything(dataset.test)[1].tolist() == [0, 1]
    grey, _ = dataset.train.batch(torch.tensor([0]))
    original = np.array(Image.open(photos / "train" / "ant" / "0.png"))
    assert grey.shape == (1, 3, 16, 16)
    for channel in grey[0]:
        assert np.array_equal((channel * 255).round().numpy(), original[12:28])  # 40x16: the centre square, not resized


def test_colours_keep_their_places_when_resized(tmp_path, photos):
    halves = np.zeros((40, 60, 3), np.uint8)
    halves[:, :10], halves[:, 10:30, 0], halves[:, 30:50, 2], halves[:, 50:] = 99, 255, 255, 99
    Image.fromarray(halves).save(photos / "val" / "cat" / "0.png")
    pixels, _ = datasets.folder(str(photos), 10).test.batch(torch.tensor([1]))
    assert pixels[0, :, 5, 1].tolist() == pytest.approx([1, 0, 0], abs=0.02)
    assert pixels[0, :, 5, 8].tolist() == pytest.approx([0, 0, 1], abs=0.02)


def test_pictures_are_read_only_when_asked_for_and_one_that_is_none_is_named(photos):
    bad = photos / "train" / "cat" / "1.bmp"
    bad.write_text("not a picture")
    train = datasets.folder(str(photos), 8).train
    assert len(train.batch(torch.tensor([0, 1, 2, 3, 5]))[1]) == 5
    with pytest.raises(UserError, match=f"^{bad} is not a picture"):
        train.batch(torch.tensor([0, 4]))


def test_hidden_things_and_strays_beside_classes_are_ignored(photos):
    before = datasets.folder(str(photos), 8)
    (photos / "train" / "cat" / ".DS_Store").write_text("x")
    (photos / "train" / ".cache").mkdir()
    (photos / "train" / "README").write_text("x")
    after = datasets.folder(str(photos), 8)
    assert (after.digest, after.classes, len(after.train)) == (before.digest, before.classes, len(before.train))


def test_the_held_out_split_may_be_called_test_and_val_goes_first(photos):
    shutil.copytree(photos / "train", photos / "test")
    dataset = datasets.folder(str(photos), 8)
    assert len(dataset.test) == 2
    assert dataset.notes == (f"{photos} has both val/ and test/; val/ was taken",)
    shutil.rmtree(photos / "val")
    dataset = datasets.folder(str(photos), 8)
    assert len(dataset.test) == 6 and dataset.notes == ()


def test_a_folders_digest_is_over_sorted_names_and_sizes_and_not_the_place(photos, tmp_path):
    before = datasets.folder(str(photos), 8).digest
    files = sorted((str(f.relative_to(photos)), f.stat().st_size) for f in photos.rglob("*.*"))
    assert before == hashlib.sha256("".join(f"{name}\0{size}\0" for name, size in files).encode()).hexdigest()
    moved = photos.rename(tmp_path / "elsewhere")
    assert datasets.folder(str(moved), 8).digest == before
    name = moved / "train" / "cat" / "0.png"
    name.write_bytes(name.read_bytes() + b"0")
    longer = datasets.folder(str(moved), 8).digest
    name.rename(name.with_name("00.png"))
    assert len({before, longer, datasets.folder(str(moved), 8).digest}) == 3


def _class_only_in(split):
    def do(home):
        (home / split / "owl").mkdir()
        shutil.copy(home / "train" / "cat" / "0.png", home / split / "owl")

    return do


def _one_class(home):
    for split in ("train", "val"):
        shutil.rmtree(home / split / "ant")


def _many_classes(home):
    for i in range(7):
        (home / "train" / f"more{i}").mkdir()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, "there is no folder at .*; put train/CLASS/PICTURE and val/CLASS/PICTURE .* dataset.path"),
        (lambda home: (shutil.rmtree(home), home.mkdir()), "photos has no train/; dataset.path must hold train/CLASS"),
        (lambda home: shutil.rmtree(home / "train"), "photos has no train/"),
        (lambda home: shutil.rmtree(home / "val"), "photos has neither val/ nor test/; dataset.path must hold"),
        (lambda home: (shutil.rmtree(home / "val"), (home / "val").mkdir()), "val holds no folder with the pictures"),
        (lambda home: [file.unlink() for file in (home / "train" / "ant").iterdir()], "train/ant is empty; every"),
        (lambda home: [file.unlink() for file in (home / "val" / "ant").iterdir()], "ant is empty; .* in val/"),
        (_class_only_in("train"), "has owl in train/ but not in val/; both need the same classes"),
        (_class_only_in("val"), "has owl in val/ but not in train/; both need the same classes"),
        (_many_classes, "has more0, more1, more2, more3, more4 and 2 more in train/ but not in val/"),
        (_one_class, "train has one class only, cat; there must be two"),
        (
            lambda home: (home / "train" / "cat" / "images").mkdir(),
            "cat/images is a folder; .* directly in .*train/cat",
        ),
        (lambda home: (home / "train" / "cat" / "gone.png").symlink_to("/nowhere/x.png"), "cannot read .*gone.png: No"),
    ],
)
def test_folders_that_are_laid_out_otherwise(photos, spoil, message):
    spoil(photos)
    refused(datasets.folder, photos, message)


def test_a_file_is_no_folder(photos):
    refused(datasets.folder, photos / "train" / "cat" / "0.png", "there is no folder at")
