"""Where training runs, and the switches that make it fast there."""

import difflib
import inspect
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from lightning import Trainer

from lipdip.core.check import STEPS, choice, flag, number
from lipdip.core.errors import UserError

SWITCHES = ("bf16", "channels_last", "fused", "compile")
_CHUNK = 20  # optimisation steps in a batch on a CUDA device, where a step takes as long as Lightning's own work


@dataclass(frozen=True)
class Hardware:
    """Where a fit runs, and the switches that make it fast there.

    Args:
        device: ``cpu``, ``cuda`` or ``auto`` (``cuda`` where there is one).
        bf16: run the network in bfloat16 autocast; weights, loss and scores stay float32.
        channels_last: keep feature maps channels-last.
        fused: Adam as one fused kernel.
        compile: compile network and loss with ``torch.compile``.
        steps_per_batch: optimisation steps that Lightning sees as one batch; None: 20 where the device is ``cuda``,
            else 1.
        save_seconds: how often an unfinished run is saved.
        lightning: further arguments of ``lightning.Trainer``, such as ``max_time``.

    Each switch may be None: on where the device is ``cuda``, off elsewhere.

    Raises:
        ValueError: on a value that makes no sense; its first word is the setting.
        UserError: if the device is not there.
    """

    device: str = "auto"
    bf16: bool | None = None
    channels_last: bool | None = None
    fused: bool | None = None
    compile: bool | None = None
    steps_per_batch: int | None = None
    save_seconds: float = 20.0
    lightning: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        choice("device", self.device, ("auto", "cpu", "cuda"))
        for name in SWITCHES:
            flag(name, getattr(self, name), optional=True)
        number("save_seconds", self.save_seconds, low=0)
        number("steps_per_batch", self.steps_per_batch, low=1, most=STEPS, whole=True, optional=True)
        if not isinstance(self.lightning, Mapping):
            raise ValueError(f"lightning must be a table of arguments of lightning.Trainer, not {self.lightning!r}")
        _check_lightning(self.lightning)
        there = torch.cuda.is_available()
        if self.device == "cuda" and not there:
            raise UserError(
                "no CUDA device is there (or this torch was built without CUDA); use trainer=cpu or trainer=auto"
            )
        cuda = there and self.device != "cpu"
        object.__setattr__(self, "device", "cuda" if cuda else "cpu")
        object.__setattr__(self, "steps_per_batch", self.steps_per_batch or (_CHUNK if cuda else 1))
        for name in SWITCHES:
            if getattr(self, name) is None:
                object.__setattr__(self, name, cuda)

    @property
    def switches(self) -> list[str]:
        """The switches that are on."""
        return [switch for switch in SWITCHES if getattr(self, switch)]

    @property
    def numerics(self) -> str:
        """What decides how numbers are rounded: device and switches, but not which machine."""
        own = [f"precision {self.lightning['precision']}"] if "precision" in self.lightning else []
        return ", ".join([self.device, *self.switches, *own])

    def network_precision(self) -> AbstractContextManager[Any]:
        """The autocast that the network alone runs in; without ``bf16`` whatever surrounds it, such as Lightning's."""
        return torch.autocast(self.device, dtype=torch.bfloat16) if self.bf16 else nullcontext()

    def full_precision(self) -> AbstractContextManager[Any]:
        """Physics, loss and scores run here, in float32 whatever surrounds them."""
        return torch.autocast(self.device, enabled=False)

    def __str__(self) -> str:
        name = torch.cuda.get_device_name() if self.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
        return ", ".join([name, *self.switches])


_ONE_DEVICE = "one run uses one device; -m with a launcher uses many"
_DECIDED = {  # arguments of lightning.Trainer that a run decides itself, and how each is asked for
    "max_epochs": "pruner.rounds",
    "limit_train_batches": "fit.steps",
    "accelerator": "trainer.device",
    "devices": _ONE_DEVICE,
    "num_nodes": _ONE_DEVICE,
    "strategy": _ONE_DEVICE,
    "logger": "the group logger",
    "callbacks": "the group callbacks",
    "default_root_dir": "paths.output_dir",
    "enable_checkpointing": "trainer.save_seconds",
}


def _check_lightning(arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that ``lightning.Trainer`` does not have, or that a run decides itself."""
    known = inspect.signature(Trainer).parameters
    for name in arguments:
        if name in _DECIDED:
            raise UserError(f"trainer.lightning.{name} is decided by the run itself: {_DECIDED[name]}")
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UserError(f"lightning.Trainer has no argument {name} (trainer.lightning){hint}")
        if known[name].annotation in (bool, bool | None) and not isinstance(arguments[name], bool | None):
            raise UserError(f"trainer.lightning.{name} must be true or false, not {arguments[name]!r}")
