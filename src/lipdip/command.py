"""What all Hydra commands share: where the configuration is, and errors as one clear line."""

import difflib
import errno
import os
import re
import shlex
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import hydra
import torch
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException
from rich.console import Console

from lipdip.configuration.quoting import quoted
from lipdip.core.errors import UserError
from lipdip.sweeps.cell import Cell
from lipdip.sweeps.hooks import here, in_queue
from lipdip.sweeps.session import Session
from lipdip.sweeps.work import Task, do, do_queued
from lipdip.training.autosave import Stopped

_PLUGINS = {"hydra/launcher/submitit_slurm": "slurm", "hydra/launcher/ray": "ray"}  # and the extra that has each

_NO_MEMBER = "Config group override must be"  # how Hydra begins to say that a group is null


def config_dir() -> Path:
    """The configuration: inside the installed package, or beside ``src`` in a checkout."""
    packaged = Path(__file__).parent / "conf"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "conf"


def compose(*overrides: str, command: str = "run", own: str = "") -> DictConfig:
    """The configuration that a command line would give, for use from Python.

    Args:
        overrides: as on the command line.
        command: names its YAML.
        own: a configuration directory of the user's (``--config-dir``), if any.

    Raises:
        UserError: if an override is not valid.
    """
    try:
        return _compose(command, [_written_out(override) for override in overrides], own)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise UserError(_explain(error, command, overrides)) from None


def _written_out(override: str) -> str:
    """``ticket=PATH`` is short for ``ticket.path=PATH``, so that ``ticket.round`` can stand beside it."""
    return re.sub(r"^ticket=", "ticket.path=", override)


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
    sys.argv[1:] = map(_written_out, sys.argv[1:])
    if any(re.match(r"(experiment|scale)=.*,", word) for word in sys.argv[1:]):
        _say("one experiment and one scale a command: the grid is chosen before the sweep begins")
        sys.exit(2)
    failed: list[Exception] = []
    to_go_on = f". To go on, give the same command: {again}"  # of a sweep its session says it

    def told(error: Exception) -> str:
        return _told(error, command, again)

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
            if not _expected(error):
                raise
            failed.append(error)
            _say(_told(error, command, again if cell is None else ""))
            if cell is not None and not in_queue():  # its state cannot be written, and nor could the others'
                sys.exit(2)

    def composed(cell: Cell) -> DictConfig:
        return compose(*cell.overrides, command=command, own=cell.config_dir)

    with Session(composed, task, told, console()) as session, terminable():
        try:
            try:
                hydra.main(version_base="1.3", config_path=str(config_dir()), config_name=command)(guarded)()
            except Exception as error:  # a launcher that cannot begin, or whose workers were killed: each has its own
                if not session.planned or _refused(error):
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
            if not _expected(error):
                raise
            failed.append(error)
            _say(_told(error, command, "" if session.planned else again))
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


def in_one_line(error: Exception) -> str:
    """An error as one line that a user can read."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, BrokenExecutor):
        return "a worker process was killed, by hand or for want of memory"
    what = (str(error) or type(error).__name__).splitlines()[0]
    return what if isinstance(error, OSError) or _no_memory(error) else f"{type(error).__name__}: {what}"


def _told(error: Exception, command: str, again: str) -> str:
    """An error in one line, and what to do where that is known: to give a command again, if one is given."""
    if _refused(error):
        return _explain(error, command, sys.argv[1:])
    what = in_one_line(error)
    then = f", and give the same command: {again}" if again else ""
    return f"{what}. Make room{then}" if _no_room(error) else what


def _refused(error: Exception) -> bool:
    """Whether Hydra refused a command line. One refusal has no type of its own, only a text."""
    untyped = isinstance(error, ValueError) and str(error).startswith(_NO_MEMBER)
    return untyped or isinstance(error, HydraException | OmegaConfBaseException)


def _expected(error: Exception) -> bool:
    """Whether an error is shown as one line; any other is a bug, and Python shows where it is."""
    return _refused(error) or _no_memory(error) or isinstance(error, UserError | OSError)


def _no_memory(error: Exception) -> bool:
    """Too little memory. PyTorch has a type for that on some devices, and on others only a text."""
    text = isinstance(error, RuntimeError) and re.search("out of memory|can't allocate memory", str(error))
    return bool(text) or isinstance(error, MemoryError | torch.OutOfMemoryError)


def console() -> Console:
    """Where commands print: as wide as the terminal, or wide enough for a table where there is none."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=120)


def _say(message: str) -> None:
    print(f"lipdip: {message}", file=sys.stderr, flush=True)


def _no_room(error: Exception) -> bool:
    """A full disk, or too little memory."""
    full = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENOMEM)
    if isinstance(error, UserError):  # what could not be written, and the system's words for why
        return any(os.strerror(code) in str(error) for code in full)
    return _no_memory(error) or (isinstance(error, OSError) and error.errno in full)


def _compose(command: str, overrides: list[str], own: str = "") -> DictConfig:
    searched = [f"hydra.searchpath=[{quoted(Path(own), 'file://')}]"] if own else []
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(config_dir()), version_base="1.3"):
        return hydra.compose(command, [*searched, *overrides])


def _explain(error: Exception, command: str, overrides: Sequence[str]) -> str:
    """One line for an error of Hydra's or OmegaConf's, with the nearest name where a name is wrong."""
    text = str(error)
    if text.startswith(_NO_MEMBER):
        return "a group takes the name of one of its members, not null (image=astronaut)"
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        missing = str(error.missing_cfg_file)
        if missing in _PLUGINS:
            extra = _PLUGINS[missing]
            return f'{missing.replace("launcher/", "launcher=")} is not installed: pip install "lipdip[{extra}]"'
        group, _, name = missing.rpartition("/") if missing.startswith("hydra/") else missing.partition("/")
        there = sorted({*_options(group), *(error.options or ())})
        if there:
            return f"there is no {group}={name}; there are: {_listed(there)}{_nearest(name, there)}"
    wrong = re.match(r"Could not override '([^']+)'", text)
    if wrong:
        key, there = wrong[1], list(_keys(_chosen(command, overrides)))
        elsewhere = key in set(_keys(_compose(command, [])))
        return f"there is no setting called {key}{' with these choices' if elsewhere else ''}{_nearest(key, there)}"
    return " ".join(line.strip() for line in text.splitlines()[:2] if line.strip())


def _chosen(command: str, overrides: Sequence[str]) -> DictConfig:
    """The configuration with the same members of groups, as far as those can be composed."""
    groups = [override for override in overrides if re.match(r"^[a-z]+=\w", override)]
    try:
        return _compose(command, [group for group in groups if (config_dir() / group.partition("=")[0]).is_dir()])
    except (HydraException, OmegaConfBaseException, ValueError):
        return _compose(command, [])


def _listed(there: list[str]) -> str:
    """A group's members; those in folders of their own are only counted."""
    near = [name for name in there if "/" not in name] or there
    more = f" and {len(there) - len(near)} more, which --help lists" if len(there) > len(near) else ""
    return ", ".join(near) + more


def _nearest(name: str, there: list[str]) -> str:
    close = difflib.get_close_matches(name, there, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def _options(group: str) -> Iterator[str]:
    folder = config_dir() / group
    for file in folder.rglob("*.yaml"):
        yield str(file.relative_to(folder).with_suffix(""))


def _keys(node: DictConfig, prefix: str = "") -> Iterator[str]:
    """All settings, dotted, and the groups at the top."""
    for key in map(str, node):
        yield prefix + key
        child = node._get_node(key)
        if isinstance(child, DictConfig):
            yield from _keys(child, f"{prefix}{key}.")
