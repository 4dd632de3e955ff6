"""One experiment, from objects that are ready to a finished run directory. Reads like the algorithm."""

import hashlib
import json
import logging
import platform
import warnings
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import Logger
from rich.console import Console
from torch import Tensor, nn

import lipdip
from lipdip.core.metrics import Metric
from lipdip.core.records import RunDirectory
from lipdip.figures import run as figures
from lipdip.lottery.matching import most_sparse_matching
from lipdip.lottery.stopping import rising
from lipdip.problems import Problem
from lipdip.pruning.cut import Scorer
from lipdip.training.autosave import Autosave
from lipdip.training.fitting import PriorFitting
from lipdip.training.log import LogRounds
from lipdip.training.prune import PruneAndRewind
from lipdip.training.record import Record
from lipdip.training.screen import Screen
from lipdip.training.settings import FitSettings, Hardware


@dataclass(frozen=True)
class Pruning:
    """How weights go, beside which.

    Args:
        scope: names of the weights that may go; None for all convolutions'.
        trained: score weights after training (else at the initialisation).
        rewind_step: the dense round's step whose weights later rounds start from.
        clean: fit the clean picture while pruning, as the public scripts do.
        empty_layers: what happens where a layer would lose its last weight, see ``pruning.cut``.
        stop: end after so many rises of the final loss in a row, or None.
        unmasked: weights that count as pruned and yet are not touched, a quirk of the public scripts.
    """

    scope: Sequence[str] | None = None
    trained: bool = True
    rewind_step: int = 0
    clean: bool = False
    empty_layers: str = "stop"
    stop: int | None = None
    unmasked: Collection[str] = ()


@dataclass(frozen=True)
class Experiment:
    """What is fitted, and how it is pruned.

    Args:
        problem: what was measured.
        network: the prior at its initialisation.
        code: its fixed input.
        metric: how reconstructions are scored.
        settings: budget of a round.
        hardware: where it runs.
        scorer: what decides which weights go, or None where nothing is pruned.
        ladder: weights kept in each round.
        pruning: how they go.
        seed: of initialisation, code and jitter.
        configuration: the scientific part of the configuration, plain values; the run's identity.
        notes: what was done to the picture, for the user to know.
    """

    problem: Problem
    network: nn.Module
    code: Tensor
    metric: Metric
    settings: FitSettings
    hardware: Hardware
    scorer: Scorer | None
    ladder: Sequence[int]
    pruning: Pruning
    seed: int
    configuration: Mapping[str, Any]
    notes: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The run's name: a hash of its scientific configuration."""
        return hashlib.sha256(json.dumps(self.configuration, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def provenance(self) -> dict[str, Any]:
        """Where a ticket or a score comes from."""
        return {"run": self.name, "picture": self.problem.name, "configuration": dict(self.configuration)}


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
        Stopped: if the process was asked to stop; the state is saved.
        UserError: if a fit diverges.
    """
    pruning = experiment.pruning
    fitting = PriorFitting(
        experiment.network,
        experiment.problem.without_noise() if pruning.clean else experiment.problem,
        experiment.code,
        experiment.metric,
        experiment.settings,
        experiment.hardware,
        experiment.seed,
        pruning.scope,
        pruning.rewind_step,
        pruning.unmasked,
    )
    rounds = len(experiment.ladder)
    record = Record(directory, experiment.seed, experiment.provenance)
    callbacks: list[L.Callback] = [record, Screen(console, record, rounds)]
    if logger is not None:
        callbacks.append(LogRounds(record))
    callbacks += extra
    if experiment.scorer is not None:
        callbacks.append(
            PruneAndRewind(
                record, experiment.scorer, experiment.ladder, pruning.trained, pruning.stop, pruning.empty_layers
            )
        )
    callbacks.append(Autosave(directory, experiment.hardware.save_seconds))
    with warnings.catch_warnings():
        _quiet()
        trainer = L.Trainer(
            accelerator="gpu" if experiment.hardware.device == "cuda" else "cpu",
            devices=1,
            benchmark=experiment.hardware.device == "cuda",
            max_epochs=rounds,
            logger=logger or False,
            callbacks=callbacks,
            log_every_n_steps=1,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=directory.path,
        )
        trainer.fit(fitting, ckpt_path=_checkpoint(directory, console), weights_only=True)
    directory.write("comparison.png", figures.comparison(directory.path))
    directory.write("rounds.png", figures.rounds(directory.path))
    summary = _summary(experiment, record)
    directory.finish(summary)
    return summary


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


def _summary(experiment: Experiment, record: Record) -> dict[str, Any]:
    rows, winner = record.rounds, most_sparse_matching(record.rounds)
    clean = experiment.problem.x is not None
    return {
        **experiment.provenance,
        "notes": list(experiment.notes),
        "fitted_to": "clean" if experiment.pruning.clean else "measured",
        "ended": record.ended,
        "loss_rises": {str(times): rising([row.loss for row in rows], times) for times in (2, 3)},
        "scored": {
            "picture": experiment.settings.answer,
            "metric": str(experiment.metric),
            "missing": [] if clean else ["psnr_best", "psnr_last", "psnr_ema", "psnr_stop", "ssim_best", "matching"],
            "why": None if clean else "there is no clean image (image.clean=false)",
        },
        "parameters": sum(parameter.numel() for parameter in experiment.network.parameters()),
        "prunable_weights": experiment.ladder[0],
        "rounds": len(rows),
        "dense": asdict(rows[0]),
        "most_sparse_matching": None if winner is None else asdict(winner),
        "last": asdict(rows[-1]),
        "seconds": sum(row.seconds for row in rows),
        "hardware": str(experiment.hardware),
        "versions": {"lipdip": lipdip.__version__, "torch": torch.__version__, "python": platform.python_version()},
    }


def _quiet() -> None:
    """Leave only warnings that the user can act on."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for about in (".*does not have many workers.*", ".*GPU available but not used.*", ".*isinstance.treespec.*"):
        warnings.filterwarnings("ignore", about)
