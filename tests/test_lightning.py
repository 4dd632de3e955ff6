"""The contract with Lightning: a Trainer's arguments, callbacks and loggers do what its documentation says."""

import copy
import csv
import io
import re
from pathlib import Path

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping, LearningRateMonitor, ModelCheckpoint, Timer
from lightning.pytorch.loggers import CSVLogger
from rich.console import Console

import lipdip as lip
from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of, run
from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded
from lipdip.fit.autosave import Stopped
from lipdip.runs.reading import read_summary
from lipdip.tasks import read_rounds

from .conftest import TINY

pytestmark = [  # of Lightning's own
    pytest.mark.filterwarnings("ignore:.*isinstance.treespec"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory"),
    pytest.mark.filterwarnings("ignore:.*callbacks used to create the checkpoint"),
    pytest.mark.filterwarnings("ignore:.*your dataloader is not resumable"),
    pytest.mark.filterwarnings("ignore:Using ModelCheckpoint with manual optimization"),
]
STEPS = 6
QUIET = {
    **{"accelerator": "cpu", "logger": False, "enable_checkpointing": False},
    **{"enable_progress_bar": False, "enable_model_summary": False},
}


def prior(steps: int = STEPS, clean: bool = True, **more) -> lip.PriorFitting:
    """A tiny network and a noisy picture."""
    x = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(1))
    physics = lip.physics.Denoise((1, 32, 32))
    problem = lip.Problem.measured(x[0], physics) if clean else lip.Problem(x, physics)
    with default_generator_seeded(0, "init"):
        network = lip.Hourglass(1, channels=4, scales=2)
    return lip.PriorFitting(network, [problem], steps=steps, reg_noise_std=0.03, record_every=2, **more)


def fit(module: L.LightningModule, *callbacks: L.Callback, checkpoint=None, **arguments) -> L.Trainer:
    trainer = L.Trainer(**{**QUIET, "max_epochs": 1, "log_every_n_steps": 1, **arguments}, callbacks=list(callbacks))
    trainer.fit(module, ckpt_path=checkpoint, weights_only=True)
    return trainer


def same(one: lip.PriorFitting, other: lip.PriorFitting) -> bool:
    """Whether two fits ended with the same numbers, bit for bit."""
    states = zip(one.network.state_dict().values(), other.network.state_dict().values(), strict=True)
    equal = all(torch.equal(a, b) for a, b in states) and one.mask == other.mask
    return equal and torch.equal(one.x_hat, other.x_hat) and one.points() == other.points()


def test_steps_are_counted_and_scores_are_logged():
    module = prior()
    trainer = fit(module, lip.PruneAndRewind(rate=0.2), max_epochs=3)
    assert trainer.global_step == 3 * STEPS
    logged, row = trainer.callback_metrics, module.finished_row()
    assert logged["loss"].item() == pytest.approx(row.loss)
    assert logged["psnr_best"].item() == pytest.approx(row.psnr_best)
    assert logged["sparsity"].item() == pytest.approx(module.mask.sparsity) == pytest.approx(0.36, abs=1e-2)


def test_without_a_clean_picture_no_psnr_is_logged():
    assert "psnr_best" not in fit(prior(clean=False)).callback_metrics


def test_early_stopping_looks_at_the_loss():
    stopping = EarlyStopping("loss", patience=1, min_delta=10.0, mode="min")
    assert fit(prior(), lip.PruneAndRewind(), stopping, max_epochs=5).current_epoch == 2


@pytest.mark.parametrize("batch", [1, 4])
def test_max_steps_is_exact(batch):
    module = prior(hardware=lip.Hardware("cpu", steps_per_batch=batch))
    trainer = fit(module, lip.PruneAndRewind(), max_steps=5, max_epochs=3)
    assert trainer.global_step == module.steps == 5


def test_limit_train_batches_shortens_every_round_and_warns():
    module = prior()
    with pytest.warns(UserWarning, match="limit_train_batches"):
        trainer = fit(module, lip.PruneAndRewind(), max_epochs=2, limit_train_batches=3)
    assert trainer.global_step == 2 * 3 and module.round == 1
    assert module.steps == 3


def test_mixed_precision_is_for_the_network_alone():
    module, seen = prior(), {}
    convolution = next(part for part in module.network.modules() if isinstance(part, torch.nn.Conv2d))
    convolution.register_forward_hook(lambda part, given, made: seen.setdefault("network", made.dtype) and None)
    physics = module.problems[0].physics
    module.problems[0].physics.A = lambda x: seen.setdefault("physics", x.dtype) and type(physics).A(physics, x)
    fit(module, precision="bf16-mixed")
    assert seen == {"network": torch.bfloat16, "physics": torch.float32}
    assert module.x_hat.dtype == torch.float32


def test_double_precision_is_refused():
    with pytest.raises(UserError, match="precision") as caught:
        fit(prior(), precision="64-true")
    assert "\n" not in str(caught.value)


def test_max_time_ends_a_fit():
    module = prior(steps=10_000)
    trainer = fit(module, max_time={"milliseconds": 1})
    assert 0 < trainer.global_step < 10_000


@pytest.mark.parametrize("step", [STEPS + 2, 2 * STEPS])
def test_a_checkpoint_of_lightnings_goes_on_bit_for_bit(tmp_path, step):
    """In the middle of a round, and at its end."""
    whole, resumed = prior(), prior()
    saving = ModelCheckpoint(tmp_path, "{step}", save_top_k=-1, every_n_train_steps=1)
    fit(whole, lip.PruneAndRewind(), saving, max_epochs=3, enable_checkpointing=True)
    file = tmp_path / f"step={step}.ckpt"
    trainer = fit(resumed, lip.PruneAndRewind(), max_epochs=3, checkpoint=file)
    assert trainer.global_step == 3 * STEPS
    assert same(whole, resumed)


def test_learning_rates_reach_lightnings_csv_logger(tmp_path):
    logger = CSVLogger(tmp_path)
    fit(prior(), LearningRateMonitor("step"), logger=logger)
    rows = list(csv.DictReader(Path(logger.log_dir, "metrics.csv").read_text().splitlines()))
    assert {float(row["lr-Adam"]) for row in rows if row.get("lr-Adam")} == {0.01}
    assert any(row.get("loss") for row in rows)


def test_prune_and_rewind_may_stand_anywhere_among_the_callbacks():
    class Seen(L.Callback):
        """The mask that whoever looks at a round's end and start sees."""

        def __init__(self):
            self.kept = []

        def on_train_epoch_end(self, trainer, fitting):
            self.kept.append(fitting.mask.kept)

    first, last, seen = prior(), prior(), (Seen(), Seen())
    fit(first, lip.PruneAndRewind(), seen[0], max_epochs=3)
    fit(last, seen[1], lip.PruneAndRewind(), max_epochs=3)
    assert seen[0].kept == seen[1].kept and len(set(seen[0].kept)) == 3
    assert same(first, last)


def test_a_second_fit_of_the_same_module_begins_anew():
    module = prior()
    fit(module, lip.PruneAndRewind(), max_epochs=2)
    before = copy.deepcopy({"mask": module.mask, "x": module.x_hat, "points": module.points()})
    fit(module, lip.PruneAndRewind(), max_epochs=2)
    assert module.mask == before["mask"] and torch.equal(module.x_hat, before["x"])
    assert module.points() == before["points"]


def test_no_file_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fit(prior(), lip.PruneAndRewind(), max_epochs=2)
    assert list(tmp_path.iterdir()) == []


def test_epochs_without_pruning_go_on_from_each_other():
    module = prior()
    trainer = fit(module, max_epochs=3)
    assert trainer.global_step == 3 * STEPS and module.mask.sparsity == 0
    once = prior()
    fit(once)
    assert module.finished_row().loss < once.finished_row().loss


# From the command line

MONITOR = "lightning.pytorch.callbacks"


@pytest.fixture
def command(tmp_path):
    def do(*words: str, where: str = "out"):
        settings = ("pruner.rounds=1", "trainer=cpu", *words, f"paths.output_dir={tmp_path / where}")
        return run(compose(*TINY, *settings), Console(file=io.StringIO()))

    return do


def test_own_callbacks_and_loggers_by_their_class(command, tmp_path):
    monitor = f"+callbacks.lr._target_={MONITOR}.LearningRateMonitor"
    logger = ("+logger.mine._target_=lightning.pytorch.loggers.CSVLogger", f"+logger.mine.save_dir={tmp_path / 'own'}")
    command(monitor, "+callbacks.lr.logging_interval=step", *logger)
    (file,) = (tmp_path / "own").rglob("metrics.csv")
    assert "lr-Adam" in file.read_text().splitlines()[0]


def test_callbacks_are_part_of_a_runs_name_and_loggers_are_not():
    plain = experiment_of(compose(*TINY)).name
    stopping = (f"+callbacks.stop._target_={MONITOR}.EarlyStopping", "+callbacks.stop.monitor=loss")
    names = [experiment_of(compose(*TINY, *stopping, *more)).name for more in ((), ("+callbacks.stop.patience=9",))]
    assert len({plain, *names}) == 3
    logger = "+logger.mine._target_=lightning.pytorch.loggers.CSVLogger"
    assert experiment_of(compose(*TINY, logger, "+logger.mine.save_dir=x")).name == plain


@pytest.mark.parametrize("looks", [12, 17])
def test_max_time_stops_a_run_and_the_same_command_goes_on(command, monkeypatch, looks):
    """After a round's last step, and in the last round."""

    def numbers(directory):
        files = {file.name: file.read_bytes() for file in directory.rglob("*") if file.suffix in (".npy", ".csv")}
        del files["rounds.csv"]  # has times
        return files, [row.loss for row in read_rounds(directory)]

    whole = command(where="whole")
    with monkeypatch.context() as patched:
        seconds = iter([0.0] * looks + [7200.0] * 1000)
        patched.setattr(Timer, "time_elapsed", lambda *_: next(seconds))
        with pytest.raises(Stopped, match="everything is saved"):
            command("+trainer.lightning.max_time=00:01:00:00", where="stopped")
    resumed = command("+trainer.lightning.max_time=00:01:00:00", where="stopped")
    assert resumed.name == whole.name
    assert numbers(resumed) == numbers(whole)


@pytest.mark.parametrize("argument", ["limit_train_batches=3", "max_epochs=2", "accelerator=gpu"])
def test_what_a_run_decides_itself_is_refused_in_one_line(command, argument):
    with pytest.raises(UserError, match=f"trainer.lightning.{argument.partition('=')[0]}") as caught:
        command(f"+trainer.lightning.{argument}")
    assert "\n" not in str(caught.value)


def test_max_steps_stops_a_run_and_without_it_the_run_goes_on(command):
    for _ in range(2):  # asked for again, nothing more is done
        with pytest.raises(Stopped, match="everything is saved"):
            command("+trainer.lightning.max_steps=15")
    assert len(read_rounds(command())) == 2


def test_a_run_that_a_callback_stops_says_so(command):
    stop = ("pruner.rounds=5", f"+callbacks.stop._target_={MONITOR}.EarlyStopping", "+callbacks.stop.monitor=loss")
    directory = command(*stop, "+callbacks.stop.patience=1", "+callbacks.stop.min_delta=9", where="early")
    assert len(read_rounds(directory)) == 2
    assert "callback" in read_summary(directory)["ended"]


def test_one_pruner_serves_networks_of_any_size():
    prune = lip.PruneAndRewind(rounds=2)
    plans = [prune.plan(lip.Mask.dense({"w": torch.ones(size)}), budget=5) for size in (100, 1000)]
    assert plans == [[100, 80, 64], [1000, 800, 640]]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("trainer.lightning.precision=foo",), "trainer.lightning: Precision 'foo' is invalid"),
        (("trainer.lightning.gradient_clip_val=foo",), "trainer.lightning: `gradient_clip_val`"),
        (("trainer.lightning.detect_anomaly=foo",), "detect_anomaly must be true or false"),
        (
            (
                "+callbacks.a._target_=lightning.pytorch.callbacks.EarlyStopping",
                "+callbacks.a.monitor=nosuch",
                "fit.steps=2",
            ),
            "callbacks: Early stopping conditioned on metric `nosuch`",
        ),
    ],
)
def test_what_lightning_refuses_is_one_line(tiny, asked, said):
    with pytest.raises(UserError, match=re.escape(said)):
        tiny(*asked)
