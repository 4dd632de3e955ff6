"""The transfer matrix: all pairs and controls, resumable, and what fails does not stop the rest."""

import csv
import io
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from lipdip.cli import attempt
from lipdip.cli import transfer_command as command
from lipdip.cli.compose import compose
from lipdip.cli.run_command import run
from lipdip.cli.transfer_plan import PlannedFit
from lipdip.core.errors import UserError
from lipdip.figures.means import DENSE, MatrixCell, gains, scores
from lipdip.runs.directory import HeldError
from lipdip.tasks import read_rounds
from lipdip.tickets.ticket_file import Ticket

from .conftest import TINY


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """The tickets of two seeds."""
    output = tmp_path_factory.mktemp("found")
    return [
        run(compose(*TINY, f"seed={seed}", f"paths.output_dir={output}"), Console(file=io.StringIO()))
        for seed in (0, 1)
    ]


def _arguments(found, output, *more: str) -> list[str]:
    tickets = ",".join(map(str, found))
    problems = ["noise: task=denoise", "holes: task=inpaint image=coffee"]
    return [
        *("--tickets", f"astronaut={tickets}", "--problems", *problems, "--round", "2", "--set", *TINY[:4]),
        *("--output-dir", str(output), "--name", "m", *more),
    ]


def test_all_pairs_and_controls_and_each_ticket_with_the_seed_it_was_found_with(found, tmp_path, capsys):
    assert command.main(_arguments(found, tmp_path, "--controls", "dense", "random", "layerwise", "reinit")) == 0
    cells = list(csv.DictReader((tmp_path / "transfer/m/cells.csv").read_text().splitlines()))
    rows = [
        "dense",
        "astronaut",
        "random, sparsity 0.360",
        "random with astronaut's densities",
        "astronaut, new weights",
    ]
    assert {(cell["start"], cell["problem"]) for cell in cells} == {
        (row, p) for row in rows for p in ("noise", "holes")
    }
    assert len(cells) == 5 * 2 * 2 and {cell["seed"] for cell in cells} == {"0", "1"}
    for cell in cells:
        (row,) = read_rounds(tmp_path / "runs" / cell["run"])
        assert row.score == pytest.approx(float(cell["score"]), abs=1e-3)
        kept = Ticket.load(tmp_path / "runs" / cell["run"] / "tickets/round_00.safetensors").mask.kept
        assert kept == (2348 if cell["start"] == "dense" else 1502)
    # On the problem that it was found on, a ticket repeats its round.
    own = [cell for cell in cells if (cell["start"], cell["problem"]) == ("astronaut", "noise")]
    for cell, directory in zip(sorted(own, key=lambda c: c["seed"]), found, strict=True):
        assert float(cell["score"]) == pytest.approx(read_rounds(directory)[2].psnr_best, abs=1e-3)
    printed = capsys.readouterr().out
    assert "| astronaut |" in printed and "±" in printed
    with Image.open(tmp_path / "transfer/m/difference_dB.png") as drawn:
        assert min(drawn.size) > 200


def test_given_again_it_does_only_what_is_missing(found, tmp_path, monkeypatch):
    assert command.main(_arguments(found, tmp_path)) == 0
    before = (tmp_path / "transfer/m/cells.csv").read_bytes()
    gone = next(iter(sorted((tmp_path / "runs").glob("[0-9a-f]*"))))
    (gone / "summary.json").unlink()
    done = []
    monkeypatch.setattr(attempt, "run", lambda cfg, screen: done.append(_run_and_tell(cfg, screen)) or done[-1][0])
    assert command.main(_arguments(found, tmp_path)) == 0
    assert [path for path, finished in done if not finished] == [gone]
    assert (tmp_path / "transfer/m/cells.csv").read_bytes() == before


def _run_and_tell(cfg, screen):
    shown = Console(file=io.StringIO())
    path = run(cfg, shown)
    return path, "finished already" in shown.file.getvalue()


def test_a_failing_fit_stops_nothing_else_and_is_told_once(found, tmp_path, capsys):
    assert command.main(_arguments(found, tmp_path, "--problems", "ok: task=denoise", "bad: fit.lr=1e30")) == 1
    out, errors = capsys.readouterr()
    assert "missing" in out and errors.count("\n") == len(set(errors.splitlines()))
    assert "the fit diverged in round 0" in errors and "To see it: python -m lipdip.run" in errors
    assert len((tmp_path / "transfer/m/cells.csv").read_text().splitlines()) == 1 + 2 * 3 * 2


@pytest.mark.parametrize("error", [RuntimeError("odd\nand long"), OSError(28, "No space left"), MemoryError()])
def test_whatever_a_fit_fails_of_it_fails_alone_and_in_one_line(tmp_path, monkeypatch, error):
    def fails(cfg, screen):
        raise error

    monkeypatch.setattr(attempt, "run", fails)
    cell, why = command._fit(PlannedFit(MatrixCell("t", "noise", 0, 0), (), tmp_path))
    assert cell.score is None and why and "\n" not in why


def test_a_fit_that_another_process_does_is_waited_for(tmp_path, monkeypatch, capsys):
    attempts = []

    def held_once(cfg, screen):
        attempts.append(cfg)
        if len(attempts) == 1:
            raise HeldError(tmp_path / "runs" / "a")
        raise UserError("it diverged")

    monkeypatch.setattr(attempt, "run", held_once)
    assert command._fit(PlannedFit(MatrixCell("t", "noise", 0, 0), (), tmp_path))[1] == "it diverged"
    assert "waiting: another process is working on this very run" in capsys.readouterr().err


def test_several_processes_give_the_same_table(found, tmp_path):
    assert command.main(_arguments(found[:1], tmp_path / "one", "--controls", "dense")) == 0
    assert command.main(_arguments(found[:1], tmp_path / "two", "--controls", "dense", "--jobs", "2")) == 0
    one, two = ((tmp_path / name / "transfer/m/cells.csv").read_bytes() for name in ("one", "two"))
    assert one == two


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("--tickets", "/nowhere"), "cannot read the ticket /nowhere"),
        (("--tickets", "a="), "names no file"),
        (("--round", "7"), "has rounds 0 to 3, no round 7"),
        (("--problems", "a: task=denoise", "a: task=inpaint"), "two problems are called 'a'"),
        (("--problems", "a: task='denoise"), "cannot be read"),
        (("--jobs", "0"), "--jobs must be at least 1"),
        (("--jobs", "x"), "invalid int value"),
        (("--name", "../up"), "--name must be letters"),
        (("--problems", "seed=3"), "the transfer matrix itself decides on seed"),
        (("--set", "pruner=imp"), "the transfer matrix itself decides on pruner"),
        (("--problems", "a: task=nope"), "the problem 'a': there is no task=nope"),
        (("--problems", "a: image.size=33 protocol=paper"), "image.size=33 is not a multiple of 32"),
        (("--output-dir", "/dev/null/x"), "Not a directory"),
    ],
)
def test_wrong_input(found, tmp_path, capsys, change, message):
    assert command.main([*_arguments(found, tmp_path), *change]) == 2
    errors = capsys.readouterr().err
    assert message in errors and errors.count("\n") == 1


def test_a_ticket_cannot_take_a_controls_name(found, tmp_path, capsys):
    assert command.main([*_arguments(found, tmp_path), "--tickets", f"dense={found[0]}"]) == 2
    assert "a ticket cannot be called 'dense'" in capsys.readouterr().err


def test_odd_characters_in_paths(found, tmp_path):
    odd = tmp_path / "a, b='c' ${d} [e] \\f"
    odd.mkdir()
    file = odd / "t.safetensors"
    file.write_bytes((found[0] / "tickets/round_02.safetensors").read_bytes())
    arguments = ["--tickets", str(file), f"x={file}", "--problems", "task=denoise", "--set", *TINY[:4]]
    assert command.main([*arguments, "--output-dir", str(odd / "out"), "--name", "m"]) == 0
    cells = list(csv.DictReader((odd / "out/transfer/m/cells.csv").read_text().splitlines()))
    assert {cell["start"] for cell in cells} == {"dense", "denoise astronaut", "x", "random, sparsity 0.360"}
    assert len({cell["score"] for cell in cells if cell["start"] in ("x", "denoise astronaut")}) == 1


def test_tickets_of_other_networks_have_their_own_random_control(found, tmp_path):
    other = run(compose(*TINY, "pruner.scope=inner", f"paths.output_dir={tmp_path}"), Console(file=io.StringIO()))
    arguments = ["--tickets", f"a={found[0]}", f"b={other}", "--problems", "task=denoise", "--round", "2"]
    assert command.main([*arguments, "--set", *TINY[:4], "--output-dir", str(tmp_path), "--name", "m"]) == 0
    rows = {cell["start"] for cell in csv.DictReader((tmp_path / "transfer/m/cells.csv").read_text().splitlines())}
    assert {"random, sparsity 0.360", "random like b"} <= rows


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL])
def test_stopped_with_workers_it_leaves_none_behind_and_goes_on(found, tmp_path, signum):
    long = ["--set", *TINY[:3], "fit.steps=150", "trainer.save_seconds=0"]
    few = ["--problems", "task=denoise", "--controls", "dense", *long, "--jobs", "2"]
    words = [sys.executable, "-m", "lipdip.transfer", *_arguments(found, tmp_path), *few]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    _await(lambda: list(tmp_path.glob("runs/*/checkpoint.pt")))
    workers = _children(process.pid)
    assert len(workers) >= 2
    process.send_signal(signum)
    _, errors = process.communicate(timeout=240)
    if signum != signal.SIGKILL:
        assert process.returncode == 128 + signum
        assert errors.count("\n") == 1 and "To go on, give the same command" in errors
    _await(lambda: not any(_alive(worker) for worker in workers))
    assert subprocess.run([*words[:-1], "1"], capture_output=True, timeout=300).returncode == 0


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _await(ready) -> None:
    deadline = time.monotonic() + 240
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_gains_compare_the_same_problem_and_seed():
    cells = [
        *(MatrixCell(DENSE, "a", seed, 0, 0.0, score) for seed, score in enumerate((20.0, 30.0))),
        *(MatrixCell("t", "a", seed, 0, 0.5, score) for seed, score in enumerate((21.0, 33.0))),
        MatrixCell("t", "a", 2, 0, 0.5, 99.0),  # without its dense partner
        MatrixCell("t", "a", 0, 1),  # missing
    ]
    gain = gains(cells, "t", "a")
    assert (gain.mean, gain.count) == (2.0, 2) and gain.spread == pytest.approx(statistics.stdev([1.0, 3.0]))
    assert scores(cells, "t", "a").count == 3 and gains(cells, "t", "b") is None
