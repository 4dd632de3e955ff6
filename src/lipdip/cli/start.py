"""The command ``lipdip run``: one run or a sweep, started by Hydra."""

import os
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import hydra
from omegaconf import DictConfig
from rich.console import Console

from lipdip.cli.compose import checked, config_dir, own_directory, setting_names, written_out
from lipdip.cli.exit_codes import exit_code, expected, in_one_line, refused, terminable
from lipdip.cli.options import options_first
from lipdip.cli.sweeps.plan_callback import alone, here, in_queue, searching
from lipdip.cli.sweeps.session import Session
from lipdip.cli.sweeps.work import PATIENCE, Task, do
from lipdip.core.console import complain, console
from lipdip.core.errors import UserError

if TYPE_CHECKING:
    from lipdip.fit.naming import Sweep


def main() -> int:
    """The command; ends the process where its exit code is not 0. Help and tab completion load no torch."""
    from lipdip.cli.completion import completion

    if not completion(sys.argv[1:]):
        start("run", _run)
    return 0


def _run(cfg: DictConfig, screen: Console | None = None, sweep: "Sweep | None" = None) -> Path:
    from lipdip.cli.run_command import run

    return run(cfg, screen, sweep)


def start(command: str, task: Task) -> None:
    """Do ``task`` on the configuration that this process's command line describes.

    In a multirun a failed cell stops no other, and all failures are listed at the end.

    Args:
        command: names the YAML, and ``python -m lipdip.COMMAND``.
        task: does a run.

    Raises:
        SystemExit: with an exit code other than 0, as :func:`exit_code` gives it; 2 if cells of a sweep are not done.
    """
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then hands its errors on instead of printing them in its own way
    words = sys.argv[1:]
    again = shlex.join(["python", "-m", f"lipdip.{command}", *words])

    def guarded(cfg: DictConfig) -> float | None:
        if searching():
            return _searched(cfg, task)
        code = exit_code(lambda: _do(cfg, task), again if alone() else "")
        if code > 2 or (code and (alone() or not in_queue())):  # nobody waits for a job's exit code
            sys.exit(code)
        return None

    def launch() -> None:
        sys.argv[1:] = _for_hydra(words)
        try:
            hydra.main(version_base="1.3", config_path=str(config_dir()), config_name=command)(guarded)()
        except Exception as error:  # a launcher that cannot begin, or whose workers were killed: each has its own
            if session.foreign and not expected(error):
                raise UserError(f"the sweeper gave up: {in_one_line(error)}") from error
            if not session.planned or refused(error):
                session.discarded()
                raise
            if session.discarded():
                raise UserError(f"the launcher gave up ({in_one_line(error)}); nothing is under way") from error
            complain(f"the launcher gave up ({in_one_line(error)}); {session.rest}")
        session.finish()

    with Session(task, console()) as session, terminable():
        code = exit_code(launch)
    if code or session.undone:
        sys.exit(code or 2)


def _for_hydra(words: Sequence[str]) -> list[str]:
    """A command line as Hydra takes it: options first, and paths quoted.

    Raises:
        UserError: if Hydra would refuse it with more than a line, or take without a word what nothing reads.
    """
    options, settings = options_first(words, setting_names() if any(word.startswith("-") for word in words) else ())
    if any(re.match(r"(experiment|scale)=.*,", word) for word in settings):
        raise UserError("one experiment and one scale a command: the grid is chosen before the sweep begins")
    sweep = bool({"-m", "--multirun"} & set(options))
    return [*options, *map(written_out, checked(settings, own_directory(options), sweep))]


def _searched(cfg: DictConfig, task: Task) -> float:
    """Do a run for a sweeper that chooses the next by its score; an error is the sweeper's to count."""
    from lipdip.cli.score import score_of

    return score_of(task(cfg, None, None), cfg.get("score"))


def _do(cfg: DictConfig, task: Task) -> None:
    """Do a run by itself, or the cell of a sweep that this run is."""
    cell = here()
    if cell is None:
        task(cfg, None, None)
    else:
        do(task, lambda: cfg, cell[1], cell[0], PATIENCE if in_queue() else 0)
