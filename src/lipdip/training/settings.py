"""How a prior is fitted, and on what."""

from dataclasses import dataclass

import torch

from lipdip.core.errors import UserError


def _require(ok: bool, message: str) -> None:
    if not ok:
        raise UserError(message)


@dataclass(frozen=True)
class FitSettings:
    """The budget of one round, and how it is spent.

    Args:
        steps: optimisation steps a round.
        lr: learning rate of Adam.
        reg_noise_std: standard deviation of the jitter added to the code at every step.
        ema: decay of the output average, which starts at the first output.
        record_every: steps between two rows of ``curves.csv``; SSIM is taken there only.
        answer: which picture is scored: ``average`` (the output average) or ``output`` (the raw output).

    Raises:
        UserError: on a value that makes no sense, named as on the command line.
    """

    steps: int
    lr: float = 0.01
    reg_noise_std: float = 0.0
    ema: float = 0.99
    record_every: int = 20
    answer: str = "average"

    def __post_init__(self) -> None:
        def number(value: object) -> bool:
            return isinstance(value, int | float) and not isinstance(value, bool)

        for name in ("steps", "record_every"):
            value = getattr(self, name)
            _require(isinstance(value, int) and value >= 1, f"fit.{name} must be at least 1, not {value!r}")
        _require(number(self.lr) and 0 < self.lr < float("inf"), f"fit.lr must be a positive number, not {self.lr!r}")
        _require(
            number(self.reg_noise_std) and 0 <= self.reg_noise_std < float("inf"),
            f"fit.reg_noise_std must be a number of at least 0, not {self.reg_noise_std!r}",
        )
        _require(number(self.ema) and 0 <= self.ema < 1, f"fit.ema must lie in [0, 1), not {self.ema!r}")
        _require(self.answer in ("average", "output"), f"fit.answer must be average or output, not {self.answer!r}")


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
        _require(
            self.device in ("auto", "cpu", "cuda"), f"trainer.device must be auto, cpu or cuda, not {self.device!r}"
        )
        for name in ("bf16", "channels_last", "fused", "compile"):
            value = getattr(self, name)
            _require(value is None or isinstance(value, bool), f"trainer.{name} must be true, false or null")
        for name in ("chunk_seconds", "save_seconds"):
            value = getattr(self, name)
            _require(isinstance(value, int | float) and value >= 0, f"trainer.{name} must be a number of at least 0")
        there = torch.cuda.is_available()
        _require(
            self.device != "cuda" or there,
            "no CUDA device is there (or this torch was built without CUDA); use trainer=cpu or trainer=auto",
        )
        cuda = there and self.device != "cpu"
        object.__setattr__(self, "device", "cuda" if cuda else "cpu")
        for name in ("bf16", "channels_last", "fused", "compile"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, cuda)

    def __str__(self) -> str:
        name = torch.cuda.get_device_name() if self.device == "cuda" else f"CPU, {torch.get_num_threads()} threads"
        switches = [switch for switch in ("bf16", "channels_last", "fused", "compile") if getattr(self, switch)]
        return ", ".join([name, *switches])
