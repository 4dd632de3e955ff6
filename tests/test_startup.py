"""What a command loads before it does anything, its versions, its completion, and its exit codes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lipdip.cli.compose import RENAMED, check_added, compose
from lipdip.cli.exit_codes import exit_code
from lipdip.cli.main import COMMANDS
from lipdip.cli.run_command import experiment_of
from lipdip.core.errors import UserError
from lipdip.fit.autosave import Stopped

HEAVY = ("torch", "hydra", "lightning", "matplotlib", "skimage", "sklearn", "pandas", "wandb")


def _python(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env={**os.environ, **environment})


def _loaded(*words: str) -> set[str]:
    """The heavy packages that a command has loaded when it ends."""
    code = "import runpy, sys, atexit\n"
    code += f"atexit.register(lambda: print('loaded', *[name for name in {HEAVY} if name in sys.modules]))\n"
    code += f"sys.argv = ['lipdip', *{words[1:]}]\nrunpy.run_module({words[0]!r}, run_name='__main__')"
    done = _python("-c", code)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (("lipdip", "--help"), set()),
        (("lipdip", "--version"), set()),
        (("lipdip", "data", "list"), set()),
        (("lipdip.data", "list"), set()),
        (("lipdip.run", "--help"), {"hydra"}),
        (("lipdip", "run", "--cfg", "job"), {"hydra"}),
        (("lipdip.ticket", "--help"), {"torch"}),
    ],
)
def test_a_command_loads_only_what_it_needs(words, allowed):
    assert _loaded(*words) <= allowed


def test_importing_a_command_loads_nothing():
    done = _python("-c", f"import sys, {', '.join(f'lipdip.{name}' for name in COMMANDS)}; print(set(sys.modules))")
    assert done.returncode == 0 and not [name for name in HEAVY if f"'{name}'" in done.stdout]


def test_all_commands_and_versions_are_named():
    listed = _python("-m", "lipdip", "--help").stdout
    assert all(f"\n  {name} " in listed for name in COMMANDS)
    told = _python("-m", "lipdip", "--version").stdout
    assert all(name in told for name in ("lipdip ", "torch ", "Hydra "))


def test_an_unknown_command_is_refused_with_the_nearest():
    done = _python("-m", "lipdip", "tickets")
    assert done.returncode == 2 and "ticket?" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("program", "line", "choice"),
    [
        (("lipdip",), "lipdip ru", "run"),
        (("lipdip",), "lipdip run task=", "task=denoise"),
        (("lipdip.run",), "python -m lipdip.run model.sca", "model.scales="),
    ],
)
def test_completion(program, line, choice):
    done = _python("-m", *program, "-sc", "query=bash", COMP_LINE=line)
    assert choice in done.stdout.split()


def test_bash_completes_from_the_script():
    script = _python("-m", "lipdip.run", "-sc", "install=bash").stdout
    python = Path(sys.executable).name
    line = f"{python} -m lipdip.run pruner=syn"
    words = f"COMP_LINE='{line}'; COMP_WORDS=({line}); _lipdip_complete {python} pruner=syn; echo ${{COMPREPLY[@]}}"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"{script}\n{words}"],
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": path},
        timeout=60,
    )
    assert done.stdout == "pruner=synflow\n", done.stderr


def _raises(error: BaseException):
    def work() -> None:
        raise error

    return work


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError("two\nlines"), 2),
        (OSError(28, "No space left on device"), 2),
        (MemoryError(), 2),
        (Stopped(15, "round 1"), 143),
        (KeyboardInterrupt(), 130),
        (KeyboardInterrupt(143), 143),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(error, code, capsys):
    assert exit_code(_raises(error), again="python -m lipdip.run") == code
    told = capsys.readouterr().err
    assert told.startswith("lipdip: ") and told.count("\n") == 1
    assert ("python -m lipdip.run" in told) == (not isinstance(error, UserError))


def test_lightnings_own_refusals_are_one_line():
    from lightning.fabric.utilities.exceptions import MisconfigurationException

    assert exit_code(_raises(MisconfigurationException("no such precision"))) == 2


def test_a_bug_is_shown_as_python_shows_it():
    with pytest.raises(ZeroDivisionError):
        exit_code(lambda: 1 // 0)
    assert exit_code(lambda: 1) == 1 and exit_code(lambda: None) == 0


@pytest.mark.parametrize(
    ("override", "near"),
    [
        ("+stop_window=3", "fit.stop_window"),
        ("+fit.stop_windo=3", "fit.stop_window"),
        ("++pruner.rats=3", "pruner.rate"),
        ("pruner.round=2", "pruner.rounds"),
        ("+fit.deep.lr=3", "fit.deep"),
    ],
)
def test_a_setting_that_nothing_reads_is_refused_with_the_nearest(override, near):
    """By ``compose``, or by the class that the setting would be handed to."""
    with pytest.raises(UserError, match=near):
        experiment_of(compose(override))


@pytest.mark.parametrize(
    "override",
    [
        "+callbacks.lr._target_=lightning.pytorch.callbacks.LearningRateMonitor",
        "+trainer.lightning.max_time=1",
        "+logger.mine._target_=a.B",
        "+found.fig3.s0=a",
        "+model.width=3",
        "++fit.lr=0.1",
    ],
)
def test_an_added_setting_that_something_may_read(override):
    check_added([override])


@pytest.mark.parametrize("override", ["fit.rate=1", "+fit.rate=1"])
def test_a_renamed_setting_is_refused_with_its_new_name(override, monkeypatch):
    monkeypatch.setitem(RENAMED, "fit.rate", "fit.lr")
    with pytest.raises(UserError, match=r"fit\.rate is called fit\.lr now"):
        compose(override)
