"""Finding a ticket and restoring a picture from Python: arrays in, values out."""

import copy
import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from torch import Tensor, nn

import lipdip.networks
from lipdip.core.errors import UserError
from lipdip.core.files import checked_path, read_regular
from lipdip.core.seeds import default_generator_seeded
from lipdip.fit.execute import execute
from lipdip.fit.experiment import Experiment, Origin
from lipdip.fit.hardware import Hardware
from lipdip.fit.memory import forecast
from lipdip.fit.prune_and_rewind import PruneAndRewind
from lipdip.networks import Hourglass
from lipdip.networks.protocol import code_shape_of
from lipdip.physics import Physics, as_physics
from lipdip.pictures import Problem, draw_codes
from lipdip.pictures.arrays import as_floats, as_picture
from lipdip.pruning.cut import Scorer
from lipdip.runs.contents import whole_summary
from lipdip.runs.directory import RunDirectory
from lipdip.runs.found import Run
from lipdip.runs.identity import RUN_FORMAT, Identity, canonical, tag
from lipdip.tasks import read_curves, read_rounds
from lipdip.tasks.restoration import PriorFitting
from lipdip.tickets.mask import Mask
from lipdip.tickets.scope import ends, prunable
from lipdip.tickets.sealed import tensor_digests
from lipdip.tickets.ticket_file import Ticket
from lipdip.tickets.transfer_mask import transfer_mask

if TYPE_CHECKING:
    from lightning import Callback

Array = Tensor | npt.ArrayLike
Network = nn.Module | Callable[..., nn.Module]
JITTER = 0.03  # standard deviation of the noise on the code at every step, as published for most tasks


def find(
    x: Array | Problem | Sequence[Problem],
    physics: Any = None,
    network: Network = Hourglass,
    *,
    pruner: Scorer | PruneAndRewind | None = None,
    seed: int = 0,
    rounds: int = 10,
    rate: float = 0.2,
    steps: int = 3000,
    directory: str | Path | None = None,
    hardware: Hardware | str | None = None,
    callbacks: Sequence["Callback"] = (),
    progress: bool = False,
    **settings: Any,
) -> Run:
    """Find a lottery ticket: fit, prune, rewind, again and again (Algorithm 1).

    The picture is measured by ``physics``, with noise of its own seed 0; only scores see the clean one. Without a
    clean picture give ``lip.Problem(y, physics)``: then there are no scores, and no ticket can be known to match.

    Args:
        x: the clean picture, (1, C, H, W), (C, H, W) or (H, W) with values in [0, 1]; or problems.
        physics: how it is measured, of lipdip or deepinv; not for problems, which have theirs.
        network: a class or function that makes one (called with ``out_channels``, if it takes that), drawn from
            ``seed``; or any module from a code to a picture, of which a copy is trained.
        pruner: the rule that scores weights (None: magnitude after training), or a whole ``PruneAndRewind``.
        seed: of initial weights, code and jitter.
        rounds: of pruning, after the dense one.
        rate: fraction of the remaining weights pruned each round.
        steps: optimisation steps of a round.
        directory: a folder for the run, which is then resumable; a finished one is read back. None: none is made.
        hardware: where it runs, ``Hardware(...)`` or its device (``"cpu"``); None: on a GPU where there is one.
        callbacks: further callbacks of Lightning's.
        progress: show a line for each round.
        settings: of :class:`~lipdip.PriorFitting`: ``metric``, ``multi``, and fields of ``FitSettings`` (``lr=0.01``).

    Raises:
        UserError, ValueError, TypeError: if values do not go together; the directory is another run's; a fit diverges.

    >>> import torch, lipdip as lip
    >>> x = torch.rand(1, 32, 32)
    >>> small = partial(lip.Hourglass, channels=4, scales=2)
    >>> found = lip.find(x, lip.physics.Denoise(x.shape), small, rounds=2, steps=3)
    >>> [round(row.sparsity, 2) for row in found.rounds], found.pictures["restored_last"].dtype
    ([0.0, 0.2, 0.36], torch.float32)
    """
    problems = _problems(x, physics)
    channels = problems[0].physics.image_shape[0]
    built, origin = _network(network, channels, seed)
    module = PriorFitting(
        built,
        problems,
        seed=seed,
        hardware=_hardware(hardware),
        **{"reg_noise_std": JITTER, "steps": steps, **settings},
    )
    prune = pruner if isinstance(pruner, PruneAndRewind) else PruneAndRewind(pruner, rate=rate, rounds=rounds)
    rule = {"rule": tag(type(prune.scorer)), "kept": list(prune.plan(module.start_mask, module.budget))}
    return _run(module, prune, origin, rule, directory, callbacks, progress)


def restore(
    y: Array,
    physics: Any,
    ticket: Ticket | str | Path | None = None,
    network: Network | None = None,
    *,
    seed: int | None = None,
    steps: int = 3000,
    directory: str | Path | None = None,
    hardware: Hardware | str | None = None,
    callbacks: Sequence["Callback"] = (),
    progress: bool = False,
    **settings: Any,
) -> Tensor:
    """Restore one degraded picture: fit a network to what was measured, and stop where a rule says so.

    Args:
        y: the measurement, (1, c, h, w) or without the leading one; a tensor or NumPy array.
        physics: how it was measured, of lipdip or deepinv.
        ticket: a sparse network to use, or its file; None: the dense network.
        network: as in :func:`find`; None: the ticket's own, else the full hourglass. With a ticket that lipdip cannot
            build, the class that it was found on.
        seed: of code, jitter and, without a ticket, initial weights; None: the ticket's, else 0.
        steps: optimisation steps.
        directory: a folder for the run, which is then resumable; None: none is made.
        hardware: where it runs, ``Hardware(...)`` or its device (``"cpu"``); None: on a GPU where there is one.
        callbacks: further callbacks of Lightning's.
        progress: show a line for each round.
        settings: of :class:`~lipdip.PriorFitting`, such as ``lr=0.01`` or ``stop_early=True``.

    Returns:
        The restored picture, (1, C, H, W) float32: the output average at the step that the stopping rule chose.

    Raises:
        UserError, ValueError, TypeError: as :func:`find`; or if the ticket does not fit the picture's network.

    >>> import torch, lipdip as lip
    >>> physics = lip.physics.Inpaint((3, 32, 32), keep=0.5, seed=0)
    >>> y = physics(torch.rand(1, 3, 32, 32))
    >>> lip.restore(y, physics, network=partial(lip.Hourglass, channels=4, scales=2), steps=3).shape
    torch.Size([1, 3, 32, 32])
    """
    problem = Problem(y, _physics(physics, y))
    if isinstance(ticket, str | Path):
        ticket = Ticket.load(ticket)
    if seed is None:
        seed = 0 if ticket is None else int(ticket.code.get("seed") or 0)
    channels, mask = problem.physics.image_shape[0], None
    if ticket is None:
        built, origin = _network(network or Hourglass, channels, seed)
    else:
        built, origin, mask = _with_ticket(ticket, network, problem, seed)
    module = PriorFitting(
        built,
        [problem],
        seed=seed,
        mask=mask,
        hardware=_hardware(hardware),
        **{"reg_noise_std": JITTER, "steps": steps, **settings},
    )
    rule = {"ticket": None if mask is None else mask.digest()}
    run = _run(module, None, origin, rule, directory, callbacks, progress)
    return run.pictures["restored_last"]


class DeepImagePrior(nn.Module):
    """A deep image prior with the call of deepinv's reconstructors: ``x_hat = prior(y, physics)``.

    Args:
        ticket: a sparse network to use, or its file; None: the dense network.
        network: as in :func:`restore`.
        settings: further arguments of :func:`restore`, such as ``steps=1200``.

    >>> import torch, lipdip as lip
    >>> physics = lip.physics.Denoise((1, 32, 32))
    >>> prior = lip.DeepImagePrior(network=partial(lip.Hourglass, channels=4, scales=2), steps=2)
    >>> prior(physics(torch.rand(1, 1, 32, 32)), physics).shape
    torch.Size([1, 1, 32, 32])
    """

    def __init__(
        self, ticket: Ticket | str | Path | None = None, network: Network | None = None, **settings: Any
    ) -> None:
        nn.Module.__init__(self)
        self.ticket = Ticket.load(ticket) if isinstance(ticket, str | Path) else ticket
        self._maker = (network,)  # in a tuple, so that a module is not a part of this one
        self.settings = settings

    def forward(self, y: Tensor, physics: Any, **_: Any) -> Tensor:
        """Restore each measurement of a batch by a fit of its own, also where gradients are off.

        Args:
            y: (N, ...), what ``physics`` measured.
            physics: of lipdip or deepinv.
            _: what deepinv's Trainer hands to every model; not looked at.

        Returns:
            (N, C, H, W) float32, on ``y``'s device.
        """
        (network,) = self._maker
        with torch.enable_grad():
            pictures = [restore(one[None], physics, self.ticket, network, **self.settings) for one in y]
        return torch.cat(pictures).detach().to(y.device)

    def reconstructor(self) -> nn.Module:
        """The same as an instance of ``deepinv.models.Reconstructor``, for the few places that ask for the class.

        Raises:
            ImportError: if deepinv is not installed.
        """
        from deepinv.models import Reconstructor

        kind = type("DeepImagePrior", (DeepImagePrior, Reconstructor), {})
        made: nn.Module = kind.__new__(kind)  # type: ignore[call-overload]
        made.__dict__.update(self.__dict__)
        return made


def _hardware(given: Hardware | str | None) -> Hardware:
    return given if isinstance(given, Hardware) else Hardware(given or "auto")


def _problems(x: Array | Problem | Sequence[Problem], physics: Any) -> list[Problem]:
    if isinstance(x, Problem):
        return [x]
    if isinstance(x, list | tuple) and x and all(isinstance(one, Problem) for one in x):
        return list(x)
    if physics is None:
        raise TypeError("find needs a physics beside a picture; a Problem has its own")
    picture = as_picture(x)  # type: ignore[arg-type]
    return [Problem.measured(picture, as_physics(physics, picture.shape[1:]))]


def _physics(physics: Any, y: Array) -> Physics:
    """Lipdip's own, or another's wrapped: its adjoint tells what shape its pictures have."""
    if isinstance(physics, Physics):
        return physics
    measured = as_floats(y, "y")
    adjoint = getattr(physics, "A_adjoint", None)
    if adjoint is None:
        return as_physics(physics, measured.shape[-3:])
    batch = measured if measured.dim() >= 4 else measured[None]
    return as_physics(physics, adjoint(batch).shape[1:])


def _network(network: Network, channels: int, seed: int) -> tuple[nn.Module, Origin]:
    """A network at its initialisation, and where its weights are from."""
    if isinstance(network, nn.Module):
        kind = type(network)
        return copy.deepcopy(network), Origin({"target": _public(kind), "settings": {}}, redrawable=False)
    takes = inspect.signature(network).parameters
    more = {"out_channels": channels} if "out_channels" in takes else {}
    with default_generator_seeded(seed, "init"):
        built = network(**more)
    given = dict(network.keywords) if isinstance(network, partial) else {}
    maker = network.func if isinstance(network, partial) else network
    plain = isinstance(maker, type) and (not isinstance(network, partial) or not network.args)
    settings = {**given, **more}
    own = {"target": _public(type(built)), "settings": settings if plain else {}}
    return built, Origin(own, redrawable=plain and _all_plain(settings))


def _public(kind: type) -> str:
    """The name that tickets give a network: lipdip's own by its public path."""
    known = getattr(lipdip.networks, kind.__name__, None) is kind
    return f"lipdip.networks.{kind.__name__}" if known else f"{kind.__module__}.{kind.__qualname__}"


def _all_plain(settings: Mapping[str, Any]) -> bool:
    return all(isinstance(item, str | int | float | bool | list | tuple | None) for item in settings.values())


def _with_ticket(
    ticket: Ticket, network: Network | None, problem: Problem, seed: int
) -> tuple[nn.Module, Origin, Mask]:
    """The ticket's network with its weights and mask; for pictures of other channels with other layers at the ends."""
    if isinstance(network, nn.Module):
        raise UserError("with a ticket, network must be a class or function that makes the ticket's network")
    own, settings = ticket.network(network), dict(ticket.architecture.get("settings") or {})
    channels = problem.physics.image_shape[0]
    origin = Origin(dict(ticket.architecture), redrawable=False)
    if settings.get("out_channels", channels) == channels:
        return own, origin, ticket.mask
    settings["out_channels"] = channels
    with default_generator_seeded(seed, "init"):
        built = type(own)(**settings)
    code = draw_codes([code_shape_of(built, problem.physics.image_shape)], seed, shared=False)[0]
    first, last = ends(built, code)
    applied = transfer_mask(ticket.mask, prunable(built, "all", code), first if last is None else first | {last})
    state, here = own.state_dict(), built.state_dict()
    built.load_state_dict({**here, **{name: item for name, item in state.items() if item.shape == here[name].shape}})
    return built, Origin({**origin.network, "settings": settings}, redrawable=False), applied.mask


def _run(
    module: PriorFitting,
    prune: PruneAndRewind | None,
    origin: Origin,
    rule: Mapping[str, Any],
    directory: str | Path | None,
    callbacks: Sequence["Callback"],
    progress: bool,
) -> Run:
    identity = _identity(module, origin, rule)
    experiment = Experiment(
        module=module,
        prune=prune,
        origin=origin,
        identity=identity,
        configuration={"seed": module.seed, **rule},
        memory=_memory(module),
    )
    console = Console() if progress else None
    with nullcontext() if directory is None else RunDirectory(checked_path(directory, "directory")) as held:
        if held is not None:
            text = _check_same(held, identity)
            if (summary := held.summary) is not None:
                return _stored(held.path, summary)
            held.reopen()
            held.write("identity.json", text)
        record = execute(experiment, held, console, callbacks=callbacks)
        if held is not None:
            return _stored(held.path, whole_summary(held.path))
    return Run(record.rounds, record.tickets, record.images, record.curves, module.ended)


def _memory(module: PriorFitting) -> int | None:
    codes, pictures = module.codes, [problem.physics.image_shape for problem in module.problems]
    shapes = [tuple(code.shape[1:]) for code in codes]
    return forecast(module.network, shapes, pictures, module.settings, not module.multi.accumulate)


def _check_same(held: RunDirectory, identity: Identity) -> str:
    """Refuse a directory in which another run was begun; the identity as text."""
    text, begun = json.dumps(identity, indent=2, sort_keys=True) + "\n", held.path / "identity.json"
    if begun.exists() and read_regular(begun) != text.encode():
        raise UserError(f"{held.path} holds another run; give another directory, or remove it")
    return text


def _identity(module: PriorFitting, origin: Origin, rule: Mapping[str, Any]) -> Identity:
    """What decides the numbers of a run from Python: contents of arrays and weights, settings, and the rule."""
    arrays = {f"y/{number}": problem.y for number, problem in enumerate(module.problems)}
    arrays |= {f"z/{number}": code for number, code in enumerate(module.codes)}
    arrays |= {f"physics/{name}": item for name, item in module.problems[0].physics.named_buffers()}
    whole = {
        **{"format": RUN_FORMAT, "seed": module.seed, "network": dict(origin.network), "fit": vars(module.settings)},
        **{"physics": [tag(type(problem.physics)) for problem in module.problems], "multi": vars(module.multi)},
        **{"weights": tensor_digests(module.initial), "arrays": tensor_digests(arrays), "metric": vars(module.metric)},
        **rule,
    }
    plain: dict[str, Any] = canonical(whole)
    return plain


def _stored(path: Path, summary: Mapping[str, Any]) -> Run:
    """A finished run, read back."""
    rounds = read_rounds(path)
    tickets = [Ticket.load(path / "tickets" / f"round_{row.round:02d}.safetensors") for row in rounds]
    folder = path / "images"
    files = {str(file.relative_to(folder).with_suffix("")): file for file in sorted(folder.rglob("*.npy"))}
    pictures = {name: torch.from_numpy(np.load(file, allow_pickle=False)) for name, file in files.items()}
    return Run(rounds, tickets, pictures, read_curves(path), summary["ended"], path)
