"""Hydra callback: writes the list of cells before a multirun starts and tells each run which cell it is."""

import hashlib
import json
import os
import socket
import sys
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.config_loader import ConfigLoader
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from hydra.experimental.callback import Callback
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from omegaconf.errors import OmegaConfBaseException

from lipdip.cli.exit_codes import expected, in_one_line
from lipdip.cli.quoting import literal, quoted
from lipdip.cli.sweeps.alike import check_stop_after
from lipdip.cli.sweeps.sweep_cell import SweepCell, SweepDirectory
from lipdip.core.console import complain
from lipdip.core.errors import UserError

MOST = 100_000  # runs of a sweep
Begin = Callable[[SweepDirectory | None, bool], None]  # the sweep, if planned, and whether a cluster has its cells
_listening: list[Begin] = []  # Hydra constructs the callback, so the listener is kept in a module variable.


def begin_with(listener: Begin | None) -> None:
    """Set the function that is called when a sweep begins in this process; None for none."""
    _listening[:] = [] if listener is None else [listener]


class Plan(Callback):
    """Write the list of cells, and create the sweep's directory, before a multirun starts."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Write the plan, and point all runs to it; a sweeper that chooses each run by the ones before has no plan.

        Raises:
            SystemExit: with code 2 if it cannot be written; Hydra would go on after any other error.
        """
        if not _has_list(config.hydra.sweeper):
            for listener in _listening:
                listener(None, False)
            return
        try:
            sweep = _begin(config)
        except (UserError, ValueError, TypeError, ArithmeticError, HydraException, OmegaConfBaseException) as error:
            complain(in_one_line(error) if expected(error) else f"a sweep over such values cannot be: {error}")
            sys.exit(2)
        for listener in _listening:
            listener(sweep, _queued(config.hydra.launcher))


def _begin(config: DictConfig) -> SweepDirectory:
    plan, stop_after = cells(config), OmegaConf.select(config, "sweep.stop_after")
    try:
        check_stop_after(stop_after)
    except ValueError as error:
        raise UserError(f"sweep.{error}") from None
    if not plan:
        raise UserError("this sweep has no runs: one of its settings is given no value")
    outputs = {next((own for own in reversed(cell) if own.startswith("paths.output_dir=")), "") for cell in plan}
    if len(outputs) > 1:
        raise UserError(f"paths.output_dir cannot be swept ({', '.join(sorted(outputs))}); quote it if it has a comma")
    name = hashlib.sha256(json.dumps(plan).encode()).hexdigest()[:12]
    # A directory for each process that does this sweep: none may write over what another says of a cell.
    output = Path(str(config.paths.output_dir)).expanduser()
    sweep = SweepDirectory(output / "sweeps" / name / f"{socket.gethostname()}-{os.getpid()}")
    with read_write(config), open_dict(config):
        config.hydra.sweep.dir = literal(sweep.path)
        config.hydra.overrides.hydra.append(f"hydra.sweep.dir={quoted(sweep.path)}")
    sweep.begin(plan, _own_directory(config), stop_after or 0)
    return sweep


def _own_directory(config: DictConfig) -> str:
    """What was given as ``--config-dir``, as Hydra recorded it."""
    given = [source.path for source in config.hydra.runtime.config_sources if source.provider == "command-line"]
    return str(given[0]) if given else ""


def _has_list(sweeper: DictConfig) -> bool:
    """Whether a sweeper knows all its runs before the first."""
    return hasattr(get_class(sweeper._target_), "split_arguments")


def searching() -> bool:
    """Whether this run was chosen by a sweeper that wants its score."""
    return not alone() and not _has_list(HydraConfig.get().sweeper)


def _queued(launcher: DictConfig) -> bool:
    """Whether a cluster's queue has the cells; submitit's local launcher has none."""
    room, _, name = str(launcher._target_).rpartition(".")
    return room.startswith("hydra_plugins.hydra_submitit_launcher") and name != "LocalLauncher"


def cells(config: DictConfig) -> list[list[str]]:
    """The overrides of every run, as Hydra's own sweeper will make them.

    Raises:
        HydraException: if an override cannot be read.
    """
    params = OmegaConf.to_container(config.hydra.sweeper.get("params") or OmegaConf.create({}), resolve=True)
    assert isinstance(params, dict)
    given = [f"{name!s}={value}" for name, value in params.items()]
    asked: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)  # each run resolves its own ${seed}
    searched = [own for own in config.hydra.overrides.hydra if own.startswith("hydra.searchpath=")]
    sweeper: Any = get_class(config.hydra.sweeper._target_)
    loader = GlobalHydra.instance().config_loader()
    return [[*searched, *own] for own in split([*given, *asked], sweeper, loader)]


def split(words: Sequence[str], sweeper: Any = BasicSweeper, loader: ConfigLoader | None = None) -> list[list[str]]:
    """The overrides of every run of a sweep, in its order.

    Args:
        words: the sweep's overrides.
        sweeper: the class of Hydra's sweeper.
        loader: knows the members of groups, which ``glob(...)`` needs.

    Raises:
        HydraException: if an override cannot be read.
        UserError: if there are too many.
    """
    overrides = OverridesParser.create(config_loader=loader).parse_overrides([*words])
    runs = 1
    for one in (one for one in overrides if one.is_sweep_override()):
        runs *= sum(1 for _ in islice(one.sweep_string_iterator(), MOST + 1))
        if runs > MOST:
            raise UserError(f"{one.input_line} makes a sweep of more than {MOST:,} runs, which no plan is written for")
    return [[*own] for batch in sweeper.split_arguments(overrides, None) for own in batch]


def alone() -> bool:
    """Whether this is a run by itself, and no cell of a sweep."""
    return OmegaConf.is_missing(HydraConfig.get().job, "num")


def here() -> tuple[SweepDirectory, SweepCell] | None:
    """The cell that this run is, and its sweep; None for a run by itself.

    Raises:
        UserError: if the plan cannot be read.
    """
    hydra = HydraConfig.get()
    if alone():
        return None
    sweep = SweepDirectory(Path(hydra.sweep.dir))
    return sweep, sweep.planned()[int(hydra.job.num)]  # as given: Hydra escapes what it hands on


def in_queue() -> bool:
    """Whether this run is a job of a cluster."""
    return _queued(HydraConfig.get().launcher)
