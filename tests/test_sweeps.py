"""Sweeps from the command line: a failed cell, a killed one, two at once, the same command again."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from rich.console import Console

from lipdip.command import compose
from lipdip.configuration.assemble import assemble
from lipdip.configuration.quoting import literal, quoted
from lipdip.core.records import RunDirectory
from lipdip.sweeps.cell import DONE, FAILED, RUNNING, Cell, SweepDirectory
from lipdip.sweeps.overview import counted, named, picture, seconds_left

from .conftest import TINY

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def _command(output: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "lipdip.run", "-m", *TINY, f"paths.output_dir={output}", *words]


def _sweep(output: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        _command(output, *words), capture_output=True, text=True, env=ENVIRONMENT, cwd=output, timeout=300
    )


def _start(output: Path, *words: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    return subprocess.Popen(_command(output, *words), stdout=pipe, stderr=pipe, text=True, env=ENVIRONMENT, cwd=output)


def _summaries(output: Path) -> list[Path]:
    return sorted((output / "runs").glob("*/summary.json"))


def test_a_failed_cell_stops_no_other_and_is_told_with_its_command(tmp_path):
    first = _sweep(tmp_path, "seed=0,1", "fit.lr=0.01,1e12")
    assert first.returncode == 2 and len(_summaries(tmp_path)) == 2
    assert "2 of 4 done, 2 failed" in first.stdout
    lines = first.stdout.splitlines()
    alone = [line.split("alone: python ")[1] for line in lines if "alone: " in line]
    assert len(alone) == 2 and sum("the fit diverged" in line for line in lines if line.startswith("FAILED")) == 2
    repeated = subprocess.run([sys.executable, *alone[0].split()], capture_output=True, text=True, env=ENVIRONMENT)
    assert repeated.returncode == 2 and "the fit diverged" in repeated.stderr
    before = {file: file.stat().st_mtime_ns for file in _summaries(tmp_path)}
    second = _sweep(tmp_path, "seed=0,1", "fit.lr=0.01,1e12")
    assert second.returncode == 2 and second.stdout.count("was done already") == 2
    assert {file: file.stat().st_mtime_ns for file in _summaries(tmp_path)} == before


def test_killed_twice_and_repaired(tmp_path):
    words = ("seed=range(0,3)", "fit.steps=150", "trainer.save_seconds=0.2", "trainer.chunk_seconds=0.1")
    for runs in (1, 2):
        started = _start(tmp_path, *words)
        while len(list((tmp_path / "runs").glob("*/rounds.csv"))) < runs:
            assert started.poll() is None, started.communicate()
            time.sleep(0.05)
        started.send_signal(signal.SIGKILL)
        started.communicate()
    assert len(_summaries(tmp_path)) < 3
    repaired = _sweep(tmp_path, *words)
    assert repaired.returncode == 0 and "3 of 3 done" in repaired.stdout and len(_summaries(tmp_path)) == 3
    assert not list((tmp_path / "runs").glob("*/checkpoint.pt"))


def test_two_sweeps_share_their_cells_and_neither_does_one_twice(tmp_path):
    words = ("seed=range(0,3)", "fit.steps=100")
    both = [_start(tmp_path, *words) for _ in range(2)]
    outputs = [sweep.communicate(timeout=300) for sweep in both]
    assert [sweep.returncode for sweep in both] == [0, 0], outputs
    assert all("3 of 3 done" in out for out, _ in outputs)
    logs = [log.read_text() for log in (tmp_path / "sweeps").glob("*/*/logs/*.txt")]
    begun, found = (sum(words in log for log in logs) for words in ("writing to", "finished already"))
    assert (begun, found) == (3, 3), "every run was made by one of them, and found done by the other"


def test_a_cell_that_another_process_has_is_waited_for_or_taken_over(tmp_path):
    words = ("seed=0,1", "fit.steps=5")
    name = assemble(compose(*TINY, "seed=0", "fit.steps=5")).name
    (tmp_path / "runs").mkdir()
    with RunDirectory(tmp_path / "runs" / name):
        started = _start(tmp_path, *words)
        while not _summaries(tmp_path):
            assert started.poll() is None, started.communicate()
            time.sleep(0.05)
        time.sleep(1)
        assert started.poll() is None, "it waits for the other process"
    out, _ = started.communicate(timeout=120)
    assert started.returncode == 0 and "2 of 2 done" in out and len(_summaries(tmp_path)) == 2


def test_stopped_it_says_how_to_go_on(tmp_path):
    words = ("seed=0,1", "fit.steps=3000")
    started = _start(tmp_path, *words)
    while not list((tmp_path / "runs").glob("*/config.yaml")):
        time.sleep(0.05)
    time.sleep(1)
    started.send_signal(signal.SIGTERM)
    out, _ = started.communicate(timeout=60)
    assert started.returncode == 128 + signal.SIGTERM
    assert "0 of 2 done, 2 waiting" in out and "give the same command" in out and "Traceback" not in out


@pytest.mark.parametrize("name", ["jürgen", "日本", "a b", "it's", "a,b=[c]", "${d}", "\\${d}", "\\", "\\\\", "\\'", "a\\\n"])
def test_paths_are_read_back_by_hydra_whatever_characters_they_have(tmp_path, name):
    for path in (tmp_path / name, tmp_path / f"x{name}" / "y", tmp_path / f"{name}'{name}"):
        read = OverridesParser.create().parse_override(f"path={quoted(path)}").value()
        assert OmegaConf.create({"path": read}).path == str(path)
        assert OmegaConf.create({"path": literal(path)}).path == str(path)


def _cells() -> list[Cell]:
    made = [Cell(n, ("task=denoise", f"seed={n}")) for n in range(5)]
    made[0] = replace(made[0], status=DONE, seconds=60.0)
    made[1] = replace(made[1], status=DONE, seconds=0.0)
    made[2] = replace(made[2], status=FAILED, reason="it diverged")
    made[3] = replace(made[3], status=RUNNING, began=time.time() - 30)
    return made


def test_the_overview_counts_names_and_estimates():
    cells = _cells()
    assert counted(cells).startswith("2 of 5 done, 1 running, 1 failed, 1 waiting; about ")
    assert seconds_left(cells) == pytest.approx(90, abs=1), "half a minute of the running one, one more minute"
    assert named(cells[2], cells) == "seed=2"
    screen = Console(file=io.StringIO(), width=100)
    screen.print(picture(cells))
    shown = screen.file.getvalue()
    assert "failed   seed=2: it diverged" in shown and "running  seed=3, 30 s" in shown


def test_cells_are_read_back(tmp_path):
    sweep, cells = SweepDirectory(tmp_path), _cells()
    sweep.begin([cell.overrides for cell in cells])
    for cell in cells[:4]:
        sweep.write(cell)
    assert sweep.cells()[:4] == cells[:4] and sweep.cells()[4].status == "waiting"
    assert json.loads((tmp_path / "sweep.json").read_text())["cells"][4] == ["task=denoise", "seed=4"]


def test_a_killed_worker_leaves_its_cell_to_be_taken_over(tmp_path):
    words = ("seed=range(0,3)", "fit.steps=400", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    started = _start(tmp_path, *words, "trainer.save_seconds=0.2", "trainer.chunk_seconds=0.1")
    cells = (cell for _ in iter(int, 1) for cell in (tmp_path / "sweeps").glob("*/*/cells/*.json"))
    working = next(cell for cell in (json.loads(cell.read_text()) for cell in cells) if cell["status"] == RUNNING)
    time.sleep(1)
    os.kill(working["pid"], signal.SIGKILL)
    out, errors = started.communicate(timeout=240)
    assert started.returncode == 0 and "3 of 3 done" in out, errors
    assert "a worker process was killed" in errors and "what is left is done here" in errors
    assert len(_summaries(tmp_path)) == 3
