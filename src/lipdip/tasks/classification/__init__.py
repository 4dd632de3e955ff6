"""Training a classifier in rounds."""

from typing import TYPE_CHECKING

from lipdip.core.lazy import attach

if TYPE_CHECKING:
    from lipdip.tasks.classification.assemble_classification import assemble_classification as assemble
    from lipdip.tasks.classification.classified import Classified as RoundRow
    from lipdip.tasks.classification.classified import ClassifyingPoint as CurveRow
    from lipdip.tasks.classification.classify_settings import ClassifySettings
    from lipdip.tasks.classification.classifying import Classifying
else:
    __getattr__, __dir__ = attach(__name__, __file__)

__all__ = ["ClassifySettings", "Classifying", "CurveRow", "RoundRow", "assemble"]
