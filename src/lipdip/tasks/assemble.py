"""From a composed configuration to an experiment that is checked and ready; nothing is written yet."""

import importlib
import os

from lipdip.core.errors import UserError
from lipdip.fit.experiment import Experiment
from lipdip.tasks.configuration import Config, check_finite, target


def assemble(config: Config) -> Experiment:
    """The experiment that a configuration describes; its kind is the package that ``fit._target_`` is from.

    Args:
        config: composed, as plain nested values.

    Raises:
        UserError: if a setting makes no sense, or settings do not go together; one line that names them.
    """
    check_finite(config)
    try:
        target(config["fit"], "fit")
        package, fits = config["fit"]["_target_"].rpartition(".")[0], config["task"].get("fits")
        if not fits:
            raise UserError("task.fits must say which kinds of fit do the task, as in task.fits={restoration: adam}")
        if package.rpartition(".")[2] not in fits:
            by = " or ".join(f"fit={name}" for name in fits.values())
            raise UserError(f"task={config['task']['name']} is done by {by}; this fit is for other tasks")
        experiment: Experiment = importlib.import_module(package).assemble(config)
        return experiment
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        if os.environ.get("LIPDIP_TRACEBACK") == "1":
            raise
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"this configuration cannot be run: {what} (LIPDIP_TRACEBACK=1 shows where)") from error
