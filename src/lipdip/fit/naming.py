"""What a run is called for people: which cell of a study it is."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from lipdip.core.dotted import value
from lipdip.core.errors import UserError
from lipdip.tickets.ticket_file import Ticket

_USUAL = {  # settings that a run's name tells where they have another value
    "task.sigma": 0,
    "task.keep": None,
    "task.factor": None,
    "task.measurements": None,
    "task.outliers": 0,
    "fit.code": "fixed",
    "fit.objective": "mse",
    "multi.code": "per_image",
    "pruner.sparsity": None,
    "pruner.rewind": 0,
    "ticket.round": None,
    "protocol.name": "quick",
}
_TOLD = ("task", "image", "image.path", "image.content", "pruner", "seed", "experiment", "scale")  # by other words
_ELSEWHERE = ("logger", "paths", "trainer", "hydra")  # groups that change no numbers


@dataclass(frozen=True)
class Sweep:
    """The sweep that a run belongs to.

    Args:
        name: its experiment, or a hash of its plan.
        varied: the settings that it tries several values of, by dotted name.
    """

    name: str
    varied: tuple[str, ...] = ()


def configuration(directory: Path) -> dict[str, Any]:
    """The contents of a run directory's ``config.yaml``, without paths and logger; empty if there is none."""
    file = directory / "config.yaml"
    config: dict[str, Any] = yaml.safe_load(file.read_text()) if file.exists() else {}
    return {name: part for name, part in config.items() if name not in ("paths", "logger")}


def cell(config: Mapping[str, Any], varied: Collection[str] = ()) -> dict[str, Any]:
    """Which cell of a study a run is, in words: task, picture, pruner, what else is not as usual, and seed.

    Args:
        config: of the run.
        varied: settings that its sweep tries several values of, by dotted name; those that other words tell, and
            those that change no numbers, are left out.
    """
    pruner, given = config["pruner"], config["ticket"]["path"] is not None
    rule = pruner["name"] if pruner["scorer"] is not None else _start(config["ticket"]) if given else "dense"
    return {
        "task": config["task"]["name"].replace("_", " "),
        "picture": _pictures(config),
        "pruner": f"{rule} from a {_start(config['ticket'])}" if given and pruner["scorer"] is not None else rule,
        "setting": _told_settings(config, varied),
        "seed": config["seed"],
    }


def named(own: Mapping[str, Any]) -> str:
    """A run's name for people, from its :func:`cell`."""
    setting = [own["setting"]] if own["setting"] else []
    return ", ".join([own["task"], own["picture"], own["pruner"], *setting, f"seed {own['seed']}"])


def _start(ticket: Mapping[str, Any]) -> str:
    """What a run starts from: a ticket, or the control of one."""
    if ticket["init"] == "reinit":
        return "reinit control"
    file = Path(ticket["path"]).expanduser()
    try:
        kind = Ticket.load(file).provenance.get("control") if file.is_file() else None
    except UserError:
        kind = None
    return "ticket" if kind is None else f"{kind} control"


def _told_settings(config: Mapping[str, Any], varied: Collection[str]) -> str:
    unusual = [name for name, usual in _USUAL.items() if value(config, name) not in (None, usual)]
    more = [name for name in varied if name not in _TOLD and re.split("[./]", name)[0] not in _ELSEWHERE]
    names = dict.fromkeys([*unusual, *more])
    told = {name.removesuffix(".path").removesuffix(".name"): _short(value(config, name)) for name in names}
    words = {name if name == "task.seed" else name.removeprefix("task."): item for name, item in told.items()}
    return ", ".join(f"{name}={item}" for name, item in words.items() if item is not None)


def _short(item: Any) -> str | None:
    """A setting's value; of a group's member its name, of a path its last part."""
    if isinstance(item, Mapping):
        item = item.get("name") or str(item.get("_target_", "")).rpartition(".")[2] or None
    text = None if item is None else str(item)
    return text if text is None or "/" not in text else Path(text).stem


def job(config: Mapping[str, Any]) -> str:
    """What a run is for: ``find`` a ticket, ``use`` one, or neither, ``dense``."""
    if config["pruner"]["scorer"] is not None:
        return "find"
    return "use" if config["ticket"]["path"] is not None else "dense"


def _pictures(config: Mapping[str, Any]) -> str:
    if config["task"]["name"] in ("classify", "gan_train"):
        return str(config["dataset"]["_target_"]).rpartition(".")[2].replace("_", " ")
    names: list[str] = []
    for name, source in config["image"]["pictures"].items():
        path = source.get("path") if name == "file" else None
        names += [name] if path is None else [Path(one).stem for one in ([path] if isinstance(path, str) else path)]
    subject = " + ".join(names) if len(names) <= 3 else f"{len(names)} pictures"
    content = config["image"]["content"]
    return subject if content == "picture" else f"{subject} ({content})"
