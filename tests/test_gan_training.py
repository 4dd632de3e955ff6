"""Training a GAN: growth, what a round resets, and going on after a kill."""

import io

import lightning as L
import pytest
import torch
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.fit.autosave import Stopped
from lipdip.fit.execute import execute
from lipdip.generators import load_discriminator, load_generator
from lipdip.runs.directory import RunDirectory
from lipdip.tasks.generation.gan_settings import GanSettings


def _settings(clothes, *more: str) -> list[str]:
    small = ("model.channels=[6,5,4]", "model.latent=5", "fit.batch=4", "fit.judging_steps=3", "fit.judged=3")
    return ["task=gan_train", f"dataset.path={clothes}", *small, "fit.steps=12", "fit.grow=4", "trainer=cpu", *more]


def _train(experiment, directory, *extra):
    with RunDirectory(directory) as held:
        return execute(experiment, held, Console(file=io.StringIO()), callbacks=list(extra))


def test_stages_grow_and_fade_in():
    settings = GanSettings(steps=30, grow=10, fade=0.5)
    stages = [settings.stage(step, 3) for step in range(30)]
    assert [stages[step] for step in (0, 9, 10, 12, 15, 19, 20, 25, 29)] == [
        *((1, 1.0), (1, 1.0), (2, 0.0), (2, 0.4), (2, 1.0), (2, 1.0), (3, 0.0), (3, 1.0), (3, 1.0)),
    ]
    assert GanSettings(steps=5).stage(0, 3) == (3, 1.0)


def test_a_stage_is_a_smaller_network_with_the_same_parameters(clothes):
    training = assemble(compose(*_settings(clothes))).module
    small = training._stage("network", 2, 0.5)
    full = dict(training.network.named_parameters())
    assert small.size == 8 and all(parameter is full[name] for name, parameter in small.named_parameters())
    critic = training._stage("discriminator", 1, 1.0)
    assert critic(torch.rand(2, 1, 4, 4)).shape == (2, 1)


def test_a_run_leaves_networks_that_load_and_samples(clothes, tmp_path):
    experiment = assemble(compose(*_settings(clothes)))
    (row,) = _train(experiment, tmp_path / "run").rounds
    stored = load_generator(tmp_path / "run/generator.safetensors")
    assert stored.generator.size == 16 and stored.notes["steps"] == 12
    assert load_discriminator(tmp_path / "run/discriminator.safetensors").size == 16
    assert row.reconstruction_error > 0
    images = {path.stem for path in (tmp_path / "run/images").iterdir()}
    kept = {f"{name}_{kind}" for name in ("samples", "reconstructed") for kind in ("dense", "last")}
    assert images == kept | {"held_out", "samples_00"}


class Watch(L.Callback):
    def __init__(self):
        self.starts = {}

    def on_train_batch_start(self, trainer, fitting, *_):
        if fitting.steps == 0:
            parts = (fitting.network, fitting.discriminator, fitting.average)
            self.starts[fitting.round] = [{n: v.clone() for n, v in part.state_dict().items()} for part in parts]

    def on_train_batch_end(self, trainer, fitting, *_):
        for network in (fitting.network, fitting.average):
            weights = dict(network.named_parameters())
            assert all((weights[name][~kept] == 0).all() for name, kept in fitting.mask.items())
        self.mask = fitting.mask


def test_a_round_resets_both_networks_and_prunes_the_generator_alone(clothes, tmp_path):
    experiment, watch = (
        assemble(compose(*_settings(clothes, "pruner=imp", "pruner.rounds=1", "fit.grow=null"))),
        Watch(),
    )
    _train(experiment, tmp_path / "run", watch)
    (first, critic, average), (second, critic_again, average_again) = watch.starts[0], watch.starts[1]
    for name in first:
        kept = watch.mask.get(name, 1)
        assert torch.equal(second[name], first[name] * kept), name
        assert name in watch.mask or torch.equal(average_again[name], average[name])
    assert all(torch.equal(critic[name], critic_again[name]) for name in critic)


class Stop(L.Callback):
    """Stops the run after some steps, its state saved."""

    def __init__(self, at: int):
        self.at = at

    def on_train_batch_end(self, trainer, fitting, *_):
        if fitting.round * 100 + fitting.steps == self.at:
            trainer.callbacks[-1]._signal = 15


@pytest.mark.parametrize("at", [3, 9, 105])
def test_stopped_and_gone_on_it_ends_the_same(clothes, tmp_path, at):
    words = _settings(clothes, "pruner=random", "pruner.rounds=1")
    _train(assemble(compose(*words)), tmp_path / "whole")
    with pytest.raises(Stopped):
        _train(assemble(compose(*words)), tmp_path / "stopped", Stop(at))
    _train(assemble(compose(*words)), tmp_path / "stopped")
    for name in ("generator.safetensors", "discriminator.safetensors", "curves.csv", "tickets/round_01.safetensors"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "stopped" / name).read_bytes(), name
    for name in ("samples_last", "reconstructed_last"):
        one, other = (tmp_path / run / f"images/{name}.png" for run in ("whole", "stopped"))
        assert one.read_bytes() == other.read_bytes()


def test_a_grey_generator_sees_the_mean_of_colours_and_grey_data_as_they_are(clothes):
    training = assemble(compose(*_settings(clothes))).module
    colours = torch.rand(2, 3, 4, 4)
    torch.testing.assert_close(training._shown(colours), colours.mean(1, keepdim=True) * 2 - 1)
    grey = torch.rand(2, 1, 4, 4).expand(-1, 3, -1, -1)
    assert torch.equal(training._shown(grey), grey[:, :1] * 2 - 1)
