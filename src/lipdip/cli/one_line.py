"""Errors as one line that a user can read, in one place."""

import errno
import os
import re
import sys
from concurrent.futures import BrokenExecutor

import torch
from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from lipdip.cli.compose import NO_MEMBER, explain
from lipdip.core.errors import UserError


def in_one_line(error: Exception) -> str:
    """An error as one line that a user can read."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, BrokenExecutor):
        return "a worker process was killed, by hand or for want of memory"
    what = (str(error) or type(error).__name__).splitlines()[0]
    return what if isinstance(error, OSError) or _no_memory(error) else f"{type(error).__name__}: {what}"


def in_words(error: Exception, command: str, again: str) -> str:
    """An error in one line, and what to do where that is known: to give a command again, if one is given."""
    if refused(error):
        return explain(error, command, sys.argv[1:])
    what = in_one_line(error)
    then = f", and give the same command: {again}" if again else ""
    return f"{what}. Make room{then}" if _no_room(error) else what


def refused(error: Exception) -> bool:
    """Whether Hydra refused a command line. One refusal has no type of its own, only a text."""
    untyped = isinstance(error, ValueError) and str(error).startswith(NO_MEMBER)
    return untyped or isinstance(error, HydraException | OmegaConfBaseException)


def expected(error: Exception) -> bool:
    """Whether an error is shown as one line; any other is a bug, and Python shows where it is."""
    return refused(error) or _no_memory(error) or isinstance(error, UserError | OSError)


def _no_memory(error: Exception) -> bool:
    """Too little memory. PyTorch has a type for that on some devices, and on others only a text."""
    text = isinstance(error, RuntimeError) and re.search("out of memory|can't allocate memory", str(error))
    return bool(text) or isinstance(error, MemoryError | torch.OutOfMemoryError)


def _no_room(error: Exception) -> bool:
    """A full disk, or too little memory."""
    full = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENOMEM)
    if isinstance(error, UserError):  # what could not be written, and the system's words for why
        return any(os.strerror(code) in str(error) for code in full)
    return _no_memory(error) or (isinstance(error, OSError) and error.errno in full)
