"""A run among others, whose failure stops none of them."""

import traceback
from collections.abc import Callable
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from lipdip.cli.exit_codes import asked_to_stop, expected, in_one_line
from lipdip.cli.run_command import run
from lipdip.core.console import complain
from lipdip.runs.directory import HeldError, wait_until_free


def attempt(configure: Callable[[], DictConfig]) -> tuple[Path | None, str]:
    """Do a run silently, or find it done; one that another process is working on is waited for.

    Args:
        configure: gives its configuration.

    Returns:
        The run directory, and an empty text; or None, and in one line why the run failed.

    Raises:
        Stopped: if the process was asked to stop meanwhile.
    """
    while True:
        try:
            return run(configure(), Console(quiet=True)).absolute(), ""
        except HeldError as held:
            complain(f"waiting: {held}")
            wait_until_free(held.run)
        except Exception as error:
            if asked_to_stop(error):
                raise
            if not expected(error):  # ours to repair, and no reason to stop the others
                traceback.print_exc()
            return None, in_one_line(error)
