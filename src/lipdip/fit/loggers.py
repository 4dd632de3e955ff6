"""Loggers beside the run directory; each YAML of the ``logger`` group names one of these."""

import os
import shutil
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from rich.console import Console
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.fit.naming import Sweep, cell, configuration, job, named
from lipdip.fit.wandb_account import client, logged_in, one_line, own_mode
from lipdip.runs.rows import Round

Pictures = Mapping[str, npt.NDArray[np.uint8]]
# What curves, scores and the ticket that was found are drawn over.
STEP, ROUND, SPARSITY, FOUND = "curve/step", "round/round", "round/sparsity", "matching/round"
_OVER = {"curve/*": STEP, "round/*": SPARSITY, "picture/*": SPARSITY, "pictures/*": SPARSITY}
_OVER |= {"density/*": SPARSITY, "dead_channels/*": SPARSITY}
_MODES = ("auto", "online", "offline")
_PATIENCE = 20  # seconds to wait for W&B's server; W&B's own is 90, for each cell of a sweep
_FLUSH = "x_transaction_log_flush_interval"  # W&B's own: every 15 seconds, which a killed run would lose
_FLUSHED = 0.1  # seconds between two of them here


@runtime_checkable
class RoundLogger(Protocol):
    """A logger that takes more than numbers."""

    def log_pictures(self, pictures: Pictures, row: Round, line: int) -> None:
        """Log a round's pictures by name, each (H, W) or (H, W, 3); ``line`` is that of the numbers that follow."""

    def log_ticket(self, file: Path, row: Round) -> None:
        """Log a round's ticket."""


def none(chosen: Collection[str] = (), **_: Any) -> None:
    """No logger: the run directory has everything."""
    _one(chosen)


def _one(chosen: Collection[str]) -> None:
    """Each YAML of the group names itself: of two, Hydra would make a mixture."""
    if len(chosen) > 1:
        raise UserError(f"one logger a run, not {' and '.join(sorted(chosen))}: logger=wandb or logger=tensorboard")


def wandb(
    run: str,
    output_dir: Path,
    console: Console,
    project: str,
    entity: str | None = None,
    mode: str = "auto",
    chosen: Collection[str] = (),
    sweep: Sweep | None = None,
) -> Logger | None:
    """Weights & Biases; a resumed run goes on in the same W&B run.

    Args:
        run: the run's name, which is W&B's id too.
        output_dir: W&B's own files go to ``wandb`` in it.
        console: where to say that a run is kept offline.
        project: of W&B.
        entity: whose project it is; None for the account's own.
        mode: online, offline, or auto: what ``WANDB_MODE`` says, else offline where nobody is logged in or W&B cannot
            be reached.
        chosen: the loggers that were asked for.
        sweep: the sweep that the run belongs to, whose name is W&B's group; None for a run by itself.

    Returns:
        The logger; None where W&B is disabled.

    Raises:
        UserError: if it has to be online and nobody is logged in, or W&B is not installed.
    """
    _one(chosen)
    if mode not in _MODES:
        raise ValueError(f"mode must be one of {', '.join(_MODES)}, not {mode!r}")
    client()
    auto, own = mode == "auto", own_mode()
    mode = own if auto else mode
    if mode == "disabled":
        console.print("W&B is disabled (WANDB_MODE), so nothing is logged")
        return None
    if mode == "online" and not logged_in():
        if not auto:
            raise UserError(
                "logger.mode=online needs an account: wandb login, or WANDB_API_KEY; or logger.mode=offline"
            )
        console.print("W&B: nobody is logged in (wandb login), so this run is kept offline; wandb sync sends it later")
        mode = "offline"
    os.environ.setdefault("WANDB_SILENT", "true")
    return Wandb(run, output_dir, project, entity, mode, sweep, console if auto else None)


class Wandb(WandbLogger):
    """A W&B run with lipdip's axes; begun when it is first needed, ended with the fit, so that a sweep has many.

    Args:
        run: the run's name.
        output_dir: has its directory in ``runs``.
        project: of W&B.
        entity: whose project.
        mode: of W&B.
        sweep: that the run belongs to, if any; its name is W&B's group.
        console: where to say that W&B cannot be reached, and that the run is kept offline then; None: that is an error.
    """

    def __init__(
        self,
        run: str,
        output_dir: Path,
        project: str,
        entity: str | None,
        mode: str,
        sweep: Sweep | None,
        console: Console | None = None,
    ) -> None:
        super().__init__(project=project, id=run, save_dir=output_dir, offline=mode != "online")
        self._run, self._output, self._entity, self._mode = run, output_dir, entity, mode
        self._sweep, self._console = sweep, console

    @property
    @override
    @rank_zero_experiment
    def experiment(self) -> Any:
        """W&B's run.

        Raises:
            UserError: if W&B cannot be reached, or refuses the run.
        """
        if self._experiment is None:
            self._experiment = self._begin()
        return self._experiment

    def _begin(self) -> Any:
        try:
            begun = self._init()
        except UserError as error:
            if self._console is None or self._mode != "online":
                raise UserError(f"{error}; logger.mode=offline keeps the run here") from None
            kept = "so this run is kept offline; wandb sync sends it later"
            self._console.print(f"{error}, {kept}", highlight=False, markup=False, soft_wrap=True)
            self._mode = "offline"
            begun = self._init()
        for axis in (STEP, SPARSITY):
            begun.define_metric(axis, hidden=True)
        for scores, axis in _OVER.items():
            begun.define_metric(scores, step_metric=axis, step_sync=False)
        return begun

    def _init(self) -> Any:
        """W&B's run; one that cannot begin leaves nothing, nor an id in use by W&B's own process."""
        module, there = client(), self._directories()
        config = configuration(self._output / "runs" / self._run)
        own = cell(config, self._sweep.varied if self._sweep else ()) if config else {}
        try:
            return module.init(
                project=self._project,
                entity=self._entity,
                id=self._run,
                resume="allow",
                name=named(own) if own else self._run,
                group=self._sweep.name if self._sweep else None,
                job_type=job(config) if config else None,
                config=config | {f"cell_{name}": value for name, value in own.items()} if config else None,
                dir=self._output,
                mode=self._mode,
                settings=_settings(module),
            )
        except Exception as error:  # W&B's own, pydantic's, or the network's
            if module.run is None:  # nobody else's run is in that process
                module.teardown()
            for left in self._directories() - there:
                shutil.rmtree(left, ignore_errors=True)
            raise UserError(f"W&B cannot be used: {one_line(error)}") from error

    def _directories(self) -> set[Path]:
        """W&B's own of this run, one for each start."""
        return set((self._output / "wandb").glob(f"*run-*-{self._run}"))

    @override
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.experiment.log(dict(metrics), step=step, commit=True)

    def log_pictures(self, pictures: Pictures, row: Round, line: int) -> None:
        """Log pictures on the line of the scores that are logged next."""
        shown = {f"pictures/{name}": client().Image(picture) for name, picture in pictures.items()}
        self.experiment.log(shown | {SPARSITY: row.sparsity}, step=line, commit=False)

    def log_ticket(self, file: Path, row: Round) -> None:
        """Log it as a version of ``ticket-<run>``; the alias ``matching`` is the most sparse that matches."""
        scores = {"round": row.round, "sparsity": row.sparsity, "kept_weights": row.kept_weights, "score": row.score}
        artifact = client().Artifact(f"ticket-{self._run}", type="ticket", metadata={"run": self._run, **scores})
        artifact.add_file(str(file))
        matching = ["matching"] if row.matching and row.sparsity > 0 else []
        self.experiment.log_artifact(artifact, aliases=["latest", f"round_{row.round:02d}", *matching])

    @override
    def save(self) -> None:
        """Wait until what was logged is in W&B's file: a run that is killed loses what is not."""
        self.experiment.status()  # answered by W&B's process once it has all that came before
        time.sleep(2 * _FLUSHED)

    @override
    def finalize(self, status: str) -> None:
        if self._experiment is not None:
            self._experiment.finish(exit_code=0 if status == "success" else 1)


def _settings(module: Any) -> Any:
    """For a run: what is logged is written soon, and a server that does not answer is given up soon."""
    settings = module.Settings()
    if hasattr(settings, _FLUSH):  # not in old versions
        setattr(settings, _FLUSH, _FLUSHED)
    if "WANDB_INIT_TIMEOUT" not in os.environ:
        settings.init_timeout = _PATIENCE
    return settings


def tensorboard(run: str, output_dir: Path, console: Console, chosen: Collection[str] = (), **_: Any) -> Logger:
    """TensorBoard event files in ``<output_dir>/tensorboard/<run>``.

    Raises:
        UserError: if TensorBoard is not installed, or cannot be imported.
    """
    _one(chosen)
    try:
        from torch.utils.tensorboard import SummaryWriter  # noqa: F401

        return TensorBoard(save_dir=output_dir, name="tensorboard", version=run)
    except Exception as error:  # a broken installation raises whatever it likes
        why = "" if isinstance(error, ModuleNotFoundError) else f" ({one_line(error)})"
        raise UserError(f'logger=tensorboard needs TensorBoard: pip install "lipdip[tensorboard]"{why}') from None


class TensorBoard(TensorBoardLogger):
    """TensorBoard knows whole numbers as axis alone: curves are over steps of their round, scores over rounds."""

    @override
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        axis = next((name for name in (STEP, ROUND, FOUND) if name in metrics), None)
        shown = {name: value for name, value in metrics.items() if name != axis}
        super().log_metrics(shown, step if axis is None else int(metrics[axis]))

    def log_pictures(self, pictures: Pictures, row: Round, line: int) -> None:
        """Over rounds."""
        for name, picture in pictures.items():
            axes = "HW" if picture.ndim == 2 else "HWC"
            self.experiment.add_image(f"pictures/{name}", picture, row.round, dataformats=axes)

    def log_ticket(self, file: Path, row: Round) -> None:
        """Nothing: TensorBoard keeps no files, and the ticket is in the run directory."""
