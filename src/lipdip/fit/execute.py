"""From an experiment to a finished run directory. Reads like the algorithm."""

import logging
import platform
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.loggers import Logger
from rich.console import Console

import lipdip
from lipdip.figures import run_figures as figures
from lipdip.fit.autosave import Autosave
from lipdip.fit.experiment import Classification, Experiment, Generation, Recovery, Restoration
from lipdip.fit.log_rounds import LogRounds
from lipdip.fit.prune_and_rewind import PruneAndRewind
from lipdip.fit.record import Record
from lipdip.fit.rounds import Rounds
from lipdip.fit.screen import Screen
from lipdip.runs.directory import RunDirectory
from lipdip.runs.matching import most_sparse_matching
from lipdip.runs.rising import rising
from lipdip.tasks.classification.classifying import Classifying
from lipdip.tasks.generation.gan_training import GanTraining
from lipdip.tasks.recovery.recovering import Recovering
from lipdip.tasks.restoration.prior_fitting import PriorFitting

_KINDS: dict[type[Experiment], Callable[[Any], Rounds]] = {
    Restoration: PriorFitting,
    Classification: Classifying,
    Generation: GanTraining,
    Recovery: Recovering,
}


def find_ticket(
    experiment: Experiment,
    directory: RunDirectory,
    console: Console,
    logger: Logger | None = None,
    extra: Sequence[L.Callback] = (),
) -> dict[str, Any]:
    """Fit, record, prune, rewind, until the ladder ends; goes on where an earlier call was stopped.

    Args:
        experiment: what to do.
        directory: where to leave it; held by the caller.
        console: where to show progress.
        logger: beside the run directory, if any.
        extra: further callbacks; they see a round's end after it is recorded and before it is pruned.

    Returns:
        The summary that is also in ``summary.json``.

    Raises:
        Stopped: if the process was asked to stop; the state is saved, or the run finished.
        UserError: if a fit diverges.
    """
    fitting = _KINDS[type(experiment)](experiment)
    rounds = len(experiment.pruning.ladder)
    record = Record(directory, experiment, fitting.tables)
    callbacks: list[L.Callback] = [record, Screen(console, record, rounds)]
    if logger is not None:
        callbacks.append(LogRounds(record, console))
    callbacks += extra
    if experiment.pruning.scorer is not None:
        callbacks.append(PruneAndRewind(record, experiment.pruning, experiment.pruning.scorer))
    autosave = Autosave(directory, experiment.hardware.save_seconds)
    callbacks.append(autosave)
    with autosave:
        _fit(fitting, callbacks, experiment, directory, console, logger)
        if isinstance(experiment, Restoration | Recovery):
            directory.write("comparison.png", figures.comparison(directory.path))
        directory.write("rounds.png", figures.rounds(directory.path))
        summary = _summary(experiment, record, [f"images/{name}.png" for name in fitting.given()])
        directory.finish(summary)
    return summary


def _fit(
    fitting: Rounds,
    callbacks: list[L.Callback],
    experiment: Experiment,
    directory: RunDirectory,
    console: Console,
    logger: Logger | None,
) -> None:
    with warnings.catch_warnings():
        _quiet()
        trainer = L.Trainer(
            accelerator="gpu" if experiment.hardware.device == "cuda" else "cpu",
            devices=1,
            plugins=[LightningEnvironment()],  # one process, also inside a Slurm job, whose signals are our own
            benchmark=experiment.hardware.device == "cuda",
            max_epochs=len(experiment.pruning.ladder),
            logger=logger or False,
            callbacks=callbacks,
            log_every_n_steps=1,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=directory.path,
        )
        trainer.fit(fitting, ckpt_path=_checkpoint(directory, console), weights_only=True)


def _checkpoint(directory: RunDirectory, console: Console) -> Path | None:
    """Where an unfinished run goes on, or None for a new one; a damaged checkpoint is dropped, and it is said."""
    if not directory.checkpoint.exists():
        return None
    try:
        if "fitting" in torch.load(directory.checkpoint, map_location="cpu", weights_only=True):
            return directory.checkpoint
    except Exception as error:  # torch raises whatever its unpickler meets
        console.print(f"note: the saved state cannot be read ({type(error).__name__})", highlight=False)
    console.print("note: the saved state is damaged; the run starts again", highlight=False)
    directory.checkpoint.unlink()
    return None


def _summary(experiment: Experiment, record: Record, given: Sequence[str]) -> dict[str, Any]:
    rows, winner = record.rounds, most_sparse_matching(record.rounds)
    dense = rows[0] if rows[0].sparsity == 0 else None
    return {
        **experiment.provenance,
        "notes": list(experiment.notes),
        "fitted_to": "clean" if experiment.pruning.clean else "measured",
        "ended": record.ended,
        "loss_rises": {str(times): rising([row.loss for row in rows], times) for times in (2, 3)},
        "scored": _scored(experiment, dense is not None),
        "files": _files(experiment, record, given),
        "parameters": sum(parameter.numel() for parameter in experiment.network.parameters()),
        "prunable_weights": experiment.pruning.start.total,
        "rounds": len(rows),
        "first": asdict(rows[0]),
        "dense": None if dense is None else asdict(dense),
        "most_sparse_matching": None if winner is None else asdict(winner),
        "last": asdict(rows[-1]),
        "seconds": sum(row.seconds for row in rows),
        "hardware": str(experiment.hardware),
        "versions": {"lipdip": lipdip.__version__, "torch": torch.__version__, "python": platform.python_version()},
    }


def _scored(experiment: Experiment, dense: bool) -> dict[str, Any]:
    """How scores are to be read, and why some are missing."""
    missing = [] if dense else ["matching"]
    why = None if dense else "the run starts from a ticket, without a dense round to compare with"
    if not isinstance(experiment, Restoration):
        return {"picture": None, "metric": experiment.metric_name, "missing": missing, "why": why}
    if any(problem.x is None for problem in experiment.problems):
        missing = ["psnr_best", "psnr_last", "psnr_ema", "psnr_stop", "ssim_best", "matching"]
        why = "there is no clean image (image.clean=false)"
    picture, metric = experiment.settings.answer, experiment.metric_name
    return {"picture": picture, "metric": metric, "missing": missing, "why": why}


def _files(experiment: Experiment, record: Record, given: Sequence[str]) -> list[str]:
    """What not every kind of run leaves; without them this one is not whole."""
    drawn = ["comparison.png"] if isinstance(experiment, Restoration | Recovery) else []
    return [*drawn, *(["pictures.csv"] if record.pictures else []), *given]


def _quiet() -> None:
    """Leave only warnings that the user can act on."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for about in (
        ".*does not have many workers.*",
        ".*GPU available but not used.*",
        ".*isinstance.treespec.*",
        ".*`srun` command.*",
    ):
        warnings.filterwarnings("ignore", about)
