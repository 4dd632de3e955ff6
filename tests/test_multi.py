"""One network for several pictures: what they share, what each reached, and what that costs."""

import csv
import io
import weakref

import lightning as L
import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.core.seeds import stream
from lipdip.fit.execute import execute
from lipdip.fit.settings import Multi
from lipdip.fit.step import fit_step, make_passes
from lipdip.runs.directory import RunDirectory
from lipdip.tasks import read_pictures, read_rounds
from lipdip.tickets.mask import Mask, Pruned
from lipdip.tickets.scope import prunable

from .conftest import TINY

TWO = (*TINY, "image=[astronaut,coffee]")
THREE = (*TINY, "image=[astronaut,coffee,chelsea]")


def _gradients(*overrides: str) -> dict[str, torch.Tensor]:
    """After one step: the gradient of every weight."""
    module = assemble(compose(*THREE, "fit.lr=1e-9", *overrides)).module
    network, weights = module.network, prunable(module.network)
    passes = make_passes(network, module.problems, module.codes, module.multi, module.hardware)
    weight = 1 / 3 if module.multi.loss == "mean" else 1.0
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-9)
    pruned, jitter = Pruned(weights, Mask.dense(weights)), stream(0, "jitter")
    fit_step(passes, optimizer, pruned, jitter, 0.03, None, weight, module.multi.accumulate)
    return {name: parameter.grad.clone() for name, parameter in network.named_parameters()}


@pytest.mark.parametrize("sharing", [(), ("multi.code=shared",), ("multi.head=per_image",)])
def test_accumulating_gives_the_same_gradient(sharing):
    one, other = _gradients(*sharing), _gradients(*sharing, "multi.accumulate=false")
    for name, gradient in one.items():
        torch.testing.assert_close(gradient, other[name], rtol=1e-4, atol=1e-7)


def test_the_mean_is_a_third_of_the_sum():
    total, mean = _gradients(), _gradients("multi.loss=mean")
    for name, gradient in total.items():
        torch.testing.assert_close(mean[name], gradient / 3, rtol=1e-4, atol=1e-7)


def _peak(*overrides: str) -> int:
    """The most bytes that a step holds for its backward pass at any time."""
    module = assemble(compose(*TINY, *overrides)).module
    network, weights = module.network, prunable(module.network)
    passes = make_passes(network, module.problems, module.codes, module.multi, module.hardware)
    held = {"now": 0, "peak": 0}

    class Packed:
        def __init__(self, tensor: torch.Tensor) -> None:
            self.tensor = tensor
            size = tensor.numel() * tensor.element_size()
            held["now"] += size
            held["peak"] = max(held["peak"], held["now"])
            weakref.finalize(self, lambda: held.__setitem__("now", held["now"] - size))

    optimizer, pruned = torch.optim.Adam(network.parameters()), Pruned(weights, Mask.dense(weights))
    with torch.autograd.graph.saved_tensors_hooks(Packed, lambda packed: packed.tensor):
        fit_step(passes, optimizer, pruned, stream(0, "jitter"), 0.03, None, 1.0, module.multi.accumulate)
    return held["peak"]


def test_memory_is_one_pictures_where_gradients_accumulate():
    one, three = _peak(), _peak("image=[astronaut,coffee,chelsea]")
    together = _peak("image=[astronaut,coffee,chelsea]", "multi.accumulate=false")
    assert three < 1.1 * one and together > 2.5 * one


def test_codes_are_shared_or_each_pictures_own():
    own, shared = (assemble(compose(*TWO, *more)).module.codes for more in ((), ("multi.code=shared",)))
    alone = assemble(compose(*TINY)).module.codes
    assert not torch.equal(own[0], own[1]) and torch.equal(shared[0], shared[1])
    assert torch.equal(own[0], alone[0]), "the first picture is as if it were alone"


def test_each_picture_has_its_own_noise():
    first, second = assemble(compose(*TWO, "task.clip=false")).module.problems
    assert not torch.allclose(first.y - first.x, second.y - second.x)


class Outputs(L.Callback):
    def on_train_batch_end(self, trainer, fitting, *_):
        self.last = [scores._output for scores in fitting.scores]


def _outputs(tmp_path, *overrides: str) -> list[torch.Tensor]:
    experiment, watch = assemble(compose(*TWO, "pruner=none", *overrides)), Outputs()
    with RunDirectory(tmp_path / experiment.name) as directory:
        execute(experiment, directory, Console(file=io.StringIO()), callbacks=[watch])
    return watch.last


def test_with_code_and_head_shared_there_is_one_output_for_all(tmp_path):
    one, same = _outputs(tmp_path, "multi.code=shared", "multi.head=shared")
    assert torch.equal(one, same)
    for sharing in (("multi.code=shared", "multi.head=per_image"), ("multi.code=per_image",)):
        one, other = _outputs(tmp_path, *sharing)
        assert not torch.allclose(one, other)


def test_a_head_for_each_picture_is_its_own_channels():
    module = assemble(compose(*TINY, "image=[astronaut,camera]", "multi.head=per_image")).module
    network = module.network
    assert network.head.weight.shape[0] == 4, "three for the RGB picture, one for the grey"
    passes = make_passes(network, module.problems, module.codes, module.multi, module.hardware)
    (loss,), (picture,) = passes[1].objective(passes[1].code)
    loss.backward()
    assert picture.shape[1] == 1 and (network.head.weight.grad[:3] == 0).all() and network.head.weight.grad[3:].any()


def test_every_picture_has_its_scores_and_the_round_their_mean(tiny):
    run, printed = tiny("image=[astronaut,coffee]", "pruner.rounds=1")
    pictures, rounds = read_pictures(run), read_rounds(run)
    assert [(row.round, row.picture) for row in pictures] == [
        *((0, "astronaut"), (0, "coffee"), (1, "astronaut"), (1, "coffee"))
    ]
    for row in rounds:
        own = [one for one in pictures if one.round == row.round]
        assert row.psnr_best == pytest.approx(sum(one.psnr_best for one in own) / 2, abs=1e-4)
        assert row.loss == pytest.approx(sum(one.loss for one in own) / 2, rel=1e-5)
        assert row.psnr_best_step is None and all(one.psnr_best_step for one in own)
    curves = list(csv.DictReader((run / "curves.csv").read_text().splitlines()))
    assert {row["picture"] for row in curves} == {"astronaut", "coffee"}
    for name in ("astronaut", "coffee"):
        for kind in ("clean", "measured", "restored_dense", "restored_last"):
            assert (run / "images" / name / f"{kind}.png").exists()
    assert "mean of 2 pictures" in printed


@pytest.mark.parametrize("sharing", [(), ("multi.code=shared", "multi.head=per_image")])
def test_five_pictures_of_five_sizes(tmp_path, tiny, sharing):
    sizes = [(32, 32), (64, 32), (32, 64), (64, 64), (96, 32)]
    for number, (height, width) in enumerate(sizes):
        noise = np.random.default_rng(number).integers(0, 256, (height + 3, width + 5, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / f"p{number}.png")
    paths = ",".join(str(tmp_path / f"p{number}.png") for number in range(5))
    run, _ = tiny("image=file", f"image.path=[{paths}]", "image.size=null", "pruner.rounds=1", "fit.steps=3", *sharing)
    for number, (height, width) in enumerate(sizes):
        with Image.open(run / "images" / f"p{number}" / "restored_last.png") as restored:
            assert restored.size == (width + 5, height + 3)
    assert len(read_pictures(run)) == 10


def test_a_shared_code_of_different_sizes_is_the_same_centre():
    experiment = assemble(
        compose(*TINY, "image=[coffee,astronaut]", "image.size=null", "multi.code=shared", "multi.head=per_image")
    )
    wide, square = experiment.module.codes  # 400x600 and 512x512, of one code of 512x600
    assert torch.equal(wide[..., :, 44:556], square[..., 56:456, :])


def test_the_order_of_pictures_is_part_of_the_name_and_how_memory_is_saved_is_not():
    name = assemble(compose(*TWO)).name
    assert name == assemble(compose(*TWO, "multi.accumulate=false")).name
    assert name != assemble(compose(*TINY, "image=[coffee,astronaut]")).name
    assert name != assemble(compose(*TWO, "multi.code=shared")).name
    alone = assemble(compose(*TINY)).name
    assert alone == assemble(compose(*TINY, "multi.code=shared")).name, "with one picture nothing is shared"


def test_multi_defaults_can_represent_n_pictures():
    assert Multi() == Multi("per_image", "shared", "sum", True)
    node = compose().multi
    assert (node.code, node.head, node.loss, node.accumulate) == ("per_image", "shared", "sum", True)
    assert compose("protocol=legacy").multi.code == "shared", "the public script: one output for all"


def test_names_that_strangers_chose_do_not_stop_a_run(tmp_path, tiny):
    names = ("price_$5_and_$10", "two\nlines\x1b[31m", "caf\udce9 図")
    for number, name in enumerate(names):
        noise = np.random.default_rng(number).integers(0, 256, (32, 32, 3), dtype=np.uint8)
        with (tmp_path / f"{name}.png").open("wb") as file:
            Image.fromarray(noise).save(file, "PNG")
    folder = ("image=folder", f"image.path={tmp_path}")
    run, printed = tiny(*folder, "pruner.rounds=1", "fit.steps=2", output_dir=tmp_path / "out")
    assert (run / "comparison.png").exists() and (run / "summary.json").exists() and "\x1b" not in printed
    shown = {"price_$5_and_$10", "two%0Alines%1B[31m", "caf%E9 図"}
    assert {row.picture for row in read_pictures(run)} == shown == {one.name for one in (run / "images").iterdir()}
