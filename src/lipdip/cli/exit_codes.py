"""The one place where an error becomes a line that a user can read, and an exit code.

Neither torch, Lightning nor Hydra is imported here, since commands that need none of them share this.
"""

import errno
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from types import FrameType

from lipdip.core.console import UNREAD, complain, print_no_more, shortened
from lipdip.core.errors import UserError

_HYDRA = ("hydra.errors.HydraException", "omegaconf.errors.OmegaConfBaseException")
_NO_MEMBER = "Config group override must be"  # how Hydra begins to say that a group is null: it has no type for that
_LIGHTNING = ("lightning.fabric.utilities.exceptions.MisconfigurationException",)
_STOPPED = ("lipdip.fit.autosave.Stopped",)
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENOMEM)


def exit_code(work: Callable[[], int | None], again: str = "", kept: str = "what was saved is kept") -> int:
    """Call ``work``; an error that is no bug becomes one line on standard error.

    Args:
        work: the command; it may return an exit code of its own.
        again: the command line that goes on with what was begun, if there is one.
        kept: what to say about files after Ctrl-C.

    Returns:
        0 or what ``work`` returns; 2 after an error that the user can put right; 128 + n if stopped by signal n.

    Raises:
        Exception: any other, which is a bug: Python shows where.
    """
    then = f". To go on, give the same command: {again}" if again else ""
    try:
        return work() or 0
    except BrokenPipeError:  # whoever reads what is printed has enough: ends_quietly
        raise
    except KeyboardInterrupt as stopped:
        complain(f"stopped; {kept}{then}")
        return int(stopped.args[0]) if stopped.args else 130
    except Exception as error:
        if not expected(error):
            raise
        goes_on = _is(error, *_STOPPED) or _no_room(error) or isinstance(error, BrokenExecutor)
        complain(f"{in_one_line(error)}{then if goes_on else ''}")
        return int(getattr(error, "exit_code", 2))


def ends_quietly(work: Callable[[], int]) -> int:
    """Call ``work``; where nobody reads what it prints any more (``| head -1``), end as programs do, without a line.

    Args:
        work: a whole command.

    Returns:
        What it returns; 141 (128 + SIGPIPE) if nobody reads, and 2, with a line, if nothing can be printed.
    """
    try:
        try:
            return work()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        print_no_more()
        return UNREAD
    except OSError as error:
        print_no_more()
        complain(f"cannot write to standard output: {error.strerror or error}")
        return 2


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


def in_one_line(error: Exception) -> str:
    """An error as one line that a user can read, with what to do where that is known."""
    if refused(error):
        from lipdip.cli.compose import explain  # loads Hydra

        return shortened(explain(error, sys.argv[1:]))
    if isinstance(error, BrokenExecutor):
        return "a worker process was killed, by hand or for want of memory"
    if isinstance(error, UserError) or _is(error, *_STOPPED):
        what = str(error)
    else:
        what = next(filter(None, map(str.strip, str(error).splitlines())), type(error).__name__)
        what = what if expected(error) else f"{type(error).__name__}: {what}"
    what = shortened(what)
    return f"{what}. Make room" if _no_room(error) else what


def refused(error: Exception) -> bool:
    """Whether Hydra refused a command line."""
    return _is(error, *_HYDRA) or (isinstance(error, ValueError) and str(error).startswith(_NO_MEMBER))


def expected(error: Exception) -> bool:
    """Whether an error is shown as one line; any other is a bug."""
    ours = isinstance(error, UserError | OSError | BrokenExecutor)
    return ours or refused(error) or _no_memory(error) or _is(error, *_STOPPED, *_LIGHTNING)


def asked_to_stop(error: Exception) -> bool:
    """Whether a fit ended because the process was asked to stop."""
    return _is(error, *_STOPPED)


def _is(error: Exception, *names: str) -> bool:
    """Whether an error is of one of these classes, which may come from packages that are not loaded."""
    return any(f"{kind.__module__}.{kind.__qualname__}" in names for kind in type(error).__mro__)


def _no_memory(error: Exception) -> bool:
    """Too little memory. PyTorch has a type for that on some devices, and on others only a text."""
    text = isinstance(error, RuntimeError) and re.search("out of memory|can't allocate memory", str(error))
    return bool(text) or isinstance(error, MemoryError) or _is(error, "torch.OutOfMemoryError")


def _no_room(error: Exception) -> bool:
    """A full disk, or too little memory."""
    if isinstance(error, UserError):  # what could not be written, and the system's words for why
        return any(os.strerror(code) in str(error) for code in _FULL)
    return _no_memory(error) or (isinstance(error, OSError) and error.errno in _FULL)
