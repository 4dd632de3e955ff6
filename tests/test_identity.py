"""A run's name: the same for the same numbers, another where the numbers are others."""

import pytest
import torch

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.core.errors import UserError

from .conftest import TINY

SMALL = ("model.channels=4", "model.scales=2")


def name(*overrides: str) -> str:
    return assemble(compose(*overrides)).name


@pytest.mark.parametrize(
    ("overrides", "kept"),
    [
        ((), "e7077914ed70"),
        (("task=inpaint", "image=[coffee,camera]", "multi.head=per_image", "pruner=none"), "f822ecad05c5"),
        (("task=super_resolution", "model=deep_decoder", "pruner=snip", "seed=1"), "1d04d041d4c8"),
        (("task=compressive_sensing",), "410c87d1e72e"),
        (("task=classify",), "24ee212463fc"),
    ],
)
def test_finished_runs_are_found_again(overrides, kept):
    assert name(*overrides) == kept, "raise RUN_FORMAT if this configuration gives other numbers now"


def test_a_picture_that_was_cropped_is_another_than_one_resampled_to_the_same_shape():
    cropped, resampled = (
        assemble(compose(*SMALL, "image=chelsea", f"image.size={size}")) for size in ("null", "[288,448]")
    )
    assert cropped.module.problems[0].x.shape == resampled.module.problems[0].x.shape
    assert not torch.equal(cropped.module.problems[0].x, resampled.module.problems[0].x)
    assert cropped.name != resampled.name


@pytest.mark.parametrize(
    ("picture", "size"),
    [(("image=astronaut",), 512), (("image=chelsea", "image.clean=false"), "[288,448]")],
)
def test_a_picture_that_is_the_same_either_way_is_the_same_run(picture, size):
    assert name(*SMALL, *picture, "image.size=null") == name(*SMALL, *picture, f"image.size={size}")


def test_weights_that_were_drawn_anew_twice_are_others_than_those_drawn_anew_once(tiny):
    first, _ = tiny("fit.steps=2", "pruner=none")
    once = (*TINY, "pruner=none", f"ticket={first}", "ticket.round=0", "ticket.init=reinit")
    second, _ = tiny("fit.steps=2", *once)
    twice = (*once, f"ticket={second}")
    one, other = assemble(compose(*once)), assemble(compose(*twice))
    assert one.module.start_mask == other.module.start_mask and one.module.seed == other.module.seed
    assert not torch.equal(one.module.network.head.weight, other.module.network.head.weight)
    assert one.name != other.name


def test_a_dense_network_of_other_weights_is_another_run():
    assert name(*TINY, "pruner=none") != name(*TINY, "pruner=none", "pruner.init=reinit")


@pytest.mark.parametrize("pruner", ["ticket", "reinit", "random_layerwise"])
def test_a_ladder_that_tickets_give_has_one_name_whatever_else_is_asked_for(tiny, pruner):
    run, _ = tiny("fit.steps=2", "pruner.rounds=1")
    names = {
        name(*TINY, f"pruner={pruner}", f"pruner.ticket={run}", *more)
        for more in (("pruner.rounds=1",), ("pruner.rounds=9",), ("pruner.rate=0.5",), ("pruner.sparsity=0.9",))
    }
    assert len(names) == 1


def test_the_default_of_what_a_pruner_looks_at_is_not_science():
    learn = (*SMALL, "task=classify")
    assert name(*learn) == name(*learn, "~task.target")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ("task=compressive_sensing", "model.latent=65"),
            "model.latent=65 is for a new generator, and embedded has 64",
        ),
        (("task=gan_inpaint", "model.channels=[8,4]"), r"model.channels=\[8, 4\] is for a new generator"),
        (("task=gan_train", "fit=finetune", "model.path=embedded", "model.picture_channels=3"), "embedded has 1;"),
        (("task=gan_train", "dataset.size=24"), "dataset.size=24 is not the generator's size, 32"),
    ],
)
def test_a_shape_that_would_be_ignored_is_refused(overrides, message):
    with pytest.raises(UserError, match=message):
        name(*overrides)


def test_a_pretrained_generators_own_shape_may_be_given():
    shape = ("model.latent=64", "model.channels=[64,64,32,16]", "model.picture_channels=1")
    assert name("task=gan_inpaint", *shape) == name("task=gan_inpaint")


def test_a_stop_that_cannot_come_is_told():
    (note,) = (one for one in assemble(compose(*TINY, "pruner=none", "pruner.stop=2")).notes if "stop" in one)
    assert note == "pruner.stop=2 changes nothing: pruner=none has one round"


def test_fashion_mnist_below_the_data_directory_goes_before_the_systems(clothes, tmp_path):
    (tmp_path / "fashion-mnist").symlink_to(clothes)
    experiment = assemble(compose("task=gan_train", f"paths.data_dir={tmp_path}"))
    assert len(experiment.module.dataset.train) == 40
