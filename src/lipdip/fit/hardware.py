"""Where training runs, and the switches that make it fast there."""

from dataclasses import dataclass

import torch

from lipdip.fit.settings import require


@dataclass(frozen=True)
class Hardware:
    """Where a fit runs, and the switches that make it fast there.

    Args:
        device: ``cpu``, ``cuda`` or ``auto`` (``cuda`` where there is one).
        bf16: run the network in bfloat16 autocast; weights, loss and scores stay float32.
        channels_last: keep feature maps channels-last.
        fused: Adam as one fused kernel.
        compile: compile network and loss with ``torch.compile``.
        chunk_seconds: how long a ``training_step`` goes on; scores are read back at its end.
        save_seconds: how often an unfinished run is saved.

    Each switch may be None: on where the device is ``cuda``, off elsewhere.

    Raises:
        UserError: if the device is not there.
    """

    device: str = "auto"
    bf16: bool | None = None
    channels_last: bool | None = None
    fused: bool | None = None
    compile: bool | None = None
    chunk_seconds: float = 1.0
    save_seconds: float = 20.0

    def __post_init__(self) -> None:
        require(
            self.device in ("auto", "cpu", "cuda"), f"trainer.device must be auto, cpu or cuda, not {self.device!r}"
        )
        for name in ("bf16", "channels_last", "fused", "compile"):
            value = getattr(self, name)
            require(value is None or isinstance(value, bool), f"trainer.{name} must be true, false or null")
        for name in ("chunk_seconds", "save_seconds"):
            value = getattr(self, name)
            require(isinstance(value, int | float) and value >= 0, f"trainer.{name} must be a number of at least 0")
        there = torch.cuda.is_available()
        require(
            self.device != "cuda" or there,
            "no CUDA device is there (or this torch was built without CUDA); use trainer=cpu or trainer=auto",
        )
        cuda = there and self.device != "cpu"
        object.__setattr__(self, "device", "cuda" if cuda else "cpu")
        for name in ("bf16", "channels_last", "fused", "compile"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, cuda)

    @property
    def numerics(self) -> str:
        """What decides how numbers are rounded: device and switches, but not which machine."""
        switches = [switch for switch in ("bf16", "channels_last", "fused", "compile") if getattr(self, switch)]
        return ", ".join([self.device, *switches])

    def __str__(self) -> str:
        name = torch.cuda.get_device_name() if self.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
        switches = [switch for switch in ("bf16", "channels_last", "fused", "compile") if getattr(self, switch)]
        return ", ".join([name, *switches])
