"""From a composed configuration to an experiment that is checked and ready; nothing is written yet."""

import os
from collections.abc import Callable

from omegaconf import DictConfig

from lipdip.core.errors import UserError
from lipdip.fit.experiment import Experiment
from lipdip.tasks.classification.assemble_classification import assemble_classification
from lipdip.tasks.generation.assemble_generation import assemble_generation
from lipdip.tasks.recovery.assemble_recovery import assemble_recovery
from lipdip.tasks.restoration.assemble_restoration import assemble_restoration

_KINDS: dict[str, Callable[[DictConfig], Experiment]] = {
    "classify": assemble_classification,
    "gan_train": assemble_generation,
}
GENERATOR = "lipdip.networks.Generator"


def assemble(cfg: DictConfig) -> Experiment:
    """The experiment that ``cfg`` describes.

    Raises:
        UserError: if a setting makes no sense, or settings do not go together; one line that names them.
    """
    try:
        otherwise = assemble_recovery if cfg.model._target_ == GENERATOR else assemble_restoration
        return _KINDS.get(cfg.task.name, otherwise)(cfg)
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if os.environ.get("LIPDIP_TRACEBACK") == "1":
            raise
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"this configuration cannot be run: {what} (LIPDIP_TRACEBACK=1 shows where)") from error
