"""Pictures and problems: reading a picture, and what a physics measured of it. Imports torch on first use only."""

from typing import TYPE_CHECKING

from lipdip.core.lazy import attach

if TYPE_CHECKING:
    from lipdip.pictures.arrays import as_picture
    from lipdip.pictures.clothes import clothing
    from lipdip.pictures.codes import draw_code, draw_codes
    from lipdip.pictures.content import with_content
    from lipdip.pictures.picture import Picture, bundled, read, read_file, read_folder, sides
    from lipdip.pictures.prepare import pixel_mask, read_pixel_mask, sized
    from lipdip.pictures.problem import Problem
else:
    __getattr__, __dir__ = attach(__name__, __file__)

__all__ = [
    "Picture",
    "Problem",
    "as_picture",
    "bundled",
    "clothing",
    "draw_code",
    "draw_codes",
    "pixel_mask",
    "read",
    "read_file",
    "read_folder",
    "read_pixel_mask",
    "sides",
    "sized",
    "with_content",
]
