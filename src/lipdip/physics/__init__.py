"""Physics: how a picture is measured. One forward operator per file, with its adjoint and its noise."""

from lipdip.physics.base import Physics
from lipdip.physics.compressive_sensing import CompressiveSensing
from lipdip.physics.deepinv_adapter import FromDeepinv, as_physics, build_foreign
from lipdip.physics.denoise import Denoise
from lipdip.physics.inpaint import Inpaint
from lipdip.physics.super_resolution import SuperResolution

__all__ = [
    "CompressiveSensing",
    "Denoise",
    "FromDeepinv",
    "Inpaint",
    "Physics",
    "SuperResolution",
    "as_physics",
    "build_foreign",
]
