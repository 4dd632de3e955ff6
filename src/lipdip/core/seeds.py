"""Named randomness: every random stream has its own generator, derived from a seed and a name.

Nothing here draws from torch's global generator, so one stream never shifts another: the degradation stays
the same when the training seed changes, and a round's jitter is the same whoever ran before it.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from typing_extensions import override

_HALFWAY = 1 << 28  # between two float32 numbers, in the 29 bits by which a float64 is finer


def derive(seed: int, name: str) -> int:
    """The 63-bit seed of the stream ``name`` in a run with ``seed``: SHA-256 of both, cut to its first bits."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(seed: int, name: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A new generator on ``device`` for the stream ``name``, at its start; it draws the same numbers every time."""
    return torch.Generator(device=device).manual_seed(derive(seed, name))


@contextmanager
def default_generator_seeded(seed: int, name: str, how: str = "portable") -> Iterator[None]:
    """Within this block torch's global CPU generator *is* the stream ``name``; then its state is put back.

    For code that can only draw from the global generator, such as the initialisers of ``torch.nn``.

    Args:
        seed: of the run.
        name: of the stream.
        how: numbers of torch's differ in the last bit between instruction sets. ``portable``: ``uniform_`` and
            ``normal_`` on float32 give the same ones on every processor, the former those that torch draws where
            multiply and add are fused (x86 with AVX2), the latter NumPy's. ``unfused``: uniform ones as torch draws
            them elsewhere. ``torch``: as torch draws them here.
    """
    before = torch.random.get_rng_state()
    torch.default_generator.manual_seed(derive(seed, name))
    try:
        with nullcontext() if how == "torch" else _Portable(fused=how == "portable"):
            yield
    finally:
        torch.random.set_rng_state(before)


class _Portable(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Fills float32 tensors on the CPU from the global generator in a way that no instruction set changes."""

    def __init__(self, fused: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        uniform = _fused_uniform if fused else _unfused_uniform
        self._draws: Mapping[Any, Callable[..., Any]] = {
            torch.ops.aten.uniform_.default: uniform,
            torch.ops.aten.normal_.default: _normal,
        }

    @override
    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        given: Mapping[str, Any] = kwargs or {}
        tensor = args[0] if args else None
        plain = isinstance(tensor, Tensor) and tensor.device.type == "cpu" and tensor.dtype == torch.float32
        if not plain or func not in self._draws or given.get("generator") is not None:
            return func(*args, **given)
        assert isinstance(tensor, Tensor)
        bounds = [*args[1:3], *(value for name, value in given.items() if name != "generator")]
        bounds += [0.0, 1.0][len(bounds) :]
        return tensor.copy_(torch.from_numpy(self._draws[func](tuple(tensor.shape), *bounds)))


def _unfused_uniform(shape: tuple[int, ...], low: float, high: float) -> Any:
    """``x * (high - low) + low`` for x in [0, 1), rounded twice."""
    start, width = np.float32(low), np.float32(high) - np.float32(low)
    return np.add(np.multiply(torch.rand(shape).numpy(), width), start)


def _fused_uniform(shape: tuple[int, ...], low: float, high: float) -> Any:
    """``x * (high - low) + low`` for x in [0, 1), rounded once, as a fused multiply-add does."""
    x = torch.rand(shape).numpy().astype(np.float64)  # a multiple of 2^-24, the same everywhere
    start, width = np.float64(np.float32(low)), np.float64(np.float32(high) - np.float32(low))
    product = np.multiply(x, width)  # exact: 24 bits times 24
    total = np.add(product, start)
    # What the sum lost. Where it ended halfway between two float32 numbers, that says to which side it belongs.
    back = np.subtract(total, product)
    lost = np.add(np.subtract(product, np.subtract(total, back)), np.subtract(start, back))
    halfway = (total.view(np.int64) & (2 * _HALFWAY - 1)) == _HALFWAY
    beyond = np.nextafter(total, np.copysign(np.inf, lost))
    return np.where(halfway & (lost != 0), beyond, total).astype(np.float32)


def _normal(shape: tuple[int, ...], mean: float, std: float) -> Any:
    """NumPy's normal numbers, in float64, from a generator of its own that torch's seeds."""
    key = torch.randint(2**63 - 1, (2,)).tolist()
    drawn = np.random.Generator(np.random.Philox(key=key)).standard_normal(shape)
    return np.add(np.multiply(drawn, std), mean).astype(np.float32)
