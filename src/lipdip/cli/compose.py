"""From words of a command line to a configuration, and Hydra's complaints as one line."""

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from lipdip.cli.quoting import quoted
from lipdip.core.errors import UserError

_PLUGINS = {"hydra/launcher/submitit_slurm": "slurm", "hydra/launcher/ray": "ray"}  # and the extra that has each

NO_MEMBER = "Config group override must be"  # how Hydra begins to say that a group is null


def config_dir() -> Path:
    """The configuration: inside the installed package, or beside ``src`` in a checkout."""
    packaged = Path(__file__).parents[1] / "conf"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "conf"


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
        return _compose(command, [written_out(override) for override in overrides], own)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise UserError(explain(error, command, overrides)) from None


def written_out(override: str) -> str:
    """``ticket=PATH`` is short for ``ticket.path=PATH``, so that ``ticket.round`` can stand beside it."""
    return re.sub(r"^ticket=", "ticket.path=", override)


def _compose(command: str, overrides: list[str], own: str = "") -> DictConfig:
    searched = [f"hydra.searchpath=[{quoted(Path(own), 'file://')}]"] if own else []
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(config_dir()), version_base="1.3"):
        return hydra.compose(command, [*searched, *overrides])


def explain(error: Exception, command: str, overrides: Sequence[str]) -> str:
    """One line for an error of Hydra's or OmegaConf's, with the nearest name where a name is wrong."""
    text = str(error)
    if text.startswith(NO_MEMBER):
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
