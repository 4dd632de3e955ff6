"""Weights & Biases as a logger: a run with lipdip's axes, its tickets as artifacts, kept offline where it has to be."""

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import Logger, WandbLogger
from rich.console import Console
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.fit.loggers import LoggedRound, one_line
from lipdip.fit.naming import Sweep, composed, display_name, job, typed
from lipdip.runs.rows import Round

# What curves and scores are drawn over.
STEP, SPARSITY = "curve/step", "round/sparsity"
_OVER = {"curve/*": STEP} | {
    f"{scores}/*": SPARSITY for scores in ("round", "picture", "pictures", "density", "dead_channels")
}
_MODES = ("auto", "online", "offline", "disabled")
_LATER = "so this run is kept offline; wandb sync sends it later"
_PATIENCE = 20  # seconds to wait for W&B's server; W&B's own is 90, for each cell of a sweep
_FLUSH = "x_transaction_log_flush_interval"  # W&B's own: every 15 seconds, which a killed run would lose
_FLUSHED = 0.1  # seconds between two of them here


def wandb_logger(
    run: str,
    output_dir: Path,
    console: Console,
    sweep: Sweep | None = None,
    project: str = "lipdip",
    entity: str | None = None,
    mode: str = "auto",
) -> Logger | None:
    """Weights & Biases; a resumed run goes on in the same W&B run.

    Args:
        run: the run's name, which is W&B's id too.
        output_dir: W&B's own files go to ``wandb`` in it.
        console: where to say that a run is kept offline.
        sweep: the sweep that the run belongs to, whose name is W&B's group; None for a run by itself.
        project: of W&B.
        entity: whose project it is; None for the account's own.
        mode: online, offline, disabled, or auto: online, but offline where nobody is logged in or W&B cannot be
            reached.

    Returns:
        The logger; None where W&B is disabled.

    Raises:
        UserError: if it has to be online and nobody is logged in, or W&B is not installed.
        ValueError: if there is no such mode.
    """
    mode = mode or "auto"
    if mode not in _MODES:
        raise ValueError(f"mode must be one of {', '.join(_MODES)}, not {mode!r}")
    if mode == "disabled":
        return None
    os.environ.setdefault("WANDB_SILENT", "true")
    auto, online = mode == "auto", mode != "offline"
    client()
    if online and not logged_in():
        if not auto:
            raise UserError("logger.wandb.mode=online needs an account: wandb login, or logger.wandb.mode=offline")
        console.print(f"W&B: nobody is logged in (wandb login), {_LATER}", soft_wrap=True)
        online = False
    return Wandb(run, output_dir, project, entity, online, sweep, console if auto else None)


def client() -> Any:
    """W&B's client.

    Raises:
        UserError: if it is not installed, or cannot be imported.
    """
    try:
        import wandb

        wandb.init  # noqa: B018  # a mere folder called wandb can be imported too
    except Exception as error:  # a broken installation raises whatever it likes
        raise UserError(f"logger=wandb needs W&B: pip install --upgrade wandb ({one_line(error)})") from None
    return wandb


def logged_in() -> bool:
    """Whether W&B's client has a key for its server, or is meant to be used offline; asks nobody and no server."""
    try:
        return bool(client().login(prompt=False, verify=False))
    except UserError:
        raise
    except Exception:  # a key that is none: W&B says so when the run begins
        return True


class Wandb(WandbLogger):
    """A W&B run with lipdip's axes; begun when it is first needed, ended with the fit, so that a sweep has many.

    Args:
        run: the run's name.
        output_dir: has its directory in ``runs``.
        project: of W&B.
        entity: whose project.
        online: whether W&B's server is told at once.
        sweep: that the run belongs to, if any; its name is W&B's group.
        console: where to say that W&B cannot be reached, and that the run is kept offline then; None: that is an error.
    """

    line = 0

    def __init__(
        self,
        run: str,
        output_dir: Path,
        project: str,
        entity: str | None,
        online: bool,
        sweep: Sweep | None,
        console: Console | None = None,
    ) -> None:
        super().__init__(project=project, id=run, save_dir=output_dir, offline=not online)
        self._run, self._output, self._entity, self._online = run, output_dir, entity, online
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
            if self._console is None or not self._online:
                raise UserError(f"{error}; logger.wandb.mode=offline keeps the run here") from None
            self._console.print(f"{error}, {_LATER}", highlight=False, markup=False, soft_wrap=True)
            self._online = False
            begun = self._init()
        for axis in (STEP, SPARSITY):
            begun.define_metric(axis, hidden=True)
        for scores, axis in _OVER.items():
            begun.define_metric(scores, step_metric=axis, step_sync=False)
        return begun

    def _init(self) -> Any:
        """W&B's run; one that cannot begin leaves nothing, nor an id in use by W&B's own process."""
        module, there = client(), self._directories()
        directory = self._output / "runs" / self._run
        config = composed(directory)
        try:
            return module.init(
                project=self._project,
                entity=self._entity,
                id=self._run,
                resume="allow",
                name=display_name(typed(directory)) if config else self._run,
                group=self._sweep.name if self._sweep else None,
                job_type=job(config) if config else None,
                config=config or None,
                dir=self._output,
                mode="online" if self._online else "offline",
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
        """What Lightning logs by itself and for other callbacks; W&B drops lines that it has already."""
        self.experiment.log({**metrics, "trainer/global_step": step}, step=self.line)

    def log_round(self, finished: LoggedRound) -> None:
        """Log a round; its ticket is a version of ``ticket-<run>``, with the alias ``matching`` if it matches."""
        points, picture = finished.points(), client().Image
        for step, values in points.items():
            self.experiment.log({STEP: float(step), **values}, step=finished.line + step)
        if finished.ticket is not None:
            self._log_ticket(finished.ticket, finished.row)
        shown = {f"pictures/{name}": picture(array) for name, array in finished.pictures.items()}
        last = finished.line + max(points, default=0) + 1
        self.experiment.log({**shown, **finished.scores}, step=last, commit=True)
        self.experiment.status()  # answered by W&B's process once it has all that came before
        time.sleep(2 * _FLUSHED)  # until it is in W&B's file: a run that is killed loses what is not

    def _log_ticket(self, file: Path, row: Round) -> None:
        scores = {"round": row.round, "sparsity": row.sparsity, "kept_weights": row.kept_weights, "score": row.score}
        artifact = client().Artifact(f"ticket-{self._run}", type="ticket", metadata={"run": self._run, **scores})
        artifact.add_file(str(file))
        matching = ["matching"] if row.matching and row.sparsity > 0 else []
        self.experiment.log_artifact(artifact, aliases=["latest", f"round_{row.round:02d}", *matching])

    def log_end(self, last: Round, comparison: npt.NDArray[np.uint8] | None, winner: Round | None) -> None:
        """Log the pictures side by side, and the most sparse matching round."""
        found: dict[str, Any] = {}
        if winner is not None:
            found = {"matching/round": float(winner.round), "matching/sparsity": winner.sparsity}
        if comparison is not None:
            found |= {"pictures/comparison": client().Image(comparison), SPARSITY: last.sparsity}
        self.experiment.log(found, step=self.line)

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
