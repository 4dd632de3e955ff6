"""From an experiment to a finished run, in a directory or in memory."""

import logging
import platform
import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.pytorch.callbacks import Callback as Callback
from lightning.pytorch.loggers import Logger
from rich.console import Console

from lipdip.core.console import say
from lipdip.core.errors import UserError
from lipdip.core.version import __version__
from lipdip.figures import run_figures
from lipdip.fit import memory
from lipdip.fit.autosave import Autosave, Stopped
from lipdip.fit.experiment import Experiment
from lipdip.fit.log_rounds import LogRounds
from lipdip.fit.record import Record
from lipdip.fit.saved_state import Before, Resumed, Straight, dropped, fault
from lipdip.fit.screen import Screen
from lipdip.runs.directory import RunDirectory
from lipdip.runs.matching import answer, most_sparse_matching
from lipdip.runs.rising import rising

_TRAINER = {"enable_progress_bar": False, "enable_model_summary": False}


def execute(
    experiment: Experiment,
    directory: RunDirectory | None = None,
    console: Console | None = None,
    loggers: Sequence[Logger] = (),
    callbacks: Sequence[Callback] = (),
) -> Record:
    """Fit, record, prune, rewind, until the ladder ends; goes on where an earlier call was stopped.

    Args:
        experiment: what to do.
        directory: where to leave it, held by the caller; None: it stays in memory, and cannot be resumed.
        console: where to show progress.
        loggers: Lightning's, beside the run directory.
        callbacks: Lightning's, the user's own.

    Returns:
        What each round was.

    Raises:
        Stopped: if the process was asked to stop; the state is saved, or the run finished.
        UserError: if a fit diverges, needs more memory than there is, or the trainer's arguments do not go with a run.
    """
    note = memory.check(experiment.memory, experiment.module.hardware.device)
    if note is not None and console is not None:
        say(console, f"note: {note}")
    record, rounds = Record(experiment, directory), len(experiment.kept)
    own: list[Callback] = [record]
    if console is not None:
        own.append(Screen(console, record, rounds))
    if loggers:
        own.append(LogRounds(record, None if directory is None else directory.path))
    own += [*callbacks, *([] if experiment.prune is None else [experiment.prune])]
    saving: AbstractContextManager[Any] = nullcontext()
    if directory is not None:
        saving = Autosave(directory, experiment.module.hardware.save_seconds, experiment.name)
        own.append(saving)
    with saving:
        _fit(experiment, rounds, own, loggers, directory, console)
        module = experiment.module
        if len(record.rounds) < rounds and module.ended is None:
            spent = 0 <= module.trainer.max_steps <= module.trainer.global_step
            if isinstance(saving, Autosave) and (saving.stopped_by_trainer or spent):
                raise Stopped(0, f"round {module.round}")
            module.ended = "a callback has stopped the trainer"
        if directory is not None:
            _finish(experiment, record, directory)
    return record


def is_callback(item: object) -> bool:
    """Whether Lightning takes it as a callback."""
    return isinstance(item, Callback)


def _fit(
    experiment: Experiment,
    rounds: int,
    callbacks: list[Callback],
    loggers: Sequence[Logger],
    directory: RunDirectory | None,
    console: Console | None,
) -> None:
    """Fit, from the newest saved state that can be used."""
    bad: dict[Path, str] = {}  # saved states that cannot be used, and why
    good = []
    for file in [] if directory is None else directory.checkpoints:
        why = fault(file, experiment.name)
        bad |= {} if why is None else {file: why}
        good += [file] if why is None else []

    def note(text: str) -> None:
        if console is not None:
            say(console, text)

    before = Before(experiment.module, callbacks) if good else None
    for start in [*good, None]:
        # Bad states are dropped only once a fit has begun: else the fault may be another one, such as a callback's.
        resumed = Resumed(lambda start=start: dropped(bad, start is not None, note))  # type: ignore[misc]
        with warnings.catch_warnings():
            _quiet()
            trainer = _trainer(experiment, rounds, [resumed, *callbacks], loggers, directory)
            try:
                trainer.fit(experiment.module, ckpt_path=start, weights_only=True)
                return
            except Exception as error:  # Lightning, torch and callbacks raise whatever a state makes them
                if "conditioned on metric" in str(error):  # EarlyStopping's: its monitor is misspelt
                    raise UserError(f"callbacks: {' '.join(str(error).split())}") from error
                if resumed.begun or start is None or before is None or isinstance(error, UserError):
                    raise
                bad[start] = f"cannot be loaded ({type(error).__name__})"
        before.again()


def _trainer(
    experiment: Experiment,
    rounds: int,
    callbacks: list[Callback],
    loggers: Sequence[Logger],
    directory: RunDirectory | None,
) -> L.Trainer:
    hardware = experiment.module.hardware
    cuda = hardware.device == "cuda"
    # One process, also inside a Slurm job, whose signals are our own.
    own = {"plugins": [LightningEnvironment(), Straight()], "benchmark": cuda, **_TRAINER}
    own["log_every_n_steps"] = min(20, len(experiment.module.train_dataloader()))
    try:
        return L.Trainer(
            accelerator="gpu" if cuda else "cpu",
            devices=1,
            max_epochs=rounds,
            logger=list(loggers) or False,
            callbacks=callbacks,
            enable_checkpointing=directory is not None,
            default_root_dir=None if directory is None else directory.path,
            **{**own, **hardware.lightning},
        )
    except (ValueError, TypeError) as error:
        raise UserError(f"trainer.lightning: {' '.join(str(error).split())}") from error


def _finish(experiment: Experiment, record: Record, directory: RunDirectory) -> None:
    """Draw the figures, then write the summary, which marks the run finished."""
    files = [f"images/{name}.png" for name in experiment.module.given_pictures()]
    comparison = experiment.module.comparison(directory.path / "images", record.rounds, record.pictures)
    if comparison is not None:
        directory.write("comparison.png", comparison)
        files.append("comparison.png")
    directory.write("rounds.png", run_figures.rounds(record.rounds, directory.path / "images"))
    if record.pictures:
        files.append("pictures.csv")
    directory.finish(_summary(experiment, record, files) | {"run": directory.path.name})


def _summary(experiment: Experiment, record: Record, files: Sequence[str]) -> dict[str, Any]:
    rows, winner, module = record.rounds, most_sparse_matching(record.rounds), experiment.module
    chosen = answer(rows)
    dense = rows[0] if rows[0].sparsity == 0 else None
    scored = module.scored()
    if dense is None and "matching" not in scored["missing"]:
        why = scored["why"] or "the run starts from a ticket, without a dense round to compare with"
        scored |= {"missing": [*scored["missing"], "matching"], "why": why}
    return {
        **experiment.provenance,
        "kind": module.kind,
        "identity": dict(experiment.identity),
        "notes": list(experiment.notes),
        "fitted_to": "clean" if experiment.clean else "measured",
        "ended": module.ended,
        "loss_rises": {str(times): rising([row.loss for row in rows], times) for times in (2, 3)},
        "scored": scored,
        "files": list(files),
        "parameters": sum(parameter.numel() for parameter in module.network.parameters()),
        "prunable_weights": module.start_mask.total,
        "rounds": len(rows),
        "first": asdict(rows[0]),
        "dense": None if dense is None else asdict(dense),
        "most_sparse_matching": None if winner is None else asdict(winner),
        "last": asdict(rows[-1]),
        "answer": None if chosen is None else chosen.round,
        "seconds": sum(row.seconds for row in rows),
        "hardware": str(module.hardware),
        "versions": {"lipdip": __version__, "torch": torch.__version__, "python": platform.python_version()},
    }


def _quiet() -> None:
    """Leave only warnings that the user can act on."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for about in (
        ".*does not have many workers.*",
        ".*GPU available but not used.*",
        ".*isinstance.treespec.*",
        ".*`srun` command.*",
        ".*Checkpoint directory.*",
        ".*callbacks used to create the checkpoint.*",  # such as the timer of max_time
        ".*resuming from a checkpoint that ended before the epoch ended.*",  # which rounds are made for
    ):
        warnings.filterwarnings("ignore", about)
