"""Problems: a picture, a physics, and what was measured."""

from lipdip.pictures.clothing import clothing
from lipdip.pictures.content import altered
from lipdip.pictures.picture import Picture, bundled, read, read_folder
from lipdip.pictures.prepare import read_pixel_mask, sized
from lipdip.pictures.problem import Problem, draw_code, draw_codes, given, measured

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
