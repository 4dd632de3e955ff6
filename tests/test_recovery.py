"""Recovering pictures by a generator: the objectives, outliers, restarts."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from lipdip.command import compose
from lipdip.configuration.assemble import assemble
from lipdip.core.errors import UserError
from lipdip.core.records import read_rounds
from lipdip.generators import load_generator, save_network
from lipdip.generators.pretrained import pretrained
from lipdip.networks import Generator
from lipdip.physics import CompressiveSensing
from lipdip.run import run
from lipdip.training.objectives import block_means, median_of_means

from .conftest import DATA


def test_the_median_of_means_is_the_references():
    with np.load(DATA / "median_of_means.npz") as arrays:
        ref = {name: torch.from_numpy(np.asarray(arrays[name])) for name in arrays.files}
    f, g = ((ref["y"] - ref["A"] @ ref[name]).T for name in ("Gf", "Gg"))
    block = int(ref["block_size"])
    means = block_means(f.square() - g.square(), ref["permutation"], block)
    torch.testing.assert_close(means[0], ref["block_means"], rtol=1e-5, atol=1e-5)
    value = median_of_means(f, g, ref["permutation"], block)
    torch.testing.assert_close(value[0], ref["objective"], rtol=1e-5, atol=1e-5)
    assert int((means[0] == value).nonzero()) == int(ref["median_block"])


def test_the_matrix_and_its_outliers():
    def physics(**settings) -> CompressiveSensing:
        return CompressiveSensing((1, 16, 16), torch.Generator().manual_seed(0), **settings)

    plain = physics(measurements=400)
    assert plain.matrix.var().item() == pytest.approx(1 / 400, rel=0.02) and plain.matrix.dtype == torch.float32
    rows = physics(measurements=100, outliers=0.02, noise=0.0)
    assert int(rows.outlying.sum()) == 2 and (rows.matrix[rows.outlying] == 1).all()
    y = rows.measure(torch.rand(1, 1, 16, 16), torch.Generator().manual_seed(1)).flatten()
    assert (y[rows.outlying] == 10_000).all() and (y[~rows.outlying].abs() < 10).all()
    values = physics(measurements=100, outliers=0.02, outlier_kind="values")
    assert not (values.matrix[values.outlying] == 1).any()


@pytest.fixture(scope="module")
def reachable(tmp_path_factory):
    """A generator in a file, and two pictures that it can make, as files."""
    folder = tmp_path_factory.mktemp("reachable")
    torch.manual_seed(0)
    generator = Generator(latent=4, channels=(8, 8, 8), picture_channels=1)
    save_network(generator, folder / "g.safetensors")
    pictures = generator(torch.randn(2, 4, generator=torch.Generator().manual_seed(5))).detach()
    scale = pictures.abs().max()
    for name, parameter in generator.named_parameters():  # so that its pictures lie in [-1, 1]
        if name.startswith("toRGBLayers"):
            parameter.data.div_(scale)
    save_network(generator, folder / "g.safetensors")
    for number, picture in enumerate(pictures / scale):
        np.save(folder / f"p{number}.npy", (picture[0].numpy() + 1) / 2)
    return folder


def _recover(folder: Path, output: Path, *overrides: str) -> Path:
    paths = f"image.path=[{folder}/p0.npy,{folder}/p1.npy]"
    settings = (f"model.path={folder}/g.safetensors", "image=file", paths, "task.measurements=120", "fit.steps=250")
    command = ("task=compressive_sensing", "model=pggan", *settings, f"paths.output_dir={output}", *overrides)
    return run(compose(*command), Console(file=io.StringIO()))


def test_median_of_means_withstands_outliers_where_squares_fail(reachable, tmp_path):
    clean, spoiled, robust = (
        read_rounds(_recover(reachable, tmp_path, *more))[0].mse
        for more in (
            (),
            ("task.outliers=0.02",),
            ("task.outliers=0.02", "fit.objective=median_of_means", "fit.block=12"),
        )
    )
    assert clean < 0.02 and robust < 0.05 and spoiled > 5 * robust


def test_the_restart_with_the_lowest_objective_is_kept_and_the_clean_picture_never_decides(reachable, tmp_path):
    many = _recover(reachable, tmp_path, "fit.restarts=5", "fit.steps=40")
    one = _recover(reachable, tmp_path, "fit.restarts=1", "fit.steps=40")
    chosen = list(csv.DictReader((many / "pictures.csv").read_text().splitlines()))
    first = list(csv.DictReader((one / "pictures.csv").read_text().splitlines()))
    assert [row["picture"] for row in chosen] == ["p0", "p1"]
    for best, alone in zip(chosen, first, strict=True):
        assert float(best["objective"]) <= float(alone["objective"]) * 1.0001
    assert any(row["restart"] != "0" for row in chosen)


def test_the_generator_stays_as_it_is(reachable, tmp_path):
    cfg = compose("task=gan_inpaint", f"model.path={reachable}/g.safetensors", "image=astronaut", "fit.steps=5")
    experiment = assemble(cfg)
    before = {
        name: value.clone()
        for name, value in load_generator(reachable / "g.safetensors").generator.state_dict().items()
    }
    run(
        compose(
            "task=gan_inpaint", f"model.path={reachable}/g.safetensors", "fit.steps=5", f"paths.output_dir={tmp_path}"
        ),
        Console(file=io.StringIO()),
    )
    assert all(torch.equal(value, before[name]) for name, value in experiment.network.state_dict().items())
    assert any("turned grey" in note for note in experiment.notes)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("fit.objective=huber",), "fit.objective must be"),
        (("fit.restarts=0",), "fit.restarts must be at least 1"),
        (("task.outliers=1",), "task.outliers must be a share"),
        (("task.measurements=0",), "task.measurements must be"),
        (("task.noise=-1",), "task.noise must be"),
        (("model.path=/nowhere.pth",), "/nowhere.pth"),
        (("pruner=imp",), "recovering prunes nothing"),
        (("fit=adam",), "is searched by fit=latent"),
    ],
)
def test_values_that_cannot_be(reachable, overrides, message):
    with pytest.raises(UserError, match=message) as caught:
        assemble(compose("task=compressive_sensing", f"model.path={reachable}/g.safetensors", *overrides))
    assert "\n" not in str(caught.value)


def test_the_generator_that_ships_makes_pictures_that_it_can_recover(tmp_path):
    stored = pretrained()
    assert (stored.generator.size, stored.generator.picture_channels) == (32, 1)
    picture = stored.generator(torch.randn(1, 64, generator=torch.Generator().manual_seed(3))).detach().clamp(-1, 1)
    assert picture.std() > 0.3, "a picture, and no grey"
    np.save(tmp_path / "p.npy", (picture[0, 0].numpy() + 1) / 2)
    words = ("task=gan_inpaint", "image=file", f"image.path={tmp_path}/p.npy", "fit.steps=60", "fit.restarts=2")
    row = read_rounds(run(compose(*words, f"paths.output_dir={tmp_path}"), Console(file=io.StringIO())))[0]
    assert row.mse < 0.5 * picture.var()
