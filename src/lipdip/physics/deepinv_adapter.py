"""Physics of deepinv, and whatever else has its ``A``, as a physics of lipdip. Nothing here imports deepinv."""

import functools
import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.core.seeds import stream
from lipdip.physics.base import Physics


class FromDeepinv(Physics):
    """``y = physics(x)``: a physics of deepinv, linear or not, with its own noise and sensor model.

    ``x`` has values in [0, 1], what deepinv's operators expect; ``y`` has the shape, range and dtype that ``physics``
    gives it, and the loss is on that scale. An operator on complex pictures, such as MRI, has two channels: the real
    and the imaginary part. It measures a grey picture as the real part of one whose imaginary part is zero.

    The noise is drawn from torch's global generators, seeded from ours for that moment and put back: several noise
    models of deepinv know no other generator.

    Args:
        physics: with ``A(x)``, differentiable, and ``physics(x)``, the noisy measurement; ``A_adjoint(y)`` if linear.
            It is not copied: ``to(device)`` moves it.
        image_shape: (C, H, W).
        seed: of the noise, where no generator is given.

    Raises:
        UserError: if ``physics`` cannot measure such a picture, or measures something else than one tensor.

    Source: Tachella et al., "DeepInverse: A Python package for solving imaging inverse problems with deep learning",
    https://deepinv.github.io.
    """

    def __init__(self, physics: nn.Module, image_shape: Sequence[int], seed: int = 0) -> None:
        super().__init__(image_shape, seed=seed)
        self.physics = physics
        self.real_part = False
        try:
            y = self._probe()
        except (RuntimeError, ValueError, IndexError, AssertionError) as error:
            self.real_part = self.image_shape[0] == 1
            try:
                y = self._probe()
            except (RuntimeError, ValueError, IndexError, AssertionError):
                why = str(error).split("\n")[0]
                raise UserError(f"{self.name} cannot measure a picture of shape {self.image_shape}: {why}") from error
        if not isinstance(y, Tensor):
            raise UserError(
                f"{self.name} measures a {type(y).__name__}; only physics that measure one tensor are taken"
            )
        self._measurement_shape = tuple(y.shape[1:])

    @property
    def name(self) -> str:
        """The class of the physics, as a message names it."""
        return f"the physics {type(self.physics).__name__}"

    @property
    @override
    def measurement_shape(self) -> tuple[int, ...]:
        return self._measurement_shape

    @override
    def A(self, x: Tensor) -> Tensor:
        y: Tensor = self.physics.A(self._as_measured(x))  # type: ignore[operator]
        return y

    @override
    def A_adjoint(self, y: Tensor) -> Tensor:
        """The adjoint; of a grey picture that is measured as a complex one, the real part.

        Raises:
            UserError: if ``physics`` has none, as no non-linear one has.
        """
        x = self._adjoint(y)
        return x[:, :1] if self.real_part else x

    @override
    def measure(self, x: Tensor, generator: torch.Generator | int | None = None) -> Tensor:
        """The physics' own noisy measurement of ``x``; its noise models draw from ``generator``'s seed."""
        draw = self._noise(generator, x.device)
        with _global_seeded(draw, x.device), _own_generators_away(self.physics), torch.no_grad():
            y: Tensor = self.physics(self._as_measured(x))
        return y

    @override
    def preview(self, y: Tensor) -> Tensor | None:
        """A picture of ``y``, or None: y itself where it has the picture's shape, else the adjoint.

        The adjoint is scaled to the best fit, ``a A^T y`` with ``a = <A A^T y, y> / |A A^T y|^2``; of a complex
        picture this is the magnitude. Values are clipped to [0, 1].
        """
        if tuple(y.shape[1:]) == self.image_shape and self.image_shape[0] != 2 and not y.is_complex():
            return y.clamp(0, 1)
        if not hasattr(self.physics, "A_adjoint"):
            return None
        x = self._adjoint(y)
        again: Tensor = self.physics.A(x)  # type: ignore[operator]
        scale = (again.conj() * y).sum().real / again.abs().square().sum().clamp(min=torch.finfo(torch.float32).tiny)
        x = (scale * x).abs() if x.is_complex() else scale * x
        x = x.square().sum(1, keepdim=True).sqrt() if x.shape[1] == 2 else x
        return x.clamp(0, 1)

    @property
    @override
    def exact(self) -> bool:
        """Whether ``physics`` says that it adds no noise; one that says nothing adds none that could be known."""
        model = getattr(self.physics, "noise_model", None)
        return model is None or type(model).__name__ == "ZeroNoise"

    @override
    def consistent(self, x_hat: Tensor, y: Tensor) -> Tensor | None:
        """``x_hat + A^T (y - A x_hat)``, where that has the very measurement: the rows of ``A`` are orthonormal.

        So it is with pixel masks and with the masked Fourier transform of single-coil MRI. None elsewhere, and where
        the measurement leaves nothing to restore, as in denoising.
        """
        if not hasattr(self.physics, "A_adjoint"):
            return None
        seen = self.A(x_hat)
        if torch.allclose(self.A_adjoint(seen), x_hat, rtol=0, atol=1e-4):
            return None
        residual = y - seen
        found = x_hat + self.A_adjoint(residual)
        left = (y - self.A(found)).abs().square().sum()
        return found if bool(left <= 1e-6 * residual.abs().square().sum()) else None

    def _adjoint(self, y: Tensor) -> Tensor:
        if not hasattr(self.physics, "A_adjoint"):
            raise UserError(f"{self.name} has no A_adjoint")
        x: Tensor = self.physics.A_adjoint(y)  # type: ignore[operator]
        return x

    def _as_measured(self, x: Tensor) -> Tensor:
        """``x`` as ``physics`` takes it: with an imaginary part of zero, if that is what it wants."""
        return torch.cat([x, torch.zeros_like(x)], dim=1) if self.real_part else x

    def _probe(self) -> Any:
        """What ``A`` makes of a picture of zeros, where the physics' own tensors are."""
        held = next(chain(self.physics.buffers(), self.physics.parameters()), torch.empty(0))
        with torch.no_grad():
            return self.A(torch.zeros(1, *self.image_shape, device=held.device))


def as_physics(physics: object, image_shape: Sequence[int], seed: int = 0) -> Physics:
    """A physics of lipdip for ``physics``: itself if it is one, else a module with deepinv's methods, wrapped.

    Args:
        physics: of lipdip, or of deepinv, or any ``torch.nn.Module`` with a differentiable ``A``.
        image_shape: (C, H, W) of the pictures.
        seed: of the noise of a wrapped one, where no generator is given.

    Raises:
        UserError: if it is no physics, or does not measure pictures of that shape.
    """
    if isinstance(physics, Physics):
        if physics.image_shape != tuple(image_shape):
            raise UserError(f"the physics measures pictures of {physics.image_shape}, not of {tuple(image_shape)}")
        return physics
    if isinstance(physics, nn.Module) and callable(getattr(physics, "A", None)):
        return FromDeepinv(physics, image_shape, seed)
    raise UserError(f"a physics is a module with a method A, of lipdip or of deepinv, not {type(physics).__name__}")


def build_foreign(
    cls: Callable[..., Any], image_shape: Sequence[int], generator: torch.Generator | None = None, **settings: Any
) -> Physics:
    """Build a physics of deepinv for pictures of ``image_shape``, as a node of the configuration describes it.

    Args:
        cls: the class. What it takes and ``settings`` lack is given: ``img_size`` (the picture's shape), ``img_width``
            (of a square picture), ``rng``.
        image_shape: (C, H, W).
        generator: on the CPU, for what is drawn once; None: one of seed 0.
        settings: by name. One that is a ``functools.partial`` (``_partial_: true`` in YAML) is built in the same way;
            of a deepinv generator, such as one of MRI masks, one draw of what the setting is named after is taken.

    Raises:
        UserError: as :func:`as_physics`, or if a setting is unknown to ``cls``.
        ValueError, TypeError: from ``cls``.
    """
    generator = generator or stream(0, "degradation")
    with _global_seeded(generator, torch.device("cpu")):  # a norm found by the power method starts from a draw
        return as_physics(_built(cls, image_shape, generator, settings), image_shape)


def _built(cls: Callable[..., Any], shape: Sequence[int], rng: torch.Generator, settings: dict[str, Any]) -> Any:
    for key, value in settings.items():
        if isinstance(value, functools.partial):
            made = _built(value.func, shape, rng, value.keywords)
            settings = {**settings, key: made.step(batch_size=1)[key] if hasattr(made, "step") else made}
    offered: dict[str, Any] = {"img_size": tuple(shape), "img_width": shape[-1], "rng": rng}
    taken = _arguments(cls)
    if "img_width" in taken and shape[-1] != shape[-2]:
        raise UserError(
            f"{cls.__name__} measures square pictures, not {shape[-2]}x{shape[-1]}: crop, or give image.size"
        )
    with warnings.catch_warnings():
        # A physics of deepinv warns of an argument that it does not know, and goes on without it.
        warnings.filterwarnings("error", message=".*but are ignored")
        try:
            return cls(**{name: value for name, value in offered.items() if name in taken} | settings)
        except UserWarning as unknown:
            raise UserError(f"{cls.__name__} does not know a setting: {unknown}") from None


def _arguments(cls: Callable[..., Any]) -> set[str]:
    """Names that ``cls`` takes, its bases' included as far as each hands on its ``**kwargs``."""
    names: set[str] = set()
    owners = inspect.getmro(cls) if isinstance(cls, type) else ()
    for one in [vars(owner)["__init__"] for owner in owners if "__init__" in vars(owner)] or [cls]:
        parameters = inspect.signature(one).parameters.values()
        names |= {parameter.name for parameter in parameters}
        if all(parameter.kind is not parameter.VAR_KEYWORD for parameter in parameters):
            break
    return names


@contextmanager
def _global_seeded(generator: torch.Generator, device: torch.device) -> Iterator[None]:
    """Within this block torch's global generators are seeded by a draw of ``generator``; afterwards as they were."""
    seed = int(torch.randint(2**63 - 1, (), generator=generator, device=generator.device))
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


@contextmanager
def _own_generators_away(physics: nn.Module) -> Iterator[None]:
    """Within this block no module of ``physics`` has a generator of its own: all draw from the global ones."""
    own = {one: one.rng for one in physics.modules() if isinstance(getattr(one, "rng", None), torch.Generator)}
    for module in own:
        module.rng = None  # type: ignore[assignment]
    try:
        yield
    finally:
        for module, rng in own.items():
            module.rng = rng
