"""Restoring pictures with a network that is fitted to them."""

from typing import TYPE_CHECKING

from lipdip.core.lazy import attach

if TYPE_CHECKING:
    from lipdip.fit.scores import CurvePoint as CurveRow
    from lipdip.fit.settings import FitSettings, Multi
    from lipdip.tasks.restoration.assemble_restoration import assemble_restoration as assemble
    from lipdip.tasks.restoration.prior_fitting import PriorFitting
    from lipdip.tasks.restoration.restored import PictureScores as PictureRow
    from lipdip.tasks.restoration.restored import Restored as RoundRow
else:
    __getattr__, __dir__ = attach(__name__, __file__)

__all__ = ["CurveRow", "FitSettings", "Multi", "PictureRow", "PriorFitting", "RoundRow", "assemble"]
