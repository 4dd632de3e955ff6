"""Killed at any moment, the same command goes on and ends as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SMALL = ("model.channels=4", "model.scales=2", "trainer=cpu", "trainer.save_seconds=0")
SETTINGS = (
    *("image.size=32", *SMALL, "fit.steps=120", "pruner.rounds=3"),
    # so that every stream and buffer there is has something to lose
    *("pruner.rewind=0.1", "fit.code=resampled", "fit.weight_noise=0.001", "fit.stop_window=10"),
)
GAN = ("model.path=embedded", "trainer=cpu", "trainer.save_seconds=0")
OTHERS = {
    "several pictures": (*SETTINGS, "image=[astronaut,coffee]", "multi.head=per_image", "pruner.rounds=2"),
    "classification": (*SMALL, "task=classify", "dataset.size=8", "fit.epochs=3", "pruner.rounds=2"),
}


def _start(output: Path, settings: tuple[str, ...] = SETTINGS) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lipdip.run", *settings, f"paths.output_dir={output}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def _files(output: Path) -> dict[str, bytes]:
    """Every file of the one run, times aside."""
    (run,) = (path for path in (output / "runs").iterdir() if not path.name.startswith("."))
    files = {str(path.relative_to(run)): path.read_bytes() for path in run.rglob("*") if path.is_file()}
    for file in ("config.yaml", "overrides.yaml"):  # hold the output directory
        del files[file]
    column = files["rounds.csv"].decode().splitlines()[0].split(",").index("seconds")
    rows = [line.split(",") for line in files["rounds.csv"].decode().splitlines()]
    files["rounds.csv"] = repr([row[:column] + row[column + 1 :] for row in rows]).encode()
    times = ("seconds", "sha256", "checksum")  # and digests of what holds times
    summary = json.loads(files["summary.json"], object_hook=lambda d: {k: d[k] for k in d if k not in times})
    files["summary.json"] = json.dumps(summary).encode()
    return files


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> dict[str, bytes]:
    output = tmp_path_factory.mktemp("uninterrupted")
    process = _start(output)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0 and errors == ""
    return _files(output)


def _await_round(output: Path, number: int, process: subprocess.Popen[str]) -> None:
    """Until round ``number`` is recorded and the one after it is under way."""
    _await(output, f"tickets/round_{number:02d}.safetensors", process)


def _await(output: Path, file: str, process: subprocess.Popen[str]) -> None:
    """Until the one run has a file, and a little longer."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if list(output.glob(f"runs/*/{file}")):
            time.sleep(0.1)
            return
        time.sleep(0.01)
    raise AssertionError("the run ended before it could be interrupted")


def test_killed_again_and_again_it_ends_the_same(uninterrupted, tmp_path):
    for number in (0, 1):
        process = _start(tmp_path)
        _await_round(tmp_path, number, process)
        process.kill()
        process.communicate()
        assert not list(tmp_path.glob("runs/*/summary.json"))
    process = _start(tmp_path)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0 and errors == ""
    assert "going on in" in out
    assert _files(tmp_path) == uninterrupted


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_saves_says_how_to_go_on_and_ends_the_same(uninterrupted, tmp_path, signum):
    process = _start(tmp_path)
    _await_round(tmp_path, 1, process)
    process.send_signal(signum)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signum
    assert errors.count("\n") == 1 and f"stopped by {signum.name} in round" in errors
    assert "everything is saved. To go on, give the same command: python -m lipdip.run image.size=32" in errors
    process = _start(tmp_path)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert _files(tmp_path) == uninterrupted


def _killed_it_ends_the_same(output: Path, settings: tuple[str, ...], file: str) -> dict[str, bytes]:
    """Does a run, and again killed when ``file`` is there; gives the files of both, which are the same."""
    whole = _start(output / "whole", settings)
    _, errors = whole.communicate(timeout=120)
    assert whole.returncode == 0 and errors == ""
    killed = _start(output / "killed", settings)
    _await(output / "killed", file, killed)
    killed.kill()
    killed.communicate()
    assert not list(output.glob("killed/runs/*/summary.json"))
    out, errors = _start(output / "killed", settings).communicate(timeout=120)
    assert "going on in" in out and errors == ""
    files = _files(output / "killed")
    assert files == _files(output / "whole")
    return files


@pytest.mark.parametrize("kind", OTHERS)
def test_other_kinds_of_runs_killed_in_a_round_end_the_same(tmp_path, kind):
    _killed_it_ends_the_same(tmp_path, OTHERS[kind], "tickets/round_00.safetensors")


@pytest.mark.slow
@pytest.mark.parametrize("task", ["gan_inpaint", "compressive_sensing"])
def test_a_recovery_killed_in_its_round_ends_the_same(tmp_path, task):
    search = ("fit.steps=100", "fit.restarts=2", "fit.objective=median_of_means", "fit.record_every=10")
    settings = (f"task={task}", "image=[clothes/00,clothes/01]", "fit.baseline=lasso", *search, *GAN)
    files = _killed_it_ends_the_same(tmp_path, settings, "checkpoint.pt")
    assert {"comparison.png", "pictures.csv", "images/clothes01/lasso.png"} <= files.keys()


@pytest.mark.slow
@pytest.mark.parametrize("file", ["checkpoint.pt", "tickets/round_00.safetensors"])
def test_fine_tuning_killed_in_a_round_ends_the_same(clothes, tmp_path, file):
    small = ("fit.steps=40", "fit.batch=4", "fit.judging_steps=3", "fit.judged=3", "pruner=imp", "pruner.rounds=2")
    settings = ("task=gan_train", "fit=finetune", f"dataset.path={clothes}", *small, *GAN)
    files = _killed_it_ends_the_same(tmp_path, settings, file)
    assert {"generator.safetensors", "generators/round_02.safetensors", "images/samples_02.png"} <= files.keys()
