"""A run's name: the same for the same numbers, another where the numbers are others."""

import dataclasses
import json

import pytest
import torch

import lipdip as lip
from lipdip.cli.compose import compose, config_dir
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.core.errors import UserError
from lipdip.runs.identity import RUN_FORMAT, canonical, defaults, unusual
from lipdip.tasks.classification import ClassifySettings
from lipdip.tasks.generation import GanSettings
from lipdip.tasks.pruner_settings import PrunerSettings
from lipdip.tasks.recovery import RecoverySettings

from .conftest import DATA, TINY

SMALL = ("model.channels=4", "model.scales=2")


def name(*overrides: str) -> str:
    return assemble(compose(*overrides)).name


@pytest.mark.parametrize(
    ("overrides", "kept"),
    [
        ((), "d16b5bdcf089"),
        (("task=inpaint", "image=[coffee,camera]", "multi.head=per_image", "pruner=none"), "8754e69fdd43"),
        (("task=super_resolution", "model=deep_decoder", "pruner=snip", "seed=1"), "bf43a79263a4"),
        (("task=compressive_sensing",), "b391cbfeccaf"),
        (("task=classify",), "66036d5cc5cc"),
    ],
)
def test_finished_runs_are_found_again(overrides, kept):
    assert name(*overrides) == kept, "raise RUN_FORMAT if this configuration gives other numbers now"


def test_a_picture_that_was_cropped_is_another_than_one_resampled_to_the_same_shape():
    cropped, resampled = (
        assemble(compose(*SMALL, "image=chelsea", "image.multiple=32", f"image.size={size}"))
        for size in ("null", "[288,448]")
    )
    assert cropped.module.problems[0].x.shape == resampled.module.problems[0].x.shape
    assert not torch.equal(cropped.module.problems[0].x, resampled.module.problems[0].x)
    assert cropped.name != resampled.name


@pytest.mark.parametrize(
    ("picture", "size"),
    [
        (("image=astronaut",), 512),
        (("image=chelsea", "image.clean=false", "image.multiple=32"), "[288,448]"),
        (("image=chelsea",), "[300,451]"),
    ],
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


# What is part of a name, and what is not


def test_a_new_setting_with_a_default_renames_nothing():
    @dataclasses.dataclass
    class Old:
        steps: int
        lr: float = 0.01

    @dataclasses.dataclass
    class New(Old):
        warm_up: int = 0

    values = {"steps": 10, "lr": 0.02}
    assert unusual(Old, values, "fit") == unusual(New, {**values, "warm_up": 0}, "fit") == unusual(New, values, "fit")
    assert unusual(New, {**values, "warm_up": 1}, "fit") == {"fit.steps": 10, "fit.lr": 0.02, "fit.warm_up": 1}


@pytest.mark.parametrize("kind", [lip.Hourglass, lip.physics.Denoise, lip.Magnitude, lip.FitSettings])
def test_a_class_that_moves_renames_nothing(kind, monkeypatch):
    before = name(*TINY)
    monkeypatch.setattr(kind, "__module__", "lipdip.elsewhere.moved")
    assert name(*TINY) == before


def test_the_names_of_presets_and_of_defaults_are_not_hashed():
    identity = assemble(compose(*TINY)).identity
    assert not {"imp", "denoise", "astronaut", "quick", "adam"} & {str(value) for value in identity.values()}
    assert identity["pruner.scorer"] == "Magnitude" and identity["model"] == "Hourglass"
    assert name(*TINY) == name(*TINY, "pruner.name=mine", "task.name=mine", "protocol.name=mine")
    assert name(*TINY) == name(*TINY, "fit.lr=0.01", "fit.stop_window=100", "model.skip_channels=4")


def members(group: str, *but: str) -> list[str]:
    return sorted(path.stem for path in (config_dir() / group).glob("*.yaml") if path.stem not in but)


NEED_TICKETS = ("ticket", "reinit", "random_layerwise")


@pytest.mark.parametrize(
    ("group", "choices", "settings"),
    [
        ("pruner", members("pruner", *NEED_TICKETS), ()),
        ("model", members("model", "pggan"), ()),
        (
            "task",
            [
                task
                for task in members("task")
                if "fits: {restoration: adam}" in (text := (config_dir() / "task" / f"{task}.yaml").read_text())
                and "deepinv" not in text  # an extra; tests/test_deepinv.py composes those
            ],
            ("image.size=64",),
        ),
    ],
)
def test_no_two_members_of_a_group_have_one_name(group, choices, settings):
    known: dict[str, str] = {}
    for choice in choices:
        found = name("image.size=32", *SMALL, *settings, f"{group}={choice}")
        other = known.setdefault(found, choice)
        assert other == choice, f"{group}={choice} and {group}={other} do not do the same"
    assert len(known) > 1


def _changed(value: object) -> object:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return "another" if value is None or isinstance(value, str) else [*value, 1]


SCIENTIFIC = [
    *(lip.FitSettings, lip.Multi, PrunerSettings, RecoverySettings, GanSettings, ClassifySettings),
    *(lip.Hourglass, lip.DeepDecoder, lip.Metric),
    *(lip.physics.Denoise, lip.physics.Inpaint, lip.physics.SuperResolution, lip.physics.CompressiveSensing),
    *(lip.Magnitude, lip.Random, lip.Snip, lip.Grasp, lip.SynFlow, lip.Oes),
]


@pytest.mark.parametrize("kind", SCIENTIFIC, ids=lambda kind: kind.__name__)
def test_every_setting_that_is_changed_is_in_the_name(kind):
    usual = defaults(kind)
    for setting, value in usual.items():
        other = _changed(value)
        assert unusual(kind, {**usual, setting: other}, "node") == {f"node.{setting}": other}
    assert unusual(kind, usual, "node") == {}


@pytest.mark.parametrize(
    "change",
    [
        *("fit.steps=9", "fit.lr=0.02", "fit.reg_noise_std=0.01", "fit.ema=0.9", "fit.record_every=7"),
        *("fit.code=resampled", "fit.stop_rule=emv", "fit.stop_window=9", "fit.stop_patience=9", "fit.stop_early=true"),
        *("fit.weight_decay=1", "fit.weight_noise=1", "fit.burn_in=2", "fit.thin=9", "task.score.answer=output"),
        *("task.score.metric.channels=y", "task.score.metric.crop=2", "task.sigma=9", "task.clip=false", "task.seed=3"),
        *("pruner.rounds=2", "pruner.rate=0.3", "pruner.sparsity=0.5", "pruner.scope=inner", "pruner.rewind=3"),
        *("pruner.empty_layers=allow", "pruner.stop=2", "pruner.init=reinit", "pruner.target=clean"),
        *("pruner.listed_twice=true", "pruner.input_convs_stay_dense=true", "pruner.when=initialisation"),
        *("model.channels=5", "model.scales=3", "model.skip_channels=3", "model.code_channels=9"),
        *("image.content=noisy", "image.clean=false", "image=coffee", "seed=2"),
    ],
)
def test_every_setting_of_a_run_is_in_its_name(change, usual_name):
    assert name(*TINY, change) != usual_name


@pytest.fixture(scope="module")
def usual_name() -> str:
    return name(*TINY)


def table() -> dict[str, dict[str, object]]:
    """The defaults of everything that has a part in a name."""
    return {kind.__name__: canonical(defaults(kind)) for kind in SCIENTIFIC}


def test_defaults_do_not_change_while_the_format_of_runs_is_the_same():
    """A name holds what is not the default: with other defaults it would stand for other numbers."""
    frozen = json.loads((DATA / f"defaults_format_{RUN_FORMAT}.json").read_text())
    now = table()
    for kind, settings in frozen.items():
        own = {setting: now.get(kind, {}).get(setting, "it is gone") for setting in settings}
        assert own == settings, f"raise RUN_FORMAT: a default of {kind} is another, or gone"
