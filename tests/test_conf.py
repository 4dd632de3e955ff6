"""Every YAML of every group is held to its group's contract; a new one is tested by being there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from lipdip.cli.compose import compose, config_dir
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.cli.run_command import plain
from lipdip.core.metrics import Metric
from lipdip.fit.hardware import Hardware
from lipdip.tasks import read_rounds
from lipdip.tasks.configuration import build
from lipdip.tickets.scope import prunable

from .conftest import TINY

CONF = config_dir()
GROUPS = {
    path.name: sorted(str(f.relative_to(path).with_suffix("")) for f in path.rglob("*.yaml"))
    for path in CONF.iterdir()
    if path.is_dir()
}


def each(group: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(group, GROUPS[group])


RESTORE = pytest.mark.parametrize("task", [task for task in GROUPS["task"] if task not in ("classify", "gan_train")])
PRIORS = pytest.mark.parametrize("model", [model for model in GROUPS["model"] if model != "pggan"])  # untrained ones
SETS = ("set5", "set12", "set14")  # of pictures below paths.data_dir


def test_the_public_groups_are_there():
    expected = {
        "task": {"denoise", "inpaint", "super_resolution"},
        "pruner": {"imp", "none"},
        "model": {"hourglass", "deep_decoder"},
        "image": {"astronaut", "camera", "coffee", "chelsea", "file", "set5/baby"},
        "protocol": {"quick", "paper"},
        "trainer": {"auto", "cpu", "gpu"},
        "logger": {"csv", "wandb", "tensorboard"},
    }
    for group, members in expected.items():
        assert members <= set(GROUPS[group])


@PRIORS
def test_a_model_makes_pictures_from_codes(model):
    network = build(plain(compose(f"model={model}", "model.channels=4", "model.scales=2")), "model", out_channels=1)
    picture = network(torch.rand(1, *network.code_shape(32, 64)))
    assert picture.shape == (1, 1, 32, 64) and 0 <= picture.min() <= picture.max() <= 1
    torch.testing.assert_close(
        torch.sigmoid(network.logits(torch.ones(1, *network.code_shape(32, 64)))).shape, picture.shape
    )
    assert prunable(network)


@RESTORE
def test_a_task_knows_its_physics_its_score_and_the_papers_setting(task):
    config = plain(compose(f"task={task}"))
    node = config["task"]
    assert node["name"] == task
    assert node["score"]["answer"] in ("average", "output")
    assert isinstance(build(config, "task.score.metric"), Metric)
    assert set(node["published"]) == {"steps", "rounds", "reg_noise_std", "deep_decoder_channels"}


@pytest.mark.parametrize("image", [name for name in GROUPS["image"] if name not in (*SETS, "clothes", "clothes16")])
def test_an_image_is_one_source_and_says_so_when_it_is_not_there(image):
    config = plain(compose(f"image={image}", "paths.data_dir=/nowhere"))
    ((name, source),) = config["image"]["pictures"].items()
    if "path" not in source:
        assert build(config, f"image.pictures.{name}").pixels.shape[0] in (1, 3)
    elif image not in ("file", "folder"):
        assert source["path"].lower().startswith("/nowhere/" + image.rsplit("/", 1)[0])


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_all_of_its_pictures(name):
    pictures = compose(f"image={name}").image.pictures
    assert len(pictures) == int(name.removeprefix("set"))
    members = {member.partition("/")[2] for member in GROUPS["image"] if member.startswith(f"{name}/")}
    assert {Path(picture.path).stem for picture in pictures.values()} == members


@each("protocol")
@RESTORE
@PRIORS
def test_a_protocol_settles_every_value(protocol, task, model):
    cfg = compose(f"protocol={protocol}", f"task={task}", f"model={model}")
    assert cfg.fit.steps > 0 and cfg.pruner.rounds > 0 and cfg.model.channels > 0


@pytest.mark.parametrize(
    ("task", "steps", "rounds", "std", "decoder"),
    [
        ("denoise", 3000, 16, 1 / 30, 100_224),
        ("inpaint", 3000, 16, 0.03, 619_200),
        ("super_resolution", 2000, 25, 0.03, 100_224),
    ],
)
def test_the_paper_to_the_letter(task, steps, rounds, std, decoder):
    experiment = assemble(compose("protocol=paper", f"task={task}", "image.size=64"))
    module, settings = experiment.module, experiment.module.settings
    assert sum(p.numel() for p in module.network.parameters()) == 2_217_831
    assert settings.steps == steps and len(experiment.kept) == rounds + 1
    assert settings.reg_noise_std == pytest.approx(std)
    assert (settings.lr, settings.ema) == (0.01, 0.99)
    assert settings.answer == ("average" if task == "denoise" else "output")
    assert str(module.metric) == ("Y (studio range), 4 pixels cropped" if task == "super_resolution" else "RGB")
    (code,) = module.codes
    assert code.shape == (1, 32, 64, 64) and 0 <= code.min() <= code.max() <= 0.1
    under = assemble(compose("protocol=paper", f"task={task}", "image.size=64", "model=deep_decoder"))
    assert sum(p.numel() for p in under.module.network.parameters()) == decoder
    assert compose("protocol=paper", f"task={task}").protocol.image_size is None


@pytest.mark.parametrize("trainer", ["auto", "cpu"])
def test_a_trainer_is_hardware(trainer):
    hardware = build(plain(compose(f"trainer={trainer}")), "trainer")
    assert isinstance(hardware, Hardware)
    if trainer == "cpu" or not torch.cuda.is_available():
        assert hardware.device == "cpu" and not (hardware.bf16 or hardware.compile or hardware.fused)


def test_the_gpu_trainer_turns_every_switch_on():
    node = yaml.safe_load(Path(CONF, "trainer", "gpu.yaml").read_text())
    assert (node["device"], node["bf16"], node["channels_last"], node["fused"], node["compile"]) == (
        "cuda",
        *[True] * 4,
    )


def test_tensorboard_gets_the_rounds(tiny, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run, _ = tiny("logger=tensorboard")
    events = EventAccumulator(str(tmp_path / "tensorboard" / run.name)).Reload()
    logged = [event.value for event in events.Scalars("round/psnr_best")]
    assert logged == pytest.approx([row.psnr_best for row in read_rounds(run)], rel=1e-4)


def test_wandb_runs_offline_where_nobody_is_logged_in(tmp_path):
    settings = [*TINY, "logger=wandb", "pruner.rounds=1", f"paths.output_dir={tmp_path}"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    done = subprocess.run(
        [sys.executable, "-m", "lipdip.run", *settings],
        capture_output=True,
        text=True,
        timeout=120,
        env={**clean, "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert "W&B: nobody is logged in" in done.stdout and "Traceback" not in done.stderr
    (run,) = (path for path in (tmp_path / "runs").iterdir() if not path.name.startswith("."))
    assert list((tmp_path / "wandb").glob(f"offline-run-*{run.name}"))
