"""Problems: a picture, a physics, and what was measured."""

from lipdip.problems.clothing import clothing
from lipdip.problems.content import altered
from lipdip.problems.picture import Picture, bundled, read, read_folder
from lipdip.problems.prepare import read_pixel_mask, sized
from lipdip.problems.problem import Problem, draw_code, draw_codes, given, measured

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
