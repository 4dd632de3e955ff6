"""What a run is called for people: which cell of a study it is."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from lipdip.core.errors import UserError
from lipdip.core.ticket import Ticket

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


def configuration(directory: Path) -> dict[str, Any]:
    """The contents of a run directory's ``config.yaml``, without paths and logger; empty if there is none."""
    file = directory / "config.yaml"
    config: dict[str, Any] = yaml.safe_load(file.read_text()) if file.exists() else {}
    return {name: part for name, part in config.items() if name not in ("paths", "logger")}


def cell(config: Mapping[str, Any], varied: Collection[str] = ()) -> dict[str, Any]:
    """Which cell of a study a run is, in words: task, picture, pruner, what else is not as usual, and seed.

    Args:
        config: of the run.
        varied: further settings to tell, by dotted name: what a sweep tries several values of.
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
    unusual = [name for name, usual in _USUAL.items() if _at(config, name) not in (None, usual)]
    names = dict.fromkeys([*unusual, *varied])
    values = {name.removesuffix(".path").removesuffix(".name"): _short(_at(config, name)) for name in names}
    words = {name if name == "task.seed" else name.removeprefix("task."): value for name, value in values.items()}
    return ", ".join(f"{name}={value}" for name, value in words.items() if value is not None)


def _at(config: Mapping[str, Any], name: str) -> Any:
    """A setting by its dotted name; None where there is none."""
    found: Any = config
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _short(value: Any) -> str | None:
    """A setting's value; of a group's member its name, of a path its last part."""
    if isinstance(value, Mapping):
        value = value.get("name") or str(value.get("_target_", "")).rpartition(".")[2] or None
    text = None if value is None else str(value)
    return text if text is None or "/" not in text else Path(text).stem


def swept(output_dir: Path, name: str | None) -> list[str]:
    """Which settings a sweep of this name tries several values of, but for those that are told anyway."""
    values: dict[str, set[str]] = {}
    for file in output_dir.glob("sweeps/*/*/sweep.json") if name is not None else ():
        try:
            cells = json.loads(file.read_text())["cells"]
        except (OSError, ValueError, KeyError):
            continue  # another process may be writing it; a name can do without
        if file.parents[1].name == name or any(f"experiment={name}" in own for own in cells):
            for key, _, value in (override.lstrip("+").partition("=") for own in cells for override in own):
                values.setdefault(key, set()).add(value)
    varied = [key for key, several in values.items() if len(several) > 1 and key not in _TOLD]
    return [key for key in varied if key.partition(".")[0].partition("/")[0] not in _ELSEWHERE]


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
