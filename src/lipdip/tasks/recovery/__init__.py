"""Recovering pictures with a pretrained generator."""

from typing import TYPE_CHECKING

from lipdip.core.lazy import attach

if TYPE_CHECKING:
    from lipdip.tasks.recovery.assemble_recovery import assemble_recovery as assemble
    from lipdip.tasks.recovery.recovered import Recovered as RoundRow
    from lipdip.tasks.recovery.recovered import RecoveredPicture as PictureRow
    from lipdip.tasks.recovery.recovered import RecoveringPoint as CurveRow
    from lipdip.tasks.recovery.recovering import Recovering
    from lipdip.tasks.recovery.recovery_settings import RecoverySettings
else:
    __getattr__, __dir__ = attach(__name__, __file__)

__all__ = ["CurveRow", "PictureRow", "Recovering", "RecoverySettings", "RoundRow", "assemble"]
