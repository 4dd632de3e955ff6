"""Recovering pictures by a generator: the objectives, outliers, restarts."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import lightning as L
import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.cli.run_command import run
from lipdip.core.errors import UserError
from lipdip.fit.autosave import Stopped
from lipdip.fit.execute import execute
from lipdip.generators import save_network
from lipdip.generators.pretrained import pretrained
from lipdip.networks import Generator
from lipdip.physics import CompressiveSensing
from lipdip.pictures import Problem
from lipdip.runs.directory import RunDirectory
from lipdip.tasks import read_rounds
from lipdip.tasks.recovery import recovering
from lipdip.tasks.recovery.lasso import lasso
from lipdip.tasks.recovery.objectives import block_means, median_of_means
from lipdip.tasks.recovery.recovering import Recovering

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


def test_the_restart_with_the_lowest_objective_is_kept(reachable, tmp_path):
    runs = [_recover(reachable, tmp_path, f"fit.restarts={count}", "fit.steps=40") for count in (1, 5)]
    alone, chosen = (list(csv.DictReader((one / "pictures.csv").read_text().splitlines())) for one in runs)
    assert [row["picture"] for row in chosen] == ["p0", "p1"] and any(row["restart"] != "0" for row in chosen)
    for first, best in zip(alone, chosen, strict=True):
        same, lower = (
            float(best["objective"]) == pytest.approx(float(first["objective"]), rel=1e-4),
            best["restart"] != "0",
        )
        assert same != lower and float(best["objective"]) <= float(first["objective"]) * 1.0001


def _experiment(folder: Path, *overrides: str):
    paths = f"image.path=[{folder}/p0.npy,{folder}/p1.npy]"
    return assemble(
        compose(
            "task=gan_inpaint", f"model.path={folder}/g.safetensors", "image=file", paths, "fit.steps=30", *overrides
        )
    )


def _found(experiment, directory: Path) -> list[dict[str, str]]:
    with RunDirectory(directory) as held:
        execute(experiment, held, Console(file=io.StringIO()))
    return list(csv.DictReader((directory / "pictures.csv").read_text().splitlines()))


def test_the_clean_picture_never_decides(reachable, tmp_path):
    fair, blind = _experiment(reachable), _experiment(reachable)
    module = blind.module
    turned = [replace(problem, x=-problem.x) for problem in module.problems]
    other = Recovering(module.network, turned, module.settings, module.start_mask, module.seed, module.hardware)
    one, two = _found(fair, tmp_path / "fair"), _found(replace(blind, module=other), tmp_path / "blind")
    assert [(row["restart"], row["objective"]) for row in one] == [(row["restart"], row["objective"]) for row in two]
    assert [row["mse"] for row in one] != [row["mse"] for row in two]


def test_the_generator_stays_as_it_is(reachable, tmp_path):
    experiment = _experiment(reachable)
    before = {name: value.clone() for name, value in experiment.module.network.state_dict().items()}
    _found(experiment, tmp_path / "run")
    assert all(torch.equal(value, before[name]) for name, value in experiment.module.network.state_dict().items())


def test_a_picture_is_turned_grey_for_a_grey_generator(reachable):
    experiment = assemble(compose("task=gan_inpaint", f"model.path={reachable}/g.safetensors", "image=astronaut"))
    assert experiment.module.problems[0].x.shape == (1, 1, 16, 16)
    assert any("turned grey" in note for note in experiment.notes)


class Stop(L.Callback):
    def on_train_batch_end(self, trainer, fitting, *_):
        if fitting.steps == 11:
            trainer.callbacks[-1]._signal = 15


@pytest.mark.parametrize("objective", ["mse", "median_of_means"])
def test_stopped_and_gone_on_it_ends_the_same(reachable, tmp_path, objective):
    words = (f"fit.objective={objective}", "trainer=cpu", "fit.record_every=5")
    whole = _found(_experiment(reachable, *words), tmp_path / "whole")
    with RunDirectory(tmp_path / "stopped") as held, pytest.raises(Stopped):
        execute(_experiment(reachable, *words), held, Console(file=io.StringIO()), callbacks=[Stop()])
    assert _found(_experiment(reachable, *words), tmp_path / "stopped") == whole
    one, other = ((tmp_path / name / "curves.csv").read_bytes() for name in ("whole", "stopped"))
    assert one == other


def test_the_lasso_recovers_what_is_sparse_in_its_basis():
    rows = torch.cos(torch.pi * (torch.arange(16) + 0.5) * 3 / 16)
    picture = (rows[None, :, None] * torch.cos(torch.pi * (torch.arange(16) + 0.5) * 2 / 16)[None, None]) * 0.9
    draw = torch.Generator().manual_seed(0)
    physics = CompressiveSensing((1, 16, 16), draw, measurements=100, noise=0.0)
    assert (lasso(Problem.measured(picture, physics, draw, "p")) - picture).square().mean() < 1e-4


def _picture(run: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(run / f"images/{name}.png"), dtype=np.float32) / 127.5 - 1


def test_the_lasso_is_solved_once_a_picture_and_its_pictures_are_kept(reachable, tmp_path, monkeypatch):
    solved, run = [], tmp_path / "run"
    monkeypatch.setattr(recovering, "lasso", lambda problem: solved.append(problem.name) or lasso(problem))
    rows = _found(_experiment(reachable, "fit.baseline=lasso"), run)
    assert solved == ["p0", "p1"]
    for row in rows:
        error = np.square(_picture(run, f"{row['picture']}/lasso") - _picture(run, f"{row['picture']}/clean")).mean()
        assert error == pytest.approx(float(row["mse_lasso"]), rel=0.05)


def test_a_recovery_is_whole_with_its_pictures(reachable, tmp_path):
    run = _recover(reachable, tmp_path, "fit.steps=5")
    assert not (run / "images/p0/lasso.png").exists()
    for file in ("comparison.png", "pictures.csv", "images/p1/clean.png"):
        content = (run / file).read_bytes()
        (run / file).unlink()
        assert RunDirectory(run).summary is None
        (run / file).write_bytes(content)
        assert RunDirectory(run).summary is not None


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("fit.objective=huber",), "fit.objective must be"),
        (("fit.restarts=0",), "fit.restarts must be"),
        (("task.outliers=1",), "task.outliers must be"),
        (("task.measurements=0",), "task.measurements must be"),
        (("task.noise=-1",), "task.noise must be"),
        (("model.path=/nowhere.pth",), "/nowhere.pth"),
        (("pruner=imp",), "recovering prunes nothing"),
        (("fit=adam",), "fit=latent"),
        (("fit.baseline=ridge",), "fit.baseline must be"),
        (("image.clean=false",), "no image.clean=false"),
    ],
)
def test_values_that_cannot_be(reachable, overrides, message):
    with pytest.raises(UserError, match=message) as caught:
        assemble(compose("task=compressive_sensing", f"model.path={reachable}/g.safetensors", *overrides))
    assert "\n" not in str(caught.value)


def test_the_generator_that_ships_makes_pictures_that_it_can_recover(tmp_path):
    stored = pretrained("embedded")
    assert (stored.generator.size, stored.generator.picture_channels) == (32, 1)
    picture = stored.generator(torch.randn(1, 64, generator=torch.Generator().manual_seed(3))).detach().clamp(-1, 1)
    assert picture.std() > 0.3, "a picture, and no grey"
    np.save(tmp_path / "p.npy", (picture[0, 0].numpy() + 1) / 2)
    words = ("task=gan_inpaint", "image=file", f"image.path={tmp_path}/p.npy", "fit.steps=60", "fit.restarts=2")
    row = read_rounds(run(compose(*words, f"paths.output_dir={tmp_path}"), Console(file=io.StringIO())))[0]
    assert row.mse < 0.5 * picture.var()
