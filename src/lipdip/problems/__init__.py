"""Problems: a picture, a physics, and what was measured."""

from lipdip.problems.picture import Picture, bundled, read
from lipdip.problems.prepare import read_pixel_mask, sized
from lipdip.problems.problem import Problem, draw_code, given, measured

__all__ = ["Picture", "Problem", "bundled", "draw_code", "given", "measured", "read", "read_pixel_mask", "sized"]
