"""When a run listens for signals: from its first step until its summary is written, and never after."""

import io
import signal

import lightning as L
import pytest
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.core.errors import UserError
from lipdip.fit.autosave import Stopped
from lipdip.fit.execute import execute
from lipdip.runs.directory import RunDirectory
from lipdip.runs.reading import read_base_rounds

from .conftest import TINY

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@pytest.mark.parametrize("signum", SIGNALS)
def test_asked_to_stop_after_the_last_step_a_run_is_finished_and_then_stops(tmp_path, signum):
    class Ask(L.Callback):
        def on_train_end(self, trainer, pl_module):
            signal.raise_signal(signum)

    before = [signal.getsignal(one) for one in SIGNALS]
    experiment = assemble(compose(*TINY, "pruner=none", "trainer=cpu"))
    with RunDirectory(tmp_path / experiment.name) as directory, pytest.raises(Stopped) as stopped:
        execute(experiment, directory, Console(file=io.StringIO()), callbacks=[Ask()])
    assert stopped.value.exit_code == 128 + signum
    assert (directory.path / "summary.json").exists(), "what was found is not lost"
    assert [signal.getsignal(one) for one in SIGNALS] == before


def test_asked_to_stop_at_the_end_of_a_round_the_next_is_begun_and_saved(tmp_path):
    """Lightning's own handler of SIGTERM would end the run there, and lose what came after the last save."""

    class Ask(L.Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            if trainer.current_epoch == 1:
                signal.raise_signal(signal.SIGTERM)

    experiment = assemble(compose(*TINY, "trainer=cpu"))
    with RunDirectory(tmp_path / experiment.name) as directory, pytest.raises(Stopped, match="in round 2"):
        execute(experiment, directory, Console(file=io.StringIO()), callbacks=[Ask()])
    assert directory.checkpoint.exists()
    assert [row.round for row in read_base_rounds(directory.path)] == [0, 1]


def test_a_fit_that_fails_leaves_signals_and_the_cursor_as_they_were(tmp_path):
    before = [signal.getsignal(one) for one in SIGNALS]
    experiment = assemble(compose(*TINY, "pruner=none", "trainer=cpu", "fit.reg_noise_std=1e38"))
    screen = Console(file=io.StringIO(), force_terminal=True)
    with RunDirectory(tmp_path / "run") as directory, pytest.raises(UserError, match="diverged"):
        execute(experiment, directory, screen)
    assert [signal.getsignal(one) for one in SIGNALS] == before
    hidden, shown = (screen.file.getvalue().rfind(code) for code in ("\x1b[?25l", "\x1b[?25h"))
    assert -1 < hidden < shown
