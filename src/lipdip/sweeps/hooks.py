"""Where Hydra's multirun and a sweep meet: the plan comes before the first run, and each run learns its cell."""

import hashlib
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from lipdip.configuration.quoting import literal, quoted
from lipdip.sweeps.cell import Cell, SweepDirectory

Begin = Callable[[SweepDirectory, bool], None]  # the sweep, and whether a cluster's queue has its cells
_listening: list[Begin] = []  # Hydra makes the hook itself, and so cannot be handed what to tell


def begin_with(listener: Begin | None) -> None:
    """Who is told that a sweep begins in this process; None for nobody."""
    _listening[:] = [] if listener is None else [listener]


class Plan(Callback):
    """Before a multirun begins: every cell that it will have, and a directory where each will be told of."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Write the plan, and point all runs to it."""
        plan = cells(config)
        name = hashlib.sha256(json.dumps(plan).encode()).hexdigest()[:12]
        # A directory for each process that does this sweep: none may write over what another says of a cell.
        path = Path(config.paths.output_dir) / "sweeps" / name / f"{socket.gethostname()}-{os.getpid()}"
        with read_write(config), open_dict(config):
            config.hydra.sweep.dir = literal(path)
            config.hydra.overrides.hydra.append(f"hydra.sweep.dir={quoted(path)}")
        sweep = SweepDirectory(path)
        sweep.begin(plan)
        queued = config.hydra.launcher._target_.endswith(".SlurmLauncher")
        for listener in _listening:
            listener(sweep, queued)


def cells(config: DictConfig) -> list[list[str]]:
    """The overrides of every run, as Hydra's own sweeper will make them."""
    params = OmegaConf.to_container(config.hydra.sweeper.get("params") or OmegaConf.create({}), resolve=True)
    assert isinstance(params, dict)
    given = [f"{name!s}={value}" for name, value in params.items()]
    parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
    asked: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)  # each run resolves its own ${seed}
    overrides = parser.parse_overrides([*given, *asked])
    return [own for batch in BasicSweeper.split_arguments(overrides, None) for own in batch]


def here() -> tuple[SweepDirectory, Cell] | None:
    """The cell that this run is, and its sweep; None for a run by itself."""
    hydra = HydraConfig.get()
    if OmegaConf.is_missing(hydra.job, "num"):
        return None
    sweep, number = SweepDirectory(Path(hydra.sweep.dir)), int(hydra.job.num)
    return sweep, Cell(number, tuple(sweep.plan()[number]))  # as given: Hydra escapes what it hands on
