"""Choosing a step without a clean image: the output's variance over time is lowest where the picture is best.

Source: Wang et al., "Early Stopping for Deep Image Prior", TMLR 2023. Both rules choose the step of the lowest
variance, and stop looking once it has not improved for ``patience`` steps. Everything stays on the device.

Outputs move little, too, before a network has begun to learn. :class:`FirstDescent` says when that is behind; steps
before it are chosen only while there are no others. That guard is our own.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


class FirstDescent:
    """Whether the loss has fallen from where it began, and has slowed down since: then its first descent is over.

    That is so from the first step on at which the loss, as a mean over the last ``window`` steps, is less than
    ``slowed`` of the very first one, and no less than ``slowed`` of its mean over the ``window`` steps before those.

    Args:
        window: in steps.
        slowed: what a window leaves of the loss of the window before it, from 0 to 1; 0: the descent is over at once.
        device: of the losses.
    """

    _state = ("_step", "_losses", "_first", "_over")

    def __init__(self, window: int, slowed: float, device: torch.device) -> None:
        self._size, self._slowed = window, slowed
        self._step = 0
        self._losses = torch.zeros(2 * window, dtype=torch.float64, device=device)
        self._first = torch.tensor(0.0, dtype=torch.float64, device=device)
        self._over = torch.tensor(slowed == 0, device=device)

    def update(self, loss: Tensor) -> Tensor:
        """Take in the next step's loss; a bool tensor: is the first descent over?"""
        self._losses[self._step % len(self._losses)] = loss
        if self._step == 0:
            self._first = loss.double()
        self._step += 1
        if self._step >= len(self._losses):
            oldest = self._step % len(self._losses)
            before, recent = self._losses.roll(-oldest).view(2, self._size).mean(1)
            self._over = self._over | ((recent >= self._slowed * before) & (recent < self._slowed * self._first))
        return self._over

    def state_dict(self) -> dict[str, Any]:
        """All of it, as plain values and tensors."""
        return {name: getattr(self, name) for name in self._state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        _load(self, self._state, state, self._losses.device)


class _LowestVariance:
    """What both rules share: the best step so far, and whether the search is over."""

    _state: tuple[str, ...] = ("_step", "_lowest", "_chosen", "_over", "_trusted")

    def __init__(self, patience: int, device: torch.device) -> None:
        self._patience = patience
        self._step = 0
        self._lowest = torch.tensor(torch.inf, dtype=torch.float64, device=device)
        self._chosen = torch.tensor(0, device=device)
        self._over = torch.tensor(False, device=device)
        self._trusted = torch.tensor(False, device=device)  # whether the chosen step is

    def update(self, output: Tensor, trusted: Tensor | None = None) -> Tensor:
        """Take in the next step's output (1, C, H, W); a bool tensor: is this step the choice so far?

        Args:
            output: of the network.
            trusted: a bool tensor: may this step be chosen for good? One that may replaces any that may not, and none
                that may not ends the search. None: it may.
        """
        self._step += 1
        variance = self._variance(output)
        if variance is None:
            return torch.zeros_like(self._over)
        trusted = torch.ones_like(self._over) if trusted is None else trusted
        lower = (variance < self._lowest) & (trusted | ~self._trusted)
        better = (lower | (trusted & ~self._trusted)) & ~self._over
        self._lowest = torch.where(better, variance, self._lowest)
        self._chosen = torch.where(better, self._step, self._chosen)
        self._trusted = torch.where(better, trusted, self._trusted)
        self._over = self._over | (self._trusted & (self._step - self._chosen >= self._patience))
        return better

    def _variance(self, output: Tensor) -> Tensor | None:
        raise NotImplementedError

    @property
    def chosen(self) -> int | None:
        """The step chosen, from 1; None before there is one; waits for the device."""
        return int(self._chosen) or None

    @property
    def over(self) -> bool:
        """Whether the variance has not improved for ``patience`` steps; waits for the device."""
        return bool(self._over)

    def state_dict(self) -> dict[str, Any]:
        """All of it, as plain values and tensors."""
        return {name: getattr(self, name) for name in self._state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        _load(self, self._state, state, self._lowest.device)


class WindowedVariance(_LowestVariance):
    """ES-WMV: ``(1/W) sum_w |x_w - mean|^2`` over the last ``window`` outputs.

    Kept up from step to step by the window's sum and the outputs' norms, in float64; the window itself has to be
    kept (float32), since what leaves it must be known.
    """

    _state = (*_LowestVariance._state, "_window", "_sum", "_norms")

    def __init__(self, window: int, patience: int, device: torch.device) -> None:
        super().__init__(patience, device)
        self._size = window
        self._window: Tensor | None = None
        self._sum: Tensor | None = None
        self._norms = torch.zeros(window, dtype=torch.float64, device=device)

    def _variance(self, output: Tensor) -> Tensor | None:
        if self._window is None or self._sum is None:
            self._window = output.new_zeros(self._size, output.numel())
            self._sum = torch.zeros(output.numel(), dtype=torch.float64, device=output.device)
        slot, new = (self._step - 1) % self._size, output.flatten()
        wide = new.double()
        self._sum = self._sum + (wide - self._window[slot])
        self._window[slot] = new
        self._norms[slot] = wide.square().sum()
        if self._step < self._size:
            return None
        return self._norms.sum() / self._size - (self._sum / self._size).square().sum()


class ExponentialVariance(_LowestVariance):
    """ES-EMV: mean and variance as exponential moving averages; one picture of memory, whatever the window.

    ``v <- (1 - a) (v + a |x - m|^2)`` and ``m <- (1 - a) m + a x``.

    Args:
        window: steps before the first choice, in which mean and variance settle.
        patience: after so many steps without a lower variance it stops looking.
        device: of the outputs.
        alpha: the rate ``a``; 0.1 as published. None: ``1 / window``, of which mean and variance settle far later.
    """

    _state = (*_LowestVariance._state, "_mean", "_moving")

    def __init__(self, window: int, patience: int, device: torch.device, alpha: float | None = None) -> None:
        super().__init__(patience, device)
        self._rate = 1 / window if alpha is None else alpha
        self._warm_up = window
        self._mean: Tensor | None = None
        self._moving = torch.zeros((), dtype=torch.float64, device=device)

    def _variance(self, output: Tensor) -> Tensor | None:
        if self._mean is None:
            self._mean = output.clone()
        deviation = output - self._mean
        self._moving = (1 - self._rate) * (self._moving + self._rate * deviation.square().sum(dtype=torch.float64))
        self._mean = self._mean + self._rate * deviation
        return self._moving if self._step >= self._warm_up else None


def _load(part: object, names: Sequence[str], state: dict[str, Any], device: torch.device) -> None:
    for name in names:
        value = state[name]
        setattr(part, name, value.to(device) if isinstance(value, Tensor) else value)


def rule(name: str, window: int, patience: int, device: torch.device, alpha: float) -> _LowestVariance:
    """The rule of that name, one of :data:`RULES`."""
    if name == "emv":
        return ExponentialVariance(window, patience, device, alpha)
    return WindowedVariance(window, patience, device)


RULES = ("wmv", "emv")
