"""How many runs and optimisation steps the sweeps of conf/experiment have at the paper's size; nothing is fitted.

    python benchmarks/count_runs.py [override ...]

Composes every cell of every grid with ``scale=paper``, for the paper's seeds: ten, and three for Fig. 16. Cells that
agree in everything that decides a run's numbers are one run, which is done once. The columns "one seed" are for seed 1:
at seed 0 the noise of two quirks in the audit is the usual one. A run has ``rounds x fit.steps`` steps; the dense round
counts as a round. Classification and GAN training are among the runs but not among the steps, since their steps cost
something else. Runs that use the tickets (``python experiments/NAME.py``) are not counted.
"""

import json
import sys
from collections.abc import Iterator
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from lipdip.cli.compose import config_dir
from lipdip.cli.sweeps.plan_callback import cells
from lipdip.pruning.schedule import ladder, ladder_to, target

OVERRIDES = ("scale=paper",)
SEEDS = {"fig16": 3}
WEIGHTS = 2_200_000  # about the paper's network; only the number of rounds to a given sparsity is taken from it
OTHER_STEPS = ("classify", "gan_train")


def grid(experiment: str, *overrides: str) -> list[DictConfig]:
    """The configuration of every cell of an experiment's sweep."""
    with hydra.initialize_config_dir(str(config_dir()), version_base="1.3"):
        asked = (f"experiment={experiment}", *OVERRIDES, *overrides)
        plan = cells(hydra.compose("run", list(asked), return_hydra_config=True))
        return [hydra.compose("run", own) for own in plan]


def runs(found: list[DictConfig], seed: int) -> Iterator[tuple[str, int]]:
    """What decides each run, as text, and its steps."""
    for cfg in found:
        cfg.seed = seed
        plain: Any = OmegaConf.to_container(cfg, resolve=True)
        kind, pruner = plain["task"]["name"], plain["pruner"]
        data = ("dataset",) if kind in OTHER_STEPS else ("image", "multi")
        if pruner["scorer"] is None:
            plain["pruner"] = None  # rate and rounds decide nothing
        decides = {part: plain[part] for part in ("model", "task", "pruner", "fit", "seed", "ticket", *data)}
        yield json.dumps(decides, sort_keys=True), 0 if kind in OTHER_STEPS else rounds(pruner) * plain["fit"]["steps"]


def rounds(pruner: dict[str, Any]) -> int:
    """How often the network is fitted."""
    if pruner["scorer"] is None:
        return 1
    if pruner["sparsity"] is None:
        return len(ladder(WEIGHTS, pruner["rate"], pruner["rounds"]))
    if pruner["when"] == "initialisation":
        return 2
    return len(ladder_to(WEIGHTS, pruner["rate"], target(WEIGHTS, pruner["sparsity"])))


def main(*overrides: str) -> None:
    """Print a row for each experiment, and one for all."""
    one: dict[str, int] = {}
    every: dict[str, int] = {}
    listed = 0
    print(f"{'':8}{'runs':>6}{'not in a row above':>20}{'steps, one seed':>18}{'steps, ten seeds':>18}")
    for name in sorted(path.stem for path in (config_dir() / "experiment").glob("*.yaml")):
        found, seeds = grid(name, *overrides), SEEDS.get(name, 10)
        own, all_seeds = dict(runs(found, 1)), dict(run for seed in range(seeds) for run in runs(found, seed))
        new = own.keys() - one.keys()
        print(f"{name:8}{len(found):6}{len(new):20}{sum(own.values()):18,}{sum(all_seeds.values()):18,}", flush=True)
        listed += len(found)
        one |= own
        every |= all_seeds
    print(f"{'all':8}{listed:6}{len(one):20}{sum(one.values()):18,}{sum(every.values()):18,}")
    print(f"{len(every)} runs with the paper's seeds: ten, and three for fig16")


if __name__ == "__main__":
    main(*sys.argv[1:])
