"""What the assembly of every kind shares: pictures, where a network starts, how it is pruned, the run's identity."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from lipdip.core.errors import UserError
from lipdip.fit.experiment import Experiment, Origin
from lipdip.fit.rounds import Rounds
from lipdip.pictures import Picture, read
from lipdip.runs.identity import RUN_FORMAT, canonical, flat, tag, unusual
from lipdip.tasks.configuration import Config, blaming, build, expected, seed_of, settings_of, target
from lipdip.tasks.pruner_settings import PrunerSettings
from lipdip.tasks.starting_point import GivenTicket, Start, start
from lipdip.tickets.scope import ends

_NOT_SCIENCE = (
    "published",
    "fits",
    "target",
)  # of a task: the paper's numbers, who does it, a default of pruner.target


def begin(
    config: Config, network: nn.Module, origin: Origin, code: Tensor, given: GivenTicket
) -> tuple[Start, Origin, set[str]]:
    """Apply the ticket that a run starts from, if any.

    Returns:
        Where training starts, where the network's weights are then from, and the names of weights that no mask touches.

    Raises:
        UserError: if the ticket does not fit the network.
    """
    with blaming(config, "pruner"):
        settings = PrunerSettings.of(config)
        started = start(config, network, code, given, pretrained=origin.pretrained is not None)
        unmasked = ends(network, code)[0] if settings.input_convs_stay_dense else set[str]()
    return started, origin.after(started.own), unmasked


def experiment(
    config: Config,
    module: Rounds,
    started: Start,
    origin: Origin,
    notes: Sequence[str],
    identity: Mapping[str, Any],
    configuration: Mapping[str, Any],
) -> Experiment:
    """A run of any kind, with its pruner and its name.

    Args:
        config: the whole configuration.
        module: what is trained.
        started: from :func:`begin`, like ``origin``.
        origin: where the network's weights are from.
        notes: what was done to pictures and data on the way.
        identity: what of the kind's own decides the numbers, by dotted name.
        configuration: the kind's own parts of the configuration, in place of those of the same name.

    Raises:
        UserError: if a setting of the pruner makes no sense.
    """
    with blaming(config, "pruner"):
        settings = PrunerSettings.of(config)
        prune, tickets = settings.callback(config, module.network, started.mask, module.budget)
    own = {f"ticket.{name}": item for name, item in (started.identity or {}).items()}
    if own and settings.input_convs_stay_dense:
        own["ticket.input_convs_stay_dense"] = True
    callbacks = config.get("callbacks") or {}
    decided = {
        "format": RUN_FORMAT,
        "seed": module.seed,
        **identity,
        **settings.identity(tickets, started.identity is None),
        **own,
        **(dict(flat(canonical(callbacks), "callbacks")) if callbacks else {}),
    }
    task = {name: item for name, item in config["task"].items() if name not in _NOT_SCIENCE}
    whole = {
        **{"format": RUN_FORMAT, "task": task, "model": config["model"], "fit": settings_of(config["fit"])},
        **{"pruner": settings.configuration() or ({"name": settings.name, "init": settings.init}), "seed": module.seed},
        **({} if started.identity is None else {"ticket": dict(started.identity)}),
        **configuration,
    }
    if prune is None and not decided.get("pruner.init"):
        whole["pruner"] = None
    if tickets and whole["pruner"] is not None:
        whole["pruner"]["ticket"] = [ticket.mask.digest() for ticket in tickets]
    return Experiment(
        module=module,
        prune=prune,
        origin=origin,
        identity=canonical(decided),
        configuration=canonical(whole),
        clean=settings.target == "clean",
        notes=[*started.notes, *_unused(settings), *notes],
    )


def node_identity(config: Config, place: str, name: str = "", **instead: Any) -> dict[str, Any]:
    """What a node that has a ``_target_`` adds to the identity: its tag, and its settings that are not the default.

    Args:
        config: the whole configuration.
        place: the node's dotted name.
        name: what to call it; none: ``place``.
        instead: values that take the place of settings, such as a file's digest.
    """
    node: Any = config
    for part in place.split("."):
        node = node[part]
    made = target(node, place)
    return {name or place: tag(made), **unusual(made, {**settings_of(node), **instead}, name or place)}


def checked_settings(config: Config, **more: Any) -> Any:
    """The settings of a kind, from ``fit``."""
    return build(config, "fit", **more)


def pictures(config: Config) -> list[Picture]:
    """All pictures that ``image`` names; ``image.path`` may be a list of files, or a folder."""
    image = config["image"]
    sources, path = image.get("pictures") or {}, image["path"]
    if not sources:
        raise UserError("give at least one image")
    if path is not None and not {"file", "folder"} & set(sources):
        other = next(iter(sources))
        raise UserError(f"image.path needs image=file or image=folder beside it; image={other} has its own")
    found: list[Picture] = []
    for name in sources:
        several = name == "file" and isinstance(path, list)
        data_dir = str(config["paths"]["data_dir"])
        if several:
            found += [read(one, data_dir) for one in path]
            continue
        place = f"image.pictures.{name}"
        built = build(config, place)
        own = built if isinstance(built, list) else [built]
        if not own:
            raise UserError(f"{place}._target_={sources[name]['_target_']} gives no picture")
        found += [expected(one, Picture, place, sources[name]) for one in own]
    if not found:
        raise UserError("image.path is an empty list; give at least one picture")
    names = [picture.name for picture in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"two pictures are called {twice}; results go by name, so give them different ones")
    return found


def run_seed(config: Config) -> int:
    """Seed of initialisation, code and jitter."""
    return seed_of(config, "seed")


def _unused(pruner: PrunerSettings) -> list[str]:
    """A note where a rule for ending rounds was given to a run that has only one."""
    if pruner.scorer is not None or pruner.stop is None:
        return []
    return [f"pruner.stop={pruner.stop} changes nothing: pruner={pruner.name} has one round"]
