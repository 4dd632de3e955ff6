"""Loggers beside the run directory: those of the group ``logger``, made from their names, and TensorBoard."""

import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from lightning.pytorch.loggers import Logger as Logger
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console

from lipdip.core.errors import UserError
from lipdip.fit.naming import Sweep
from lipdip.runs.rows import Round

Curve = Mapping[int, Mapping[str, float]]  # by optimisation step of the round, values by name
Pictures = Mapping[str, npt.NDArray[np.uint8]]  # by name, each (H, W) or (H, W, 3)


@dataclass(frozen=True, kw_only=True)
class LoggedRound:
    """A finished round, for a logger; at the end once more the last, with what is known of all rounds."""

    row: Round
    line: int  # numbers of lines grow with the run, and are the same when it is resumed
    scores: Mapping[str, float]  # by name, such as round/psnr_best
    curve: Curve = field(default_factory=dict)
    pictures: Pictures = field(default_factory=dict)
    ticket: Path | None = None  # its file, where there is a run directory

    def points(self) -> dict[int, dict[str, float]]:
        """The curve under the names that it is logged by."""
        folder = f"curve/round_{self.row.round:02d}"
        return {step: {f"{folder}/{name}": v for name, v in values.items()} for step, values in self.curve.items()}


@runtime_checkable
class RoundLogger(Protocol):
    """A logger that takes rounds whole; others take the numbers that Lightning gives to every logger."""

    line: int
    """The line that the run has reached, for what Lightning logs meanwhile."""

    def log_round(self, finished: LoggedRound) -> None:
        """Log a round."""


def make_loggers(
    nodes: Mapping[str, Mapping[str, Any]], run: str, output_dir: Path, console: Console, sweep: Sweep | None = None
) -> list[Logger]:
    """The loggers that a configuration names.

    Args:
        nodes: the group ``logger``: by name, a ``_target_`` and its settings. lipdip's own are given the arguments
            below too; a class of Lightning's or of anybody else has its own settings only.
        run: the run's name.
        output_dir: has the run's directory in ``runs``.
        console: for remarks of loggers.
        sweep: that the run belongs to, if any.

    Raises:
        UserError: if one cannot be made, naming the setting.
    """
    about = {"run": run, "output_dir": output_dir, "console": console, "sweep": sweep}
    return [_make(f"logger.{name}", node, about) for name, node in nodes.items()]


def _make(place: str, node: Mapping[str, Any], about: Mapping[str, Any]) -> Logger:
    settings = {name: value for name, value in node.items() if name != "_target_"}
    name = str(node.get("_target_"))
    try:
        target = pkgutil.resolve_name(name)
        logger = target(**settings, **(about if name.startswith("lipdip.") else {}))
    except (ImportError, AttributeError) as error:
        raise UserError(f"{place}._target_={name} cannot be used: {one_line(error)}") from error
    except (ValueError, TypeError) as error:
        message = one_line(error)
        own = message.split(" ", 1)[0] in settings
        raise UserError(f"{place}.{message}" if own else f"{place}: {message}") from error
    if not isinstance(logger, Logger):
        raise UserError(f"{place}._target_={name} is no logger of Lightning's")
    return logger


class TensorBoard(TensorBoardLogger):
    """Event files in ``<output_dir>/tensorboard/<run>``: curves over steps of their round, scores over rounds.

    Raises:
        UserError: if TensorBoard is not installed, or cannot be imported.
    """

    line = 0

    def __init__(self, run: str, output_dir: Path, **_: Any) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter  # noqa: F401

            super().__init__(save_dir=output_dir, name="tensorboard", version=run)
        except Exception as error:  # a broken installation raises whatever it likes
            why = "" if isinstance(error, ModuleNotFoundError) else f" ({one_line(error)})"
            raise UserError(f'logger=tensorboard needs TensorBoard: pip install "lipdip[tensorboard]"{why}') from None

    def log_round(self, finished: LoggedRound) -> None:
        """Log a round but for its ticket: TensorBoard keeps no files, and has whole numbers as axis alone."""
        for step, values in finished.points().items():
            self.log_metrics(values, step)
        self.log_metrics(finished.scores, finished.row.round)
        for name, picture in finished.pictures.items():
            axes = "HW" if picture.ndim == 2 else "HWC"
            self.experiment.add_image(f"pictures/{name}", picture, finished.row.round, dataformats=axes)
        self.save()


def one_line(error: Exception) -> str:
    """What an error says, in one line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:3]).rstrip(".")[:300] or type(error).__name__
