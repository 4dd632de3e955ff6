"""The command that makes what a panel lacks: its experiment, with the settings in which the panel's runs differ."""

import json
import math
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lipdip.reports.alike import without
from lipdip.reports.exhibit import Exhibit
from lipdip.reports.finished_run import Run
from lipdip.reports.gallery import Gallery

_SETS = ("set5", "set12", "set14", "dip")  # folders of standard pictures, which are options of image
_SMALL = {"image.size": 64, "model.channels": 16, "model.scales": 4, "fit.steps": 800}  # at scale=cpu
_LARGE = {"image.size": None, "model.channels": 128, "model.scales": 5}  # at scale=paper
_ALWAYS = {
    **{"task.seed": 0, "task.keep": 0.5, "model.skip_channels": 4, "model.code_channels": 32},
    **{"fit.lr": 0.01, "fit.ema": 0.99, "fit.record_every": 20, "fit.weight_decay": 0, "fit.weight_noise": 0},
    **{"fit.stop_rule": "wmv", "fit.stop_window": 100, "fit.stop_patience": 1000, "fit.stop_early": False},
    **{"fit.burn_in": None, "fit.thin": 50, "pruner.rate": 0.2, "pruner.scope": "all"},
}
_SGLD = {"fit.weight_decay": 5e-8, "fit.weight_noise": 0.02}  # in fit=sgld, which only fig16 has
_SGLD_STEPS = {True: {"fit.steps": 20000, "fit.burn_in": 7000}, False: {"fit.burn_in": 280}}  # at scale=paper, or cpu
_PLAIN = re.compile(r"[\w./,-]+")  # what Hydra and a shell read as it is


def remedy(exhibit: Exhibit | Gallery, runs: Sequence[Run], rounds: int | None = None, seed: int = 0) -> str:
    """The command that makes what a panel of these runs lacks.

    Args:
        exhibit: whose panel it is.
        runs: all runs of the panel.
        rounds: how many it takes, where that is known.
        seed: of the panel, where it shows one seed.
    """
    rounds_name = "protocol.rounds" if exhibit.name == "table2" else "pruner.rounds"  # its decoder is not pruned
    asked = {**_problem(runs), **_apart(exhibit, runs)}
    asked |= {} if rounds is None else {rounds_name: rounds}
    kept = without(asked, exhibit.sweeps)
    words = [_word(name, given) for name, given in kept.items()] + _where(runs)
    more = ["scale=paper"] if _large(runs[0]) else []
    return " ".join([exhibit.commands, *([f"seed={seed}"] if seed else []), *more, *words])


def rounds_to(run: Run, sparsity: float) -> int | None:
    """How many rounds would reach a sparsity, if the run prunes at one rate."""
    rate = ladder_rate(run)
    return None if rate is None else round(math.log(1 - sparsity) / math.log(1 - rate))


def ladder_rate(run: Run) -> float | None:
    """Which share of the remaining weights each round prunes; None where a run is on no ladder."""
    rate = run.at("pruner.rate")
    if run.at("pruner.sparsity") is not None or not isinstance(rate, float) or not 0 < rate < 1:
        return None
    return 1 - (1 - rate) ** 2 if run.at("pruner.listed_twice") is True else rate


def _problem(runs: Sequence[Run]) -> dict[str, Any]:
    """Task and picture; what the task's settings are is always told where experiments differ in them."""
    asked: dict[str, Any] = {"task": runs[0].at("task.name")}
    options = [_option(run) for run in runs]
    if None not in options:
        asked["image"] = ",".join(sorted({option for option in options if option is not None}))
    elif paths := {run.given("image.path") for run in runs}:
        path = paths.pop()
        asked |= {"image": "file", "image.path": path} if isinstance(path, str) and not paths else {}
    factor = runs[0].at("task.factor")
    return asked | ({} if factor is None else {"task.factor": factor})


def _option(run: Run) -> str | None:
    """The option of ``image`` that gives a run's picture, where it is a shipped or a standard one."""
    pictures = run.given("image.pictures")
    if not isinstance(pictures, dict) or len(pictures) != 1:
        return None
    ((name, node),) = pictures.items()
    if str(node.get("_target_")).endswith(".bundled"):
        return str(node.get("name"))
    path = Path(str(node.get("path")))
    return f"{path.parent.name}/{path.stem}" if path.parent.name in _SETS and name != "file" else None


def _apart(exhibit: Exhibit | Gallery, runs: Sequence[Run]) -> dict[str, Any]:
    """Settings that all runs of a panel share and that its experiment has otherwise."""
    own = [_chosen(run) for run in runs]
    shared = {}
    for name in dict.fromkeys(name for chosen in own for name in chosen):
        values = [chosen[name] for chosen in own if name in chosen]
        usual = [_usual(run).get(name) for run, chosen in zip(runs, own, strict=True) if name in chosen]
        if all(value == values[0] for value in values) and any(value != values[0] for value in usual):
            shared[name] = values[0]
    exactly = (name for name in exhibit.varies if "." in name)  # such as fit.steps, over which the experiment goes
    return dict(without(shared, exactly))


def _chosen(run: Run) -> dict[str, Any]:
    """The settings of a run that can be given to an experiment."""
    names = [name for name in _usual(run) if name != "image.size"]
    if "Hourglass" not in str(run.at("model._target_")):  # a deep decoder has other settings
        names = [name for name in names if not name.startswith(("model.", "fit.reg_noise_std"))]
    found = {name: run.at(name) for name in names}
    there = {name: given for name, given in found.items() if given is not None or name == "fit.burn_in"}
    return there if run.given("image") is None else {**there, "image.size": run.asked_size}


def _usual(run: Run) -> dict[str, Any]:
    """What an experiment gives to a run of that task."""
    large = _large(run)
    usual = {**_ALWAYS, **(_LARGE if large else _SMALL), "task.sigma": 25 if run.at("task.name") == "denoise" else 0}
    for name in ("steps", "reg_noise_std"):
        if large or name == "reg_noise_std":
            usual[f"fit.{name}"] = run.given(f"task.published.{name}")
    return usual | ({**_SGLD, **_SGLD_STEPS[large]} if run.at("fit.weight_noise") else {})


def _large(run: Run) -> bool:
    return bool(run.given("protocol.name") == "paper")


def _where(runs: Iterable[Run]) -> list[str]:
    """The directory that most runs lie in, where it is not the one that they were given."""
    apart = Counter(
        run.path.parent.parent
        for run in runs
        if (given := run.given("paths.output_dir")) and Path(given).resolve() != run.path.parent.parent.resolve()
    )
    return [_word("paths.output_dir", str(apart.most_common(1)[0][0]))] if apart else []


def _word(name: str, given: Any) -> str:
    """A setting as a word of a command line; a text that Hydra would read otherwise is quoted."""
    if isinstance(given, str):
        return f"{name}={given}" if _PLAIN.fullmatch(given) else shlex.quote(f"{name}={json.dumps(given)}")
    return shlex.quote(f"{name}={json.dumps(given)}")
