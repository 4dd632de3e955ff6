"""Training a GAN in rounds."""

from typing import TYPE_CHECKING

from lipdip.core.lazy import attach

if TYPE_CHECKING:
    from lipdip.tasks.generation.assemble_generation import assemble_generation as assemble
    from lipdip.tasks.generation.gan_settings import GanSettings
    from lipdip.tasks.generation.gan_training import GanTraining
    from lipdip.tasks.generation.generated import AdversarialPoint as CurveRow
    from lipdip.tasks.generation.generated import Generated as RoundRow
else:
    __getattr__, __dir__ = attach(__name__, __file__)

__all__ = ["CurveRow", "GanSettings", "GanTraining", "RoundRow", "assemble"]
