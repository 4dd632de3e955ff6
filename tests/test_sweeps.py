"""Sweeps from the command line: a failed cell, a killed one, two at once, the same command again."""

import errno
import fcntl
import io
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.exit_codes import in_one_line
from lipdip.cli.quoting import literal, quoted
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.cli.start import start
from lipdip.cli.sweeps import sweep_cell as cells_of
from lipdip.cli.sweeps import work
from lipdip.cli.sweeps.overview import Overview, counted, named, picture, seconds_left
from lipdip.cli.sweeps.plan_callback import _queued
from lipdip.cli.sweeps.sweep_cell import DONE, ELSEWHERE, FAILED, RUNNING, WAITING, SweepCell, SweepDirectory
from lipdip.core.errors import UserError
from lipdip.runs.directory import HeldError, RunDirectory

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


def _until(ready: Callable[[], Any], started: "subprocess.Popen[str]") -> Any:
    """Wait for something that a sweep does, and give it."""
    deadline = time.monotonic() + 240
    while not (found := ready()):
        assert started.poll() is None, started.communicate()
        if time.monotonic() > deadline:
            started.kill()
            pytest.fail("the sweep did not come so far in time")
        time.sleep(0.05)
    return found


def _running(output: Path) -> list[dict[str, Any]]:
    told = [json.loads(cell.read_text()) for cell in (output / "sweeps").glob("*/*/cells/*.json")]
    return [cell for cell in told if cell["status"] == RUNNING]


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
    words = ("seed=range(0,3)", "fit.steps=150", "trainer.save_seconds=0.2")
    for runs in (1, 2):
        started = _start(tmp_path, *words)
        _until(lambda runs=runs: len(list((tmp_path / "runs").glob("*/rounds.csv"))) >= runs, started)
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
        _until(lambda: _summaries(tmp_path), started)
        time.sleep(1)
        assert started.poll() is None, "it waits for the other process"
    out, _ = started.communicate(timeout=120)
    assert started.returncode == 0 and "2 of 2 done" in out and len(_summaries(tmp_path)) == 2


def test_stopped_it_says_how_to_go_on(tmp_path):
    words = ("seed=0,1", "fit.steps=3000")
    started = _start(tmp_path, *words)
    _until(lambda: list((tmp_path / "runs").glob("*/config.yaml")), started)
    time.sleep(1)
    started.send_signal(signal.SIGTERM)
    out, _ = started.communicate(timeout=60)
    assert started.returncode == 128 + signal.SIGTERM
    assert "0 of 2 done, 2 waiting" in out and "give the same command" in out and "Traceback" not in out


@pytest.mark.parametrize(
    "name", ["jürgen", "日本", "a b", "it's", "a,b=[c]", "${d}", "\\${d}", "\\", "\\\\", "\\'", "a\\\n"]
)
def test_paths_are_read_back_by_hydra_whatever_characters_they_have(tmp_path, name):
    for path in (tmp_path / name, tmp_path / f"x{name}" / "y", tmp_path / f"{name}'{name}"):
        read = OverridesParser.create().parse_override(f"path={quoted(path)}").value()
        assert OmegaConf.create({"path": read}).path == str(path)
        assert OmegaConf.create({"path": literal(path)}).path == str(path)


def _cells() -> list[SweepCell]:
    made = [SweepCell(n, ("task=denoise", f"seed={n}")) for n in range(5)]
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
    started = _start(tmp_path, *words, "trainer.save_seconds=0.2")
    working = _until(lambda: _running(tmp_path), started)[0]
    time.sleep(1)
    os.kill(working["pid"], signal.SIGKILL)
    out, errors = started.communicate(timeout=480)
    assert started.returncode == 0 and "3 of 3 done" in out, errors
    assert "a worker process was killed" in errors and "what is left is done here" in errors
    assert len(_summaries(tmp_path)) == 3


def test_terminated_a_sweep_stops_its_workers(tmp_path):
    started = _start(tmp_path, "seed=0,1", "fit.steps=3000", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    workers = _until(lambda: len(cells := _running(tmp_path)) == 2 and cells, started)
    started.send_signal(signal.SIGTERM)
    out, errors = started.communicate(timeout=60)
    assert started.returncode == 128 + signal.SIGTERM
    assert "0 of 2 done, 2 waiting" in out and (out + errors).count("give the same command") == 1
    assert all(cell.abandoned for cell in (SweepCell(**worker) for worker in workers))


def _started(monkeypatch, output: Path, task, *words: str) -> int:
    """A sweep in this process, of a task that takes no time; its exit code."""
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    monkeypatch.setattr(sys, "argv", ["lipdip.cli.run_command", "-m", *words, f"paths.output_dir={output}"])
    try:
        start("run", task)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _finished(output: Path, name: str = "a") -> Path:
    run = output / "runs" / name
    run.mkdir(parents=True, exist_ok=True)
    for name in ("config.yaml", "summary.json"):
        (run / name).touch()
    return run


def _begun(output: Path, *cells: tuple[str, ...]) -> SweepDirectory:
    sweep = SweepDirectory(output / "sweeps" / "0123456789ab" / "here-1")
    sweep.begin(cells or [("seed=0",)])
    return sweep


def test_a_cell_with_an_own_configuration_directory_is_taken_over_and_told_with_it(tmp_path, monkeypatch, capsys):
    own = tmp_path / "jürgen's"
    (own / "experiment").mkdir(parents=True)
    (own / "experiment" / "mine.yaml").write_text("# @package _global_\nseed: 7\n")
    seen = []

    def task(cfg, screen, sweep):
        seen.append((cfg.seed, cfg.fit.lr))
        if len(seen) == 1:
            raise HeldError(tmp_path / "runs" / "a")
        if cfg.fit.lr == 2:
            raise UserError("no such thing")
        return _finished(tmp_path)

    assert _started(monkeypatch, tmp_path, task, "--config-dir", str(own), "experiment=mine", "fit.lr=1,2") == 2
    assert seen == [(7, 1), (7, 2), (7, 1)]
    out, errors = capsys.readouterr()
    assert f"alone: python -m lipdip.run --config-dir {shlex.quote(str(own))} " in out and not errors


def test_a_cell_that_cannot_be_composed_again_fails_alone(tmp_path, monkeypatch, capsys):
    own = tmp_path / "mine"
    (own / "experiment").mkdir(parents=True)
    (own / "experiment" / "mine.yaml").write_text("# @package _global_\nseed: 7\n")

    def task(cfg, screen, sweep):
        (own / "experiment" / "mine.yaml").unlink(missing_ok=True)
        raise HeldError(tmp_path / "runs" / "a")

    assert _started(monkeypatch, tmp_path, task, "--config-dir", str(own), "experiment=mine") == 2
    assert ": FAILED: there is no experiment=mine" in capsys.readouterr().out


def test_a_held_run_is_waited_for_by_its_lock_alone_ever_more_rarely(tmp_path, monkeypatch):
    holder, attempts, pauses = RunDirectory(tmp_path / "runs" / "a"), [], []

    def task(cfg, screen, sweep):
        attempts.append(sweep)
        with RunDirectory(tmp_path / "runs" / "a"):
            return _finished(tmp_path)

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 12:
            holder.__exit__(None, None, None)

    (tmp_path / "runs").mkdir()
    holder.__enter__()
    monkeypatch.setattr(time, "sleep", sleep)
    assert _started(monkeypatch, tmp_path, task, "seed=0") == 0
    assert len(attempts) == 2 and pauses == sorted(pauses) and pauses[-1] == 15


def test_a_clusters_job_waits_for_a_held_run_and_then_fails_with_a_reason(tmp_path):
    sweep = _begun(tmp_path)

    def task(cfg, screen, sweep):
        with RunDirectory(tmp_path / "runs" / "a"):
            return _finished(tmp_path)

    with RunDirectory(tmp_path / "runs" / "a"):
        ended = work.do(task, lambda: None, sweep.planned()[0], sweep, patience=0.2)
    assert ended.status == FAILED and "another process still works on" in ended.reason
    assert sweep.cells() == [ended]
    assert work.do(task, lambda: None, sweep.planned()[0], sweep, patience=0.2).status == DONE


@pytest.mark.parametrize(
    ("launcher", "queued"),
    [
        ("hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher", True),
        ("hydra_plugins.hydra_submitit_launcher.submitit_launcher.AutoLauncher", True),
        ("hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher", False),
        ("hydra._internal.core_plugins.basic_launcher.BasicLauncher", False),
    ],
)
def test_all_of_submitits_launchers_but_the_local_one_have_a_queue(launcher, queued):
    assert _queued(OmegaConf.create({"_target_": launcher})) == queued


def test_a_cell_tells_who_does_it_and_its_task_the_sweeps_name(tmp_path):
    sweep, names = _begun(tmp_path, ("experiment=fig3",)), []

    def task(cfg, screen, sweep):
        names.append(sweep)
        return _finished(tmp_path)

    waiting = sweep.planned()[0]
    assert (waiting.host, waiting.pid) == ("", 0)
    done = work.do(task, lambda: None, waiting, sweep)
    assert done.pid == os.getpid() and done.host and [name.name for name in names] == ["fig3"]


def test_a_sweep_inherits_nothing_from_an_earlier_one_in_its_directory(tmp_path):
    sweep = _begun(tmp_path)
    sweep.write(replace(sweep.planned()[0], status=FAILED, reason="it diverged"))
    sweep.log(sweep.planned()[0]).write_text("old")
    again = _begun(tmp_path)
    assert again.cells()[0].status == WAITING and not list(again.path.glob("logs/*"))


def test_whether_a_run_was_done_already_is_told_by_one_clock(tmp_path, monkeypatch):
    sweep, now = _begun(tmp_path), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)  # the file server's clock is an hour behind

    def task(cfg, screen, name):
        return _finished(tmp_path)

    assert work.do(task, lambda: None, sweep.planned()[0], sweep).seconds > 0
    os.utime(tmp_path / "runs/a/config.yaml", (now - 9, now - 9))
    found = work.do(lambda *_: tmp_path / "runs" / "a", lambda: None, sweep.planned()[0], sweep)
    assert found.status == DONE and found.seconds == 0


def test_a_cell_that_began_in_the_future_takes_no_negative_time():
    cells = [SweepCell(0, ("a",), DONE, seconds=60.0), SweepCell(1, ("b",), RUNNING, began=time.time() + 3600)]
    assert seconds_left(cells) == 60
    screen = Console(file=io.StringIO(), width=100)
    screen.print(picture(cells))
    assert "running  b, 0 s" in screen.file.getvalue()


def test_a_cells_file_that_cannot_be_read_ends_no_overview(tmp_path, monkeypatch):
    monkeypatch.setattr(cells_of, "_PAUSE", 0)
    sweep = _begun(tmp_path)
    for half in ("", '{"number": 0, "over', '{"unknown": 1}'):
        (sweep.path / "cells").mkdir(exist_ok=True)
        (sweep.path / "cells" / "00000.json").write_text(half)
        assert [cell.status for cell in sweep.cells()] == [WAITING]


def test_terminated_outside_a_fit_a_sweep_says_how_it_went(tmp_path, monkeypatch, capsys):
    def task(cfg, screen, sweep):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    before = signal.getsignal(signal.SIGTERM)
    assert _started(monkeypatch, tmp_path, task, "seed=0,1") == 128 + signal.SIGTERM
    out, errors = capsys.readouterr()
    assert "0 of 2 done, 2 waiting" in out and "lipdip: stopped; " in errors
    assert (out + errors).count("give the same command") == 1
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_sweep_that_cannot_be_written_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").touch()
    assert _started(monkeypatch, tmp_path / "file", lambda *_: None, "seed=0,1") == 2
    errors = capsys.readouterr().err
    assert "Not a directory" in errors and errors.count("\n") == 1


def test_a_file_system_without_locks_is_one_line(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(UserError, match=r"no file locks.*choose another paths\.output_dir"):
        RunDirectory(tmp_path / "runs" / "a").__enter__()
    assert not list(tmp_path.glob("runs/.locks/*"))


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "CUDA out of memory. Make room"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory"),
            "DefaultCPUAllocator: can't allocate memory. Make room",
        ),
        (RuntimeError("unsupported memory format"), "RuntimeError: unsupported memory format"),
        (MemoryError(), "MemoryError. Make room"),
    ],
)
def test_too_little_memory_is_no_programming_error(error, line):
    assert in_one_line(error) == line


def test_brackets_in_settings_are_shown_as_they_are(tmp_path, monkeypatch, capsys):
    def task(cfg, screen, sweep):
        return _finished(tmp_path)

    assert _started(monkeypatch, tmp_path, task, "image=file", "image.path=[/a.png,/b.png],'/[a].png'") == 0
    out = capsys.readouterr().out
    assert "image.path=[/a.png,/b.png]: " in out and "image.path='/[a].png': " in out


def test_brackets_in_a_directory_are_shown_as_they_are(tiny, tmp_path):
    for said in ("writing to", "finished already:"):
        _, printed = tiny("pruner=none", output_dir=quoted(tmp_path / "[x]"))
        assert f"{said} {tmp_path}/[x]" in printed and f"everything is in {tmp_path}/[x]" in printed


def test_a_full_disk_ends_a_sweep_with_one_line(tmp_path, monkeypatch, capsys):
    def full(path, content):
        raise UserError(f"cannot write {path}: {os.strerror(errno.ENOSPC)}")

    def task(cfg, screen, sweep):
        monkeypatch.setattr(cells_of, "write_whole", full)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert _started(monkeypatch, tmp_path, task, "seed=0,1") == 2
    out, errors = capsys.readouterr()
    assert "0 of 2 done, 2 waiting" in out and (out + errors).count("give the same command") == 1
    assert errors.count("\n") == 1 and "No space left on device. Make room" in errors


def test_a_refused_sweep_is_one_short_line_and_leaves_nothing(tmp_path, monkeypatch, capsys):
    assert _started(monkeypatch, tmp_path, lambda *_: None, "image=astronaut,nonexistent", "seed=0,1") == 2
    out, errors = capsys.readouterr()
    assert "To go on" not in out and not list(tmp_path.iterdir())
    assert errors.count("\n") == 1 and "there is no image=nonexistent" in errors and len(errors) < 200


def test_paths_output_dir_cannot_be_swept(tmp_path, monkeypatch, capsys):
    assert _started(monkeypatch, Path(f"{tmp_path}/my, dir"), lambda *_: None) == 2
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1 and "paths.output_dir cannot be swept" in errors and not list(tmp_path.iterdir())


def _dead() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_cell_whose_process_is_gone_counts_as_waiting(tmp_path, monkeypatch, capsys):
    def task(cfg, screen, sweep):
        (plan,) = tmp_path.glob("sweeps/*/*/sweep.json")
        SweepDirectory(plan.parent).write(SweepCell(1, ("seed=1",), RUNNING, pid=_dead()))
        raise KeyboardInterrupt

    assert _started(monkeypatch, tmp_path, task, "seed=0,1") == 130
    assert "0 of 2 done, 2 waiting" in capsys.readouterr().out
    sweep = _begun(tmp_path)
    sweep.write(SweepCell(0, ("seed=0",), RUNNING, pid=_dead()))
    assert Overview(sweep, Console(file=io.StringIO()))._look()[0].status == WAITING


def test_a_cell_that_another_process_has_finished_is_done_at_once(tmp_path):
    sweep, screen = _begun(tmp_path), Console(file=io.StringIO(), width=100)
    held = replace(sweep.planned()[0], status=ELSEWHERE, directory=str(tmp_path / "runs" / "a"))
    sweep.write(held)
    assert counted([held]) == "0 of 1 done, 1 in another process"
    time.sleep(0.01)
    _finished(tmp_path)
    with Overview(sweep, screen):
        pass
    assert "1 of 1  the only cell: done by another process" in screen.file.getvalue()


@pytest.mark.parametrize("age", [-1e9, 1e5], ids=["old", "of tomorrow"])
def test_a_run_that_was_found_took_no_time_here_whatever_its_files_are_dated(tmp_path, age):
    sweep, run = _begun(tmp_path), _finished(tmp_path)
    for file in run.iterdir():
        os.utime(file, (time.time() + age,) * 2)
    assert work.do(lambda *_: run, lambda: None, sweep.planned()[0], sweep).seconds == 0


def test_a_run_that_was_done_here_took_time_once(tmp_path):
    sweep = _begun(tmp_path)

    def task(cfg, screen, name):
        with RunDirectory(tmp_path / "runs" / "a") as run:
            run.finish({})
        return tmp_path / "runs" / "a"

    assert work.do(task, lambda: None, sweep.planned()[0], sweep).seconds > 0
    assert work.do(lambda *_: tmp_path / "runs" / "a", lambda: None, sweep.planned()[0], sweep).seconds == 0


@pytest.mark.slow
def test_workers_end_soon_after_a_killed_sweep(tmp_path):
    started = _start(tmp_path, "seed=0,1", "fit.steps=100000", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    _until(lambda: len(_running(tmp_path)) == 2, started)
    workers = [cell["pid"] for cell in _running(tmp_path)]
    assert started.pid not in workers
    started.kill()
    started.communicate()
    deadline = time.monotonic() + 20
    while any(map(cells_of._alive, workers)):
        assert time.monotonic() < deadline, "a worker is still there"
        time.sleep(0.2)


def test_the_time_left_is_an_upper_bound_where_others_work_on_the_sweep():
    cells = [SweepCell(0, ("a",), DONE, seconds=60.0), SweepCell(1, ("b",)), SweepCell(2, ("c",))]
    assert counted(cells).endswith("; about 2 min left")
    assert counted([*cells[:2], replace(cells[2], status=ELSEWHERE)]).endswith("; at most 60 s left")


def test_on_a_small_terminal_the_newest_failed_cells_have_a_line_each():
    failed = [SweepCell(n, (f"seed={n}",), FAILED, reason="it diverged " * 20, began=n) for n in range(60)]
    screen = Console(file=io.StringIO(), width=80)
    screen.print(picture(failed, height=24))
    shown = screen.file.getvalue().splitlines()
    assert len(shown) == 23 and shown[-1].startswith("  failed   seed=59: it diverged")
    assert all(len(line) <= 80 for line in shown)


def test_cells_that_nothing_tells_apart_have_a_number():
    alike = [SweepCell(n, ("task=denoise",)) for n in range(2)]
    assert [named(cell, alike) for cell in alike] == ["cell 0", "cell 1"] and named(
        alike[0], alike[:1]
    ) == "the only cell"
