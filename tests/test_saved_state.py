"""A saved state is used only if it is whole and the run's own; else the one before it is, or the run starts again."""

import io
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of
from lipdip.core.errors import UserError
from lipdip.fit.execute import execute
from lipdip.fit.saved_state import seal
from lipdip.runs.contents import whole_summary
from lipdip.runs.directory import RunDirectory

from .conftest import TINY

WORDS = (*TINY, "trainer=cpu", "trainer.save_seconds=0", "fit.code=resampled", "pruner.rewind=0.5")


class Killed(Exception):
    """Stands for a kill."""


class Kill(L.Callback):
    """In the last round's middle."""

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        if (pl_module.round, pl_module.steps) == (2, 5):
            raise Killed


class First(L.Callback):
    """Remembers the round and the step that a fit goes on from."""

    place: tuple[int, int] | None = None

    def on_train_batch_start(self, trainer: L.Trainer, pl_module: Any, *_: Any) -> None:
        self.place = self.place or (pl_module.round, pl_module.steps)


def _go(run: Path, *words: str, callbacks: tuple[L.Callback, ...] = ()) -> str:
    """Do a run in a directory, or what is missing of it; what it printed."""
    screen = Console(file=io.StringIO(), width=200)
    experiment = experiment_of(compose(*WORDS, *words))
    with RunDirectory(run) as directory:
        execute(experiment, directory, screen, callbacks=callbacks)
    printed: str = screen.file.getvalue()  # type: ignore[attr-defined]
    return printed


def _tickets(run: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (run / "tickets").iterdir()}


@pytest.fixture(scope="module")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    run = tmp_path_factory.mktemp("whole") / "run"
    _go(run)
    return _tickets(run)


@pytest.fixture(scope="module")
def unfinished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("killed") / "run"
    with pytest.raises(Killed):
        _go(run, callbacks=(Kill(),))
    return run


@pytest.fixture
def killed(unfinished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(unfinished, tmp_path / "run"))


def _flipped(file: Path) -> None:
    """A bit of a tensor."""
    with zipfile.ZipFile(file) as archive:
        biggest = max(archive.infolist(), key=lambda one: one.file_size)
    content = bytearray(file.read_bytes())
    content[biggest.header_offset + 100 + biggest.file_size // 2] ^= 1
    file.write_bytes(content)


def _stored(change: Callable[[Any], Any], sealed: bool = True) -> Callable[[Path], None]:
    """A state as another version of lipdip, Lightning or torch may have written it, or a stranger."""

    def damage(file: Path) -> None:
        state = torch.load(file, weights_only=True)
        torch.save(change(state), file)
        if sealed:
            seal(file, experiment_of(compose(*WORDS)).name)

    return damage


def _without(*names: str) -> Callable[[Any], Any]:
    def change(state: Any) -> Any:
        part = state
        for name in names[:-1]:
            part = part[name]
        del part[names[-1]]
        return state

    return change


def _cropped(state: Any) -> Any:
    name = next(iter(state["state_dict"]))
    return {**state, "state_dict": {**state["state_dict"], name: torch.zeros(3)}}


DAMAGE: dict[str, Callable[[Path], None]] = {
    "a flipped bit": _flipped,
    "half of it": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "a pipe": lambda file: (file.unlink(), os.mkfifo(file)),  # type: ignore[dict-item, return-value]
    "text": _stored(lambda state: "a text"),
    "a number": _stored(lambda state: {"fitting": 1}),
    "no optimizers": _stored(_without("optimizer_states")),
    "no moments": _stored(lambda state: {**state, "optimizer_states": []}, sealed=False),
    "no round": _stored(_without("fitting", "round")),
    "no scores": _stored(_without("fitting", "state")),
    "no loops": _stored(_without("loops", "fit_loop")),
    "other shapes": _stored(_cropped),
    "no rows": _stored(lambda state: {**state, "callbacks": {name: {"x": 1} for name in state["callbacks"]}}),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_state_is_dropped_and_the_run_goes_on_from_the_one_before(killed, tickets, kind):
    DAMAGE[kind](killed / "checkpoint.pt")
    first = First()
    printed = _go(killed, callbacks=(first,))
    (note,) = (line for line in printed.splitlines() if line.startswith("note: "))
    assert "checkpoint.pt" in note and "goes on from the state before it" in note
    assert first.place in ((2, 3), (2, 4)), "what the earlier state has is not done again"
    assert _tickets(killed) == tickets and not list(killed.glob("checkpoint*"))
    assert whole_summary(killed.absolute())["rounds"] == 4


@pytest.mark.parametrize("kind", ["a flipped bit", "no scores", "other shapes", "no rows"])
def test_with_both_states_damaged_the_run_starts_again(killed, tickets, kind):
    for name in ("checkpoint.pt", "checkpoint.previous.pt"):
        DAMAGE[kind](killed / name)
    printed = _go(killed)
    (note,) = (line for line in printed.splitlines() if line.startswith("note: "))
    assert note.count("checkpoint.") == 2 and note.endswith("the run starts again")
    assert _tickets(killed) == tickets


def test_killed_between_two_names_the_previous_state_is_there(killed, tickets):
    (killed / "checkpoint.pt").unlink()
    assert "note: " not in _go(killed)
    assert _tickets(killed) == tickets


def test_another_runs_state_is_not_gone_on_with(killed, tmp_path):
    other = tmp_path / "other"
    _go(other, "seed=1")
    expected = _tickets(other)
    shutil.rmtree(other)
    other.mkdir()
    shutil.copy(killed / "checkpoint.pt", other)
    assert "checkpoint.pt is another run's; the run starts again" in _go(other, "seed=1")
    assert _tickets(other) == expected


def test_a_fault_that_is_not_the_states_keeps_it(killed):
    class Faulty(L.Callback):
        def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
            raise ZeroDivisionError

    before = (killed / "checkpoint.pt").read_bytes()
    with pytest.raises(ZeroDivisionError):
        _go(killed, callbacks=(Faulty(),))
    assert (killed / "checkpoint.pt").read_bytes() == before
    with pytest.raises(UserError, match="was begun on"):
        _go(killed, "trainer.fused=true")
    assert (killed / "checkpoint.pt").read_bytes() == before


def test_states_pass_through_no_other_folder(tmp_path, monkeypatch, tickets):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(Killed):
        _go(tmp_path / "run", callbacks=(Kill(),))
    assert {file.name for file in (tmp_path / "run").glob("*.pt")} == {"checkpoint.pt", "checkpoint.previous.pt"}


def test_a_file_of_an_earlier_round_that_was_damaged_meanwhile_is_found(killed):
    (killed / "tickets" / "round_00.safetensors").write_bytes(b"half")
    _go(killed)
    with pytest.raises(UserError, match=r"tickets/round_00.safetensors is not as the run wrote it"):
        whole_summary(killed.absolute())


def test_a_full_disk_is_told_with_the_place(killed, monkeypatch):
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(UserError, match=rf"cannot write {killed}/checkpoint.pt: No space left"):
        _go(killed)
    assert (killed / "checkpoint.pt").exists() or (killed / "checkpoint.previous.pt").exists()
