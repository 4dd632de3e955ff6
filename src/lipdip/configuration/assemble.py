"""From a composed configuration to an experiment that is checked and ready; nothing is written yet."""

import os

from omegaconf import DictConfig

from lipdip.configuration.classification import assemble_classification
from lipdip.configuration.restoration import assemble_restoration
from lipdip.core.errors import UserError
from lipdip.training.experiment import Experiment


def assemble(cfg: DictConfig) -> Experiment:
    """The experiment that ``cfg`` describes.

    Raises:
        UserError: if anything in it cannot be, in one line that names it.
    """
    try:
        return assemble_classification(cfg) if cfg.task.name == "classify" else assemble_restoration(cfg)
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if os.environ.get("LIPDIP_TRACEBACK") == "1":
            raise
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"this configuration cannot be run: {what} (LIPDIP_TRACEBACK=1 shows where)") from error
