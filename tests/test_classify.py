"""The hourglass as a classifier: its network, its schedule, its rounds."""

import io
from pathlib import Path

import lightning as L
import pytest
import torch
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.cli.run_command import run
from lipdip.core.seeds import default_generator_seeded
from lipdip.fit.execute import execute
from lipdip.networks import Classifier, Hourglass
from lipdip.pruning.schedule import ladder
from lipdip.runs.directory import RunDirectory
from lipdip.tasks import read_rounds
from lipdip.tasks.classification.classify_settings import ClassifySettings
from lipdip.tickets.scope import prunable

LEARN = ("task=classify", "model.channels=4", "model.scales=2", "dataset.size=8", "fit.epochs=2", "pruner.rounds=2")
WEIGHTS = 1176  # of the convolutions of a classifier of 4 channels and 2 scales


def _done(tmp_path: Path, *overrides: str) -> Path:
    return run(compose(*LEARN, f"paths.output_dir={tmp_path}", *overrides), Console(file=io.StringIO()))


def test_its_body_is_the_hourglasss_own():
    with default_generator_seeded(3, "init"):
        prior = Hourglass(3, channels=6, scales=2, code_channels=3).state_dict()
    with default_generator_seeded(3, "init"):
        classifier = Classifier(10, channels=6, scales=2)
    state = classifier.state_dict()
    assert set(state) - set(prior) == {"linear.weight", "linear.bias"}
    assert all(torch.equal(state[name], prior[name]) for name in state if name.startswith("body."))
    assert classifier(torch.rand(5, 3, 9, 12)).shape == (5, 10)


def test_the_papers_schedule():
    settings = ClassifySettings(**{**_fit("protocol=paper"), "sigmoid": False})
    assert (settings.epochs, settings.batch, settings.momentum, settings.weight_decay) == (182, 256, 0.9, 2e-4)
    rates = [settings.lr_in(epoch) for epoch in range(182)]
    assert rates[0] == rates[90] == 0.01
    assert rates[91] == pytest.approx(1e-3) and rates[135] == pytest.approx(1e-3) and rates[136] == pytest.approx(1e-4)
    assert compose("task=classify", "protocol=paper").dataset.size == 50


def _fit(*overrides: str) -> dict:
    fit = compose("task=classify", *overrides).fit
    return {str(name): value for name, value in fit.items() if name != "_target_"}


def test_a_run_prunes_as_ever_and_reports_accuracy(tmp_path):
    directory = _done(tmp_path)
    rounds = read_rounds(directory)
    assert [row.kept_weights for row in rounds] == ladder(WEIGHTS, 0.2, 2)
    assert all(0 <= row.accuracy <= row.accuracy_best <= 1 for row in rounds)
    assert rounds[0].matching and rounds[1].matching == (rounds[1].accuracy >= rounds[0].accuracy)
    curve = (directory / "curves.csv").read_text().splitlines()
    assert curve[0] == "round,epoch,loss,accuracy" and len(curve) == 1 + 3 * 2
    assert not (directory / "images").exists() and (directory / "rounds.png").exists()


class Watch(L.Callback):
    def __init__(self):
        self.starts, self.ends = {}, {}

    def on_train_batch_start(self, trainer, fitting, *_):
        if fitting.steps == 0:
            self.starts[fitting.round] = {name: w.detach().clone() for name, w in fitting.network.state_dict().items()}

    def on_train_batch_end(self, trainer, fitting, *_):
        assert all((w[~fitting.mask[name]] == 0).all() for name, w in prunable(fitting.network).items())
        self.ends[fitting.round] = {name: w.detach().clone() for name, w in fitting.network.state_dict().items()}
        self.mask = fitting.mask


def _watched(tmp_path, *overrides: str) -> Watch:
    experiment, watch = assemble(compose(*LEARN, "pruner.rounds=1", "fit.epochs=1", *overrides)), Watch()
    with RunDirectory(tmp_path / "run") as directory:
        execute(experiment, directory, Console(file=io.StringIO()), callbacks=[watch])
    return watch


def test_it_rewinds_and_the_public_scripts_never_do(tmp_path):
    watch = _watched(tmp_path / "fair")
    legacy = _watched(tmp_path / "legacy", "pruner.rewind=never")
    for name in prunable(assemble(compose(*LEARN)).module.network):
        assert torch.equal(watch.starts[1][name], watch.starts[0][name] * watch.mask[name])
        assert torch.equal(legacy.starts[1][name], legacy.ends[0][name] * legacy.mask[name])


def test_legacy_has_the_public_scripts_two_quirks():
    legacy, fair = compose("task=classify", "protocol=legacy"), compose("task=classify", "protocol=paper")
    assert (legacy.pruner.rewind, legacy.task.sigmoid) == ("never", True)
    assert (fair.pruner.rewind, fair.task.sigmoid) == (0, False)
    assert compose("protocol=legacy").pruner.rewind == 0, "restoration rewinds in the public scripts too"


@pytest.mark.parametrize("sigmoid", [True, False])
def test_the_loss_is_of_logits_or_where_asked_of_their_sigmoids(sigmoid):
    (term,) = assemble(compose(*LEARN, f"task.sigmoid={sigmoid}".lower())).module.loss_terms()
    sure = torch.full((len(term.code), 10), 50.0)  # of every class alike
    sure[:, 0] = 60.0
    gaps = term.loss(sure).item(), torch.log(torch.tensor(10.0)).item()
    assert (gaps[0] == pytest.approx(gaps[1], abs=1e-4)) is sigmoid, "sigmoids of large logits are all 1"


@pytest.mark.parametrize("protocol", ["quick", "paper", "legacy"])
def test_every_protocol_has_it(protocol):
    experiment = assemble(compose(*LEARN, f"protocol={protocol}"))
    assert experiment.module.settings.sigmoid == (protocol == "legacy")
    assert experiment.prune.rewind == ("never" if protocol == "legacy" else 0)


def test_it_learns(tmp_path):
    (row,) = read_rounds(_done(tmp_path, "pruner=none", "fit.epochs=6", "model.channels=12", "dataset.size=12"))
    assert row.accuracy > 0.7


@pytest.mark.parametrize("pruner", ["random", "magnitude", "snip", "grasp", "synflow"])
def test_every_pruner_works_there(tmp_path, pruner):
    settings = (f"pruner={pruner}", "pruner.rounds=1", "fit.epochs=1", "pruner.empty_layers=keep_one")
    assert read_rounds(_done(tmp_path, *settings))[1].kept_weights == ladder(WEIGHTS, 0.2, 1)[1]
