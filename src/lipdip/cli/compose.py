"""From words of a command line to a configuration, and Hydra's complaints as one line."""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from lipdip.cli.added import added_names, check_target
from lipdip.cli.options import check_bare, options_first
from lipdip.cli.quoting import quoted
from lipdip.cli.typed_paths import as_typed, data_directory
from lipdip.core.console import shortened
from lipdip.core.errors import UserError

_PLUGINS = {  # and what to install for each
    "hydra/launcher/submitit_slurm": '"lipdip[slurm]"',
    "hydra/launcher/ray": '"lipdip[ray]"',
    "hydra/sweeper/optuna": "hydra-optuna-sweeper",
}
_FEW = 4  # settings that a message lists
_SEVERAL = ("image", "logger", "callbacks")  # groups that take a list of members
WORDS = "_words_"  # where a configuration that was composed in Python keeps what it was composed from
RENAMED = {
    "logger.mode": "logger.wandb.mode",
    "logger.project": "logger.wandb.project",
    "logger.entity": "logger.wandb.entity",
    "trainer.chunk_seconds": "trainer.steps_per_batch",
}


def config_dir() -> Path:
    """The configuration: inside the installed package, or beside ``src`` in a checkout."""
    packaged = Path(__file__).parents[1] / "conf"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "conf"


def compose(*overrides: str, own: str = "") -> DictConfig:
    """The configuration that a command line would give, for use from Python.

    Args:
        overrides: as on the command line.
        own: a configuration directory of the user's (``--config-dir``), if any.

    Raises:
        UserError: if an override is not valid.
    """
    words = checked(overrides, own)
    try:
        cfg = _compose(map(written_out, words), own)
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise UserError(explain(error, words, own)) from None
    with open_dict(cfg):
        cfg[WORDS] = words
    return cfg


def checked(words: Sequence[str], own: str = "", sweep: bool = False) -> list[str]:
    """The settings of a command line, with paths as they were typed; refuses what Hydra would take without a word.

    Args:
        words: as they were typed, without options.
        own: a configuration directory of the user's, if any.
        sweep: whether they are those of a sweep.

    Raises:
        UserError: if a word is no setting, a path cannot be, or nothing would read a setting that is added.
    """
    for word in words:
        if word.startswith("-"):
            options_first([word, *words], setting_names())
            raise UserError(f"the option {word} has no place among settings")
    if any("=" not in word or word.startswith("=") for word in words):
        check_bare(words, members(own), setting_names())
    for word in words:
        group, _, value = word.partition("=")
        if value.startswith("[") and group in _groups(own) and group not in _SEVERAL:
            raise UserError(
                f"{group} takes one of its members, not a list{'' if sweep else '; -m with a,b tries each'}"
            )
    data_dir = data_directory(words)
    typed = [as_typed(word, sweep, data_dir) for word in words]
    check_added(typed, own)
    return typed


def setting_names() -> list[str]:
    """All settings of the default configuration, dotted, and the groups at the top."""
    return list(_keys(_compose([])))


def members(own: str = "") -> dict[str, list[str]]:
    """The members of each group, the user's own among them."""
    folders = [config_dir(), *([Path(own)] if own else [])]
    return {group: sorted({name for folder in folders for name in _options(group, folder)}) for group in _groups(own)}


def _groups(own: str) -> list[str]:
    folders = [config_dir(), *([Path(own)] if own else [])]
    return sorted({one.name for folder in folders for one in folder.glob("[a-z]*/") if one.name != "hydra"})


def written_out(override: str) -> str:
    """A word in the form that Hydra takes.

    ``ticket=PATH`` is short for ``ticket.path=PATH``, so that ``ticket.round`` can stand beside it; arguments of
    callbacks and of Lightning's Trainer need no ``+``, since nobody lists them all.
    """
    return re.sub(r"^(trainer\.lightning|callbacks)\.", r"++\1.", re.sub(r"^ticket=", "ticket.path=", override))


def own_directory(words: Sequence[str]) -> str:
    """What a command line gives as ``--config-dir``; empty if it gives none."""
    for word, following in zip(words, [*words, ""][1:], strict=True):
        if word in ("--config-dir", "-cd"):
            return following
        if word.startswith("--config-dir="):
            return word.partition("=")[2]
    return ""


def check_added(overrides: Sequence[str], own: str = "") -> None:
    """Refuse settings that are added with ``+`` and that nothing would read.

    Whatever has a ``_target_`` is left to its constructor, and so are callbacks, loggers and the trainer's settings.

    Raises:
        UserError: naming the nearest setting that there is.
    """
    given = {word.lstrip("+").partition("=")[0]: word.partition("=")[2] for word in overrides}
    renamed = next((name for name in given if name in RENAMED), None)
    if renamed is not None:
        raise UserError(_no_setting(renamed, ()))
    added = added_names(overrides, _groups(own))
    if not added:
        return
    config = _chosen(overrides, own)
    there = list(_keys(config))
    read = {name for word in overrides for name in re.findall(r"\$\{([\w.]+)", word)}
    for name in (name for name in added if name not in there and name not in read):
        if name.startswith("trainer.lightning."):
            continue
        parts = name.split(".")
        outer = [".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1)]
        node = next((node for node in outer if f"{node}._target_" in (*there, *given, *added)), None)
        if node is None:
            raise UserError(_no_setting(name, there))
        if not name.startswith("dataset."):  # every other class is made in every run, and refuses it itself
            continue
        target = given.get(f"{node}._target_")
        if target is None:
            target = OmegaConf.select(config, f"{node}._target_", throw_on_missing=False)
        check_target(name, node, target)


def explain(error: Exception, words: Sequence[str], own: str = "") -> str:
    """One line for an error of Hydra's or OmegaConf's, with the nearest name where a name is wrong."""
    text, own = str(error), own or own_directory(words)
    if isinstance(error, ValueError) and text.startswith("Config group override must be"):
        return "a group takes the name of one of its members, not null or a number (image=astronaut)"
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        missing = str(error.missing_cfg_file)
        if missing in _PLUGINS:
            folder, _, name = missing.rpartition("/")
            return f"{folder}={name} is not installed: pip install {_PLUGINS[missing]}"
        group, _, name = missing.rpartition("/") if missing.startswith("hydra/") else missing.partition("/")
        there = sorted({*_options(group), *(error.options or ())})
        if there:
            return f"there is no {group}={name}; there are: {_listed(there)}{_nearest(name, there)}"
    if isinstance(error, OverrideParseException):
        name, _, value = shortened(str(error.override)).partition("=")
        return f"Hydra cannot read {name}={value}; such a value needs quotes inside the shell's own: \"{name}='...'\""
    ambiguous = re.match(r"Ambiguous value for argument '(.*)'", text)
    if ambiguous:
        name, _, value = ambiguous[1].partition("=")
        return f"{name} is given several values, {value}: -m makes a sweep of them, and {name}=[{value}] a list"
    wrong = re.match(r"Could not override '([^']+)'", text)
    if wrong:
        elsewhere = " with these choices" if wrong[1] in set(_keys(_compose([]))) else ""
        return _no_setting(wrong[1], list(_keys(_chosen(words, own))), elsewhere)
    own_lines = [line for line in text.splitlines() if not re.match(r"\s*(full_key:|object_type=|See https)", line)]
    return shortened("\n".join(own_lines))


def _compose(overrides: Iterable[str], own: str = "") -> DictConfig:
    searched = [f"hydra.searchpath=[{quoted(Path(own), 'file://')}]"] if own else []
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(config_dir()), version_base="1.3"):
        return hydra.compose("run", [*searched, *overrides])


def _chosen(words: Sequence[str], own: str = "") -> DictConfig:
    """The configuration with the same members of groups (in a sweep, the first), as far as those can be composed."""
    groups = [word.partition(",")[0] for word in words if re.match(r"^[a-z]+=\w", word)]
    try:
        return _compose([group for group in groups if (config_dir() / group.partition("=")[0]).is_dir()], own)
    except (HydraException, OmegaConfBaseException, ValueError):
        return _compose([])


def _no_setting(name: str, there: Sequence[str], more: str = "") -> str:
    if name in RENAMED:
        return f"{name} is called {RENAMED[name]} now"
    group, _, own = name.rpartition(".")
    if more == "" and name.startswith(("logger.", "callbacks.")):
        return f"there is no setting called {name}; +{name} adds it"
    siblings = [key for key in there if group and key.rpartition(".")[0] == group]
    elsewhere = [key for key in there if key.rpartition(".")[2] == own]
    near = difflib.get_close_matches(name, siblings, n=1, cutoff=0.8) or elsewhere
    others = [key for key in there if not name.startswith(f"{key}.")]
    if near:
        hint = f"; did you mean {near[0]}?"
    elif siblings and len(siblings) <= _FEW:
        hint = f"; there are: {', '.join(siblings)}"
    else:
        hint = _nearest(name, others)
    return f"there is no setting called {name}{more}{hint}"


def _listed(there: list[str]) -> str:
    """A group's members; those in folders of their own are only counted."""
    near = [name for name in there if "/" not in name] or there
    more = f" and {len(there) - len(near)} more, which --help lists" if len(there) > len(near) else ""
    return ", ".join(near) + more


def _nearest(name: str, there: Sequence[str]) -> str:
    close = difflib.get_close_matches(name, there, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else ""


def _options(group: str, folder: Path | None = None) -> Iterator[str]:
    folder = (folder or config_dir()) / group
    for file in folder.rglob("*.yaml"):
        yield str(file.relative_to(folder).with_suffix(""))


def _keys(node: DictConfig, prefix: str = "") -> Iterator[str]:
    """All settings, dotted, and the groups at the top."""
    for key in map(str, node):
        yield prefix + key
        child = node._get_node(key)
        if isinstance(child, DictConfig):
            yield from _keys(child, f"{prefix}{key}.")
