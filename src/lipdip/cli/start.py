"""What all Hydra commands share: one run or a sweep, signals, and errors as one clear line."""

import os
import re
import shlex
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import hydra
from omegaconf import DictConfig
from rich.console import Console

from lipdip.cli.compose import compose, config_dir, written_out
from lipdip.cli.one_line import expected, in_words, refused
from lipdip.cli.sweeps.plan_callback import here, in_queue
from lipdip.cli.sweeps.session import Session
from lipdip.cli.sweeps.sweep_cell import Cell
from lipdip.cli.sweeps.work import Task, do, do_queued
from lipdip.fit.autosave import Stopped


def start(command: str, task: Task) -> None:
    """Run ``task`` on the configuration that the command line describes; ``command`` names its YAML.

    In a multirun a failed cell stops no other, and all failures are listed at the end.

    Raises:
        SystemExit: with code 2 after an error that the user can put right (one line says how, or one line for each
            cell), or 128 + n if it was stopped by signal n.
    """
    # Hydra then hands its errors on instead of printing them in its own way.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    again = shlex.join(["python", "-m", f"lipdip.{command}", *sys.argv[1:]])
    sys.argv[1:] = map(written_out, sys.argv[1:])
    if any(re.match(r"(experiment|scale)=.*,", word) for word in sys.argv[1:]):
        _say("one experiment and one scale a command: the grid is chosen before the sweep begins")
        sys.exit(2)
    failed: list[Exception] = []
    to_go_on = f". To go on, give the same command: {again}"  # of a sweep its session says it

    def told(error: Exception) -> str:
        return in_words(error, command, again)

    def guarded(cfg: DictConfig) -> None:
        cell = None
        try:
            cell = here()
            if cell is None:
                task(cfg, None, None)
            else:
                doing = do_queued if in_queue() else do
                doing(task, lambda: cfg, cell[1], cell[0], told)
        except Stopped as stopped:
            if cell is None:
                _say(f"{stopped}{to_go_on}")
            sys.exit(stopped.exit_code)
        except Exception as error:
            if not expected(error):
                raise
            failed.append(error)
            _say(in_words(error, command, again if cell is None else ""))
            if cell is not None and not in_queue():  # its state cannot be written, and nor could the others'
                sys.exit(2)

    def composed(cell: Cell) -> DictConfig:
        return compose(*cell.overrides, command=command, own=cell.config_dir)

    with Session(composed, task, told, console()) as session, terminable():
        try:
            try:
                hydra.main(version_base="1.3", config_path=str(config_dir()), config_name=command)(guarded)()
            except Exception as error:  # a launcher that cannot begin, or whose workers were killed: each has its own
                if not session.planned or refused(error):
                    session.refused()
                    raise
                _say(f"the launcher gave up ({told(error)}); {session.rest}")
            session.finish()
        except Stopped as stopped:
            sys.exit(stopped.exit_code)
        except KeyboardInterrupt as stopped:
            _say(f"stopped; what was saved is kept{'' if session.planned else to_go_on}")
            sys.exit(stopped.args[0] if stopped.args else 130)
        except Exception as error:
            if not expected(error):
                raise
            failed.append(error)
            _say(in_words(error, command, "" if session.planned else again))
    if failed or session.undone:
        sys.exit(2)


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end the process as Ctrl-C does, with its own exit code; a fit handles signals itself."""

    def heard(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt(128 + signum)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may listen for signals
        return
    before = signal.signal(signal.SIGTERM, heard)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def console() -> Console:
    """Where commands print: as wide as the terminal, or wide enough for a table where there is none."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=120)


def _say(message: str) -> None:
    print(f"lipdip: {message}", file=sys.stderr, flush=True)
