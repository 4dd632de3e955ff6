"""Sweeps with Ray and with a real Slurm of one machine: what is lost, requeued, cancelled, and told meanwhile."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lipdip.cli.sweeps.sweep_cell import RUNNING

from .conftest import TINY
from .test_resume import _files

pytestmark = pytest.mark.launchers

CLUSTER = Path(__file__).parent / "slurm" / "cluster.sh"
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
SLURM = ("hydra/launcher=slurm", "hydra.launcher.gpus_per_node=null", "hydra.launcher.cpus_per_task=1")
SLURM += ("hydra.launcher.mem_gb=1", "hydra.launcher.array_parallelism=1")
LONG = ("fit.steps=1000", "pruner.rounds=1", "trainer.save_seconds=0.2")
RAY = ("hydra/launcher=ray", "hydra.launcher.ray.init.address=local", "+hydra.launcher.ray.init.num_cpus=2")
RAY += ("+hydra.launcher.ray.remote.num_cpus=1",)


def _command(output: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "lipdip.run", *words, f"paths.output_dir={output}"]


def _start(output: Path, *words: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(_command(output, "-m", *TINY, *words), stdout=pipe, stderr=pipe, text=True, env=ENVIRONMENT)


def _summaries(output: Path) -> list[Path]:
    return list(output.glob("runs/*/summary.json"))


def _until(output: Path, file: str, started: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 300
    while not list(output.glob(file)):
        assert started.poll() is None, started.communicate()
        assert time.monotonic() < deadline, f"there is no {file}"
        time.sleep(0.05)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Ray keeps a token at home."""
    if importlib.util.find_spec("hydra_plugins.hydra_ray_launcher") is None:
        pytest.skip('Ray is not installed: pip install "lipdip[ray]"')
    monkeypatch.setitem(ENVIRONMENT, "HOME", str(tmp_path))


@pytest.fixture(scope="module")
def slurm(tmp_path_factory) -> Iterator[None]:
    if importlib.util.find_spec("hydra_plugins.hydra_submitit_launcher") is None:
        pytest.skip('submitit is not installed: pip install "lipdip[slurm]"')
    folder = tmp_path_factory.mktemp("slurm")
    started = subprocess.run([CLUSTER, "start", folder], stderr=subprocess.PIPE, text=True)
    if started.returncode == 77:
        pytest.skip(started.stderr.strip())
    assert started.returncode == 0, started.stderr
    ENVIRONMENT.update(SLURM_CONF=f"{folder}/slurm.conf", PATH=f"{folder}/bin:{ENVIRONMENT['PATH']}")
    yield
    subprocess.run([CLUSTER, "stop", folder], check=True)


def _slurm(*words: str) -> str:
    return subprocess.run(words, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout


def _running() -> str:
    """The job that runs in the partition for sweeps."""
    (job,) = _slurm("squeue", "--noheader", "--partition=low", "--states=RUNNING", "--format=%i").split()
    return job


def test_ray_does_the_others_and_tells_the_failed_one(tmp_path, home):
    started = _start(tmp_path, "fit.lr=0.01,1e12,0.02", *RAY)
    out, errors = started.communicate(timeout=300)
    assert started.returncode == 2 and len(_summaries(tmp_path)) == 2, errors
    assert "2 of 3 done, 1 failed" in out and "FAILED fit.lr=1000000000000.0: the fit diverged" in out


def test_what_ray_gives_up_is_done_here(tmp_path, home):
    words = ("seed=0,1", *LONG, *RAY, "+hydra.launcher.ray.remote.max_retries=0")
    started = _start(tmp_path, *words)
    _until(tmp_path, "runs/*/checkpoint.pt", started)
    cells = [json.loads(file.read_text()) for file in tmp_path.glob("sweeps/*/*/cells/*.json")]
    os.kill(next(cell["pid"] for cell in cells if cell["status"] == RUNNING), signal.SIGKILL)
    out, errors = started.communicate(timeout=300)
    assert started.returncode == 0 and "2 of 2 done" in out, errors
    assert "the launcher gave up (WorkerCrashedError" in errors and "Traceback" not in errors


def test_a_launcher_that_cannot_begin_does_nothing_here(tmp_path, home):
    started = _start(tmp_path, "seed=0,1", *RAY, "+hydra.launcher.ray.init.num_cups=2")
    out, errors = started.communicate(timeout=300)
    assert started.returncode == 2 and "0 of 2 done, 2 waiting" in out and not _summaries(tmp_path)
    assert "the launcher gave up (" in errors and "nothing is under way" in errors and "Traceback" not in errors


def test_a_slurm_sweep_is_told_of_as_it_goes(tmp_path, slurm):
    started = _start(tmp_path, "seed=range(0,3)", *SLURM)
    assert started.stdout is not None
    assert started.stdout.readline().startswith("3 runs; "), started.communicate()
    first = started.stdout.readline()
    assert "1 of 3  seed=0: done in " in first, started.communicate()
    assert started.poll() is None, "two jobs are still to come"
    out, errors = started.communicate(timeout=300)
    assert started.returncode == 0 and "3 of 3 done" in out and len(_summaries(tmp_path)) == 3, errors


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory) -> dict[str, bytes]:
    output = tmp_path_factory.mktemp("uninterrupted")
    subprocess.run(_command(output, *TINY, *LONG), env=ENVIRONMENT, check=True, capture_output=True)
    return _files(output)


@pytest.mark.parametrize(
    "interruption",
    [
        pytest.param("scontrol requeue {}", id="requeued"),
        pytest.param("sbatch --partition=high --exclusive --output=/dev/null --wrap=true", id="preempted"),
        pytest.param("scancel --signal=USR2 {}", id="out of time"),
    ],
)
def test_a_slurm_job_goes_on_where_it_was_and_ends_the_same(tmp_path, slurm, uninterrupted, interruption):
    started = _start(tmp_path, "seed=0", *LONG, *SLURM, "hydra.launcher.timeout_min=5")
    _until(tmp_path, "runs/*/checkpoint.pt", started)
    job = _running()
    _slurm(*interruption.format(job).split())
    deadline = time.monotonic() + 300
    while (
        started.poll() is None and time.monotonic() < deadline
    ):  # by itself Slurm lets a requeued job wait for two minutes
        subprocess.run(["scontrol", "update", f"JobId={job}", "StartTime=now"], env=ENVIRONMENT, capture_output=True)
        time.sleep(1)
    out, errors = started.communicate(timeout=60)
    assert started.returncode == 0 and "1 of 1 done" in out, errors
    (log,) = tmp_path.glob("sweeps/*/*/logs/*.txt")
    assert "going on in" in log.read_text() and _files(tmp_path) == uninterrupted


def test_a_cancelled_slurm_job_is_not_done_where_the_sweep_was_started(tmp_path, slurm):
    started = _start(tmp_path, "seed=0,1", *LONG, *SLURM)
    _until(tmp_path, "runs/*/checkpoint.pt", started)
    _slurm("scancel", _running())
    out, errors = started.communicate(timeout=300)
    assert started.returncode == 2 and "give the same command" in out and "Traceback" not in errors, errors
    assert "the launcher gave up (UncompletedJobError" in errors and "what is queued goes on" in errors
    deadline = time.monotonic() + 300
    while _slurm("squeue", "--noheader"):
        assert time.monotonic() < deadline, "the other job does not end"
        time.sleep(0.5)
    assert len(_summaries(tmp_path)) == 1, "the other job was left in the queue, and did its run"
