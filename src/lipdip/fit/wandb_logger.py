"""Weights & Biases as a logger: a run with lipdip's axes, its tickets as artifacts, kept offline where it has to be."""

import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import WandbLogger
from rich.console import Console
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.fit.loggers import LoggedRound, one_line
from lipdip.fit.naming import Sweep, labels
from lipdip.runs.rows import Round

# What curves and scores are drawn over.
STEP, SPARSITY = "curve/step", "round/sparsity"
_OVER_SPARSITY = ("round/*", "picture/*", "pictures/*", "density/*", "dead_channels/*")
_MODES = ("auto", "online", "offline", "disabled")
_FLUSHED = 0.1  # seconds until what is logged is in W&B's file; its own 15 would be lost by a killed run
_DEFAULTS = {
    "WANDB_SILENT": "true",
    "WANDB_INIT_TIMEOUT": "20",  # seconds to wait for W&B's server; its own is 90, for each cell of a sweep
    "WANDB__TRANSACTION_LOG_FLUSH_INTERVAL": str(_FLUSHED),
}


def client() -> Any:
    """W&B's client.

    Raises:
        UserError: if it is not installed, or cannot be imported.
    """
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    try:
        import wandb

        wandb.init  # noqa: B018  # a mere folder called wandb can be imported too
    except Exception as error:  # a broken installation raises whatever it likes
        raise UserError(f"logger=wandb needs W&B: pip install --upgrade wandb ({one_line(error)})") from None
    return wandb


def logged_in() -> bool:
    """Whether W&B's client has a key for its server; asks nobody and no server."""
    login = client().login
    try:
        return bool(login(prompt=False, verify=False))
    except Exception:  # a key that is none: W&B says so when the run begins
        return True


class Wandb(WandbLogger):
    """A W&B run, begun when it is first needed and ended with the fit; a resumed run goes on in the same one.

    Args:
        run: the run's name, which is W&B's id too.
        output_dir: W&B's own files go to ``wandb`` in it; the run's directory is in ``runs``.
        console: where to say that a run is kept offline.
        sweep: that the run belongs to, whose name is W&B's group; None for a run by itself.
        project: of W&B.
        entity: whose project it is; None for the account's own.
        mode: online, offline, disabled, or auto: online, but offline where nobody is logged in or W&B cannot be
            reached.

    Raises:
        UserError: if W&B is not installed, or has to be online and nobody is logged in.
        ValueError: if there is no such mode.
    """

    line = 0

    def __init__(
        self,
        run: str,
        output_dir: Path,
        console: Console,
        sweep: Sweep | None = None,
        project: str = "lipdip",
        entity: str | None = None,
        mode: str = "auto",
    ) -> None:
        if mode not in _MODES:
            raise ValueError(f"mode must be one of {', '.join(_MODES)}, not {mode!r}")
        client()
        super().__init__(project=project, id=run, save_dir=output_dir, offline=mode == "offline")
        self._run, self._output, self._entity, self._mode = run, output_dir, entity, mode
        self._sweep, self._console = sweep, console
        if mode in ("auto", "online") and not logged_in():
            self._stay_offline("W&B: nobody is logged in (wandb login)")

    def _stay_offline(self, why: str) -> None:
        if self._mode != "auto":
            raise UserError(f"{why}; logger.wandb.mode=offline keeps the run here")
        said = f"{why}, so this run is kept offline; wandb sync sends it later"
        self._console.print(said, highlight=False, markup=False, soft_wrap=True)
        self._mode = "offline"

    @property
    @override
    @rank_zero_experiment
    def experiment(self) -> Any:
        """W&B's run.

        Raises:
            UserError: if W&B cannot be reached, or refuses the run.
        """
        if self._experiment is None:
            try:
                self._experiment = self._begin()
            except UserError as error:
                self._stay_offline(str(error))
                self._experiment = self._begin()
        return self._experiment

    def _begin(self) -> Any:
        """W&B's run; one that cannot begin leaves nothing, nor an id in use by W&B's own process."""
        module, there = client(), self._directories()
        try:
            begun = module.init(
                project=self._project,
                entity=self._entity,
                id=self._run,
                resume="allow",
                group=self._sweep.name if self._sweep else None,
                dir=self._output,
                mode="online" if self._mode == "auto" else self._mode,
                **labels(self._output / "runs" / self._run),
            )
        except Exception as error:  # W&B's own, pydantic's, or the network's
            if module.run is None:  # nobody else's run is in that process
                module.teardown()
            for left in self._directories() - there:
                shutil.rmtree(left, ignore_errors=True)
            raise UserError(f"W&B cannot be used: {one_line(error)}") from error
        for axis in (STEP, SPARSITY):
            begun.define_metric(axis, hidden=True)
        for scores, axis in {"curve/*": STEP, **dict.fromkeys(_OVER_SPARSITY, SPARSITY)}.items():
            begun.define_metric(scores, step_metric=axis, step_sync=False)
        return begun

    def _directories(self) -> set[Path]:
        """W&B's own of this run, one for each start."""
        return set((self._output / "wandb").glob(f"*run-*-{self._run}"))

    @override
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log what the module and callbacks give to all of Lightning's loggers."""
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
        over = {SPARSITY: finished.row.sparsity}
        self.experiment.log({**over, **shown, **finished.scores}, step=last, commit=True)
        self.experiment.status()  # answered by W&B's process once it has all that came before
        time.sleep(2 * _FLUSHED)

    def _log_ticket(self, file: Path, row: Round) -> None:
        scores = {"round": row.round, "sparsity": row.sparsity, "kept_weights": row.kept_weights, "score": row.score}
        artifact = client().Artifact(f"ticket-{self._run}", type="ticket", metadata={"run": self._run, **scores})
        artifact.add_file(str(file))
        matching = ["matching"] if row.matching and row.sparsity > 0 else []
        self.experiment.log_artifact(artifact, aliases=["latest", f"round_{row.round:02d}", *matching])

    @override
    def finalize(self, status: str) -> None:
        if self._experiment is not None:
            self._experiment.finish(exit_code=0 if status == "success" else 1)
