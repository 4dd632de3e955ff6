"""Options anywhere, words that are no settings, settings that nothing reads, and classes that are something else."""

import os
import subprocess
import sys

import pytest

from lipdip.cli.compose import compose
from lipdip.cli.options import options_first
from lipdip.cli.run_command import experiment_of
from lipdip.core.console import shortened
from lipdip.core.errors import UserError

from .conftest import TINY


def _lipdip(module: str, *words: str, cwd, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", module, *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
    )


@pytest.mark.parametrize(
    ("words", "options", "settings"),
    [
        ("task=mri -m seed=0,1", ["-m"], ["task=mri", "seed=0,1"]),
        ("seed=3 --cfg job fit=adam", ["--cfg", "job"], ["seed=3", "fit=adam"]),
        ("seed=3 --multi", ["--multirun"], ["seed=3"]),
        ("seed=3 --config-dir=a -i", ["--config-dir=a", "-i=all"], ["seed=3"]),
        ("-- -m", [], ["-m"]),
    ],
)
def test_options_stand_anywhere(words, options, settings):
    assert options_first(words.split(), ()) == (options, settings)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--seed=3", "say seed=3$"),
        ("--seed 3", "say seed=3$"),
        ("--multrun", "did you mean --multirun"),
        ("-x", "no option -x"),
        ("--cfg", "expected one argument"),
        ("--cfg jbo", "invalid choice"),
    ],
)
def test_options_that_are_none(words, message):
    with pytest.raises(UserError, match=message) as caught:
        options_first(words.split(), ("seed",))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("astronaut", "image=astronaut"),
        ("denoise", "task=denoise"),
        ("astronot", "image=astronaut"),
        ("clothes/03", "image=clothes/03"),
        ("fit.steps", r"fit\.steps=VALUE"),
        ("task", "task="),
        ("=3", "no name before"),
    ],
)
def test_bare_words_say_what_may_have_been_meant(word, meant):
    with pytest.raises(UserError, match=meant):
        compose(word)


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("+image.noise=3", "no setting called image.noise"),
        ("+callbacks=[x]", "no callbacks=x"),
        ("+task.foo=1", "no setting called task.foo"),
        ("+task={foo: 1}", "no setting called task.foo"),
        ("+paths.x=1", "no setting called paths.x"),
        ("+dataset.sise=3", "did you mean dataset.size"),
        ("+hydra.foo=3", "no setting called hydra.foo"),
        ("+multi={lss: sum}", "did you mean multi.loss"),
    ],
)
def test_what_nothing_reads_is_refused(word, near):
    with pytest.raises(UserError, match=near):
        experiment_of(compose(*TINY, word))


@pytest.mark.parametrize(
    "place", ["trainer", "model", "task.score.metric", "image.pictures.astronaut", "task.physics", "pruner.scorer"]
)
def test_a_target_that_gives_something_else_is_named(place):
    with pytest.raises(UserError, match="dict") as caught:
        experiment_of(compose(*TINY, f"{place}._target_=builtins.dict"))
    assert "\n" not in str(caught.value) and "cannot be run" not in str(caught.value)


@pytest.mark.parametrize("word", ["logger=[]", "+logger.x=3", "+callbacks.x=3"])
def test_a_refused_table_leaves_nothing(word, tiny, tmp_path):
    if word == "logger=[]":
        tiny("pruner=none", word)  # no logger at all, which is what it says
        return
    with pytest.raises(UserError, match="must be a table with a _target_"):
        tiny(word)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("module", ["run", "ticket", "report", "transfer", "data"])
def test_every_command_tells_the_versions_without_torch(module, tmp_path):
    (tmp_path / "torch.py").write_text("raise SystemExit('torch was loaded')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = _lipdip(f"lipdip.{module}", "--version", cwd=tmp_path, PYTHONPATH=path)
    assert done.returncode == 0 and all(name in done.stdout for name in ("lipdip ", "torch ", "Hydra "))


def test_who_reads_one_line_is_not_told_of_the_others(tmp_path):
    code = f"{sys.executable} -m lipdip.data list | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert (done.stderr, done.stdout.count("\n")) == ("", 1) and done.returncode in (0, 141)


def test_a_working_directory_that_is_gone_and_an_unknown_backend(tmp_path):
    gone = tmp_path / "gone"
    code = f"mkdir {gone}; cd {gone}; rmdir {gone}; {sys.executable} -m lipdip.data list"
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.startswith("lipdip: the working directory is gone")
    done = _lipdip("lipdip.report", "list", "--from", "nowhere", cwd=tmp_path, MPLBACKEND="foo")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1) and "nowhere" in done.stderr


def test_an_error_is_one_line_of_a_length_that_can_be_read():
    assert shortened("one\n  two\n\nthree") == "one two three"
    assert len(shortened("x" * 10_000)) <= 600 and shortened("a" + "x" * 10_000 + "b")[-1] == "b"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("-m", "seed=range(0,2,0)"), "must not be zero"),
        (("-m", "seed=range(0,1e10)"), "more than 100,000 runs"),
        (("-m", "seed=range(0,1000)", "task.sigma=range(1,1000)"), "more than 100,000 runs"),
        (("--resolve",), "--resolve goes with"),
        (("--cfg", "job", "-m", "seed=0,1"), "cannot be given together"),
        (("pruner=[imp,random]",), "pruner takes one of its members"),
        (("+ticket.foo=3",), "there are: ticket.path"),
    ],
)
def test_command_lines_that_hydra_would_end_in_many_lines(words, said):
    done = subprocess.run([sys.executable, "-m", "lipdip.run", *words], capture_output=True, text=True, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1) and said in done.stderr, done.stderr
