"""Sweeps that do not run to their end as planned: sweepers that search, failures alike, two names of one run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from lipdip.cli.compose import compose
from lipdip.cli.score import check_column, score_of
from lipdip.cli.sweeps.alike import all_failed_alike, with_twins
from lipdip.cli.sweeps.sweep_cell import DONE, FAILED, WAITING, SweepCell
from lipdip.core.errors import UserError
from lipdip.tasks import read_rounds
from lipdip.tasks.restoration import RoundRow

from .conftest import TINY

# A sweeper as others write them: each run is chosen when the ones before have given their scores.
SWEEPER = """
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper

class Climb(Sweeper):
    def setup(self, *, hydra_context, task_function, config):
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments):
        sigma, scores = 25, []
        for number in range(2):
            (done,) = self.launcher.launch([[*arguments, f"task.sigma={sigma}"]], initial_job_idx=number)
            scores.append(done.return_value)
            sigma += 10
        print("scores:", *scores)
"""


def _search(tmp_path: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    (tmp_path / "hydra_plugins").mkdir(exist_ok=True)
    (tmp_path / "hydra_plugins" / "climb.py").write_text(SWEEPER)
    folder = tmp_path / "mine" / "hydra" / "sweeper"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "climb.yaml").write_text(yaml.safe_dump({"_target_": "hydra_plugins.climb.Climb"}))
    command = [sys.executable, "-m", "lipdip.run", "--config-dir", "mine", "hydra/sweeper=climb", "-m", *TINY, *words]
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200, env=environment)


def test_a_sweeper_that_searches_gets_the_scores(tmp_path):
    done = _search(tmp_path, "pruner=none", "score=psnr_ema")
    assert done.returncode == 0, done.stderr
    given = [float(score) for score in done.stdout.split("scores:")[1].split()[:2]]
    runs = [path.parent for path in (tmp_path / "outputs" / "runs").glob("*/summary.json")]
    assert sorted(given) == sorted(read_rounds(run)[0].psnr_ema for run in runs)


def test_an_error_of_a_run_is_the_sweepers_and_one_line_at_its_end(tmp_path):
    done = _search(tmp_path, "score=psnr_emma")
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "did you mean psnr_ema?" in done.stderr.splitlines()[-1]


def test_the_score_is_that_of_the_round_that_answers(tiny):
    run, _ = tiny("pruner.rounds=1")
    rows = read_rounds(run)
    answer = rows[1] if rows[1].matching else rows[0]
    assert score_of(run, None) == answer.psnr_best and score_of(run, "sparsity") == answer.sparsity
    with pytest.raises(UserError, match="did you mean psnr_stop"):
        check_column("psnr_stpo", RoundRow)


def _cell(number: int, status: str, reason: str = "", directory: str = "", seconds: float = 0.0) -> SweepCell:
    return SweepCell(number, (f"seed={number}",), status, reason, directory, seconds=seconds)


def test_a_sweep_stops_where_all_fail_alike_and_nowhere_else():
    alike = [_cell(number, FAILED, "x") for number in range(3)]
    assert all_failed_alike([*alike, _cell(3, WAITING)], 3)
    assert not all_failed_alike(alike, 4) and not all_failed_alike(alike, 0)
    assert not all_failed_alike([*alike, _cell(3, FAILED, "y")], 3)
    assert not all_failed_alike([*alike, _cell(3, DONE)], 3), "one that went well may be followed by others"


def test_a_failing_sweep_ends_early_and_says_so(tmp_path):
    words = ("seed=0,1,2,3", "task.sigma=-1", "sweep.stop_after=2", f"paths.output_dir={tmp_path}")
    command = [sys.executable, "-m", "lipdip.run", *TINY, *words, "-m"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2 and "2 failed, 2 waiting" in done.stdout and "sweep.stop_after=2" in done.stdout


@pytest.mark.parametrize(
    "words", [("seed=range(0,0)",), ("seed=0,1", "hydra/launcher=joblib", "hydra.launcher.n_jobs=0")]
)
def test_a_sweep_that_cannot_begin_leaves_nothing(words, tmp_path):
    command = [sys.executable, "-m", "lipdip.run", "-m", *TINY, f"paths.output_dir={tmp_path / 'out'}", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1) and not list(tmp_path.rglob("sweep.json"))


def test_two_cells_of_one_run_name_each_other():
    first, second = _cell(0, DONE, directory="runs/a", seconds=3.0), _cell(1, DONE, directory="runs/a")
    other = _cell(2, DONE, "done by another process", "runs/b")
    assert [cell.reason for cell in with_twins([first, second, other])] == [
        *("", "the same run as cell 0", "done by another process")
    ]


@pytest.mark.parametrize("value", ["-1", "x", "1.5"])
def test_what_counts_no_failures(value, tiny, tmp_path):
    with pytest.raises(UserError, match=r"sweep\.stop_after must be"):
        tiny(f"sweep.stop_after={value}")
    assert compose().sweep.stop_after == 5 and not list(tmp_path.iterdir())
