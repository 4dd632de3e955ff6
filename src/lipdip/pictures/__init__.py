"""Problems: a picture, a physics, and what was measured."""

from typing import TYPE_CHECKING

from lipdip.core.lazy import attach

if TYPE_CHECKING:
    from lipdip.pictures.content import altered
    from lipdip.pictures.fashion_picture import clothing
    from lipdip.pictures.picture import Picture, bundled, read, read_folder
    from lipdip.pictures.prepare import read_pixel_mask, sized
    from lipdip.pictures.problem import Problem, draw_code, draw_codes, given, measured
else:
    __getattr__, __dir__ = attach(__name__, __file__)

__all__ = [
    "Picture",
    "Problem",
    "altered",
    "bundled",
    "clothing",
    "draw_code",
    "draw_codes",
    "given",
    "measured",
    "read",
    "read_folder",
    "read_pixel_mask",
    "sized",
]
