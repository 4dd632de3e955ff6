"""``python -m lipdip.run``: find a lottery image prior, or use one that was found."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich import box
from rich.console import Console
from rich.table import Table

from lipdip.core.console import console, say
from lipdip.core.errors import UserError
from lipdip.fit.autosave import Stopped
from lipdip.fit.execute import find_ticket
from lipdip.fit.experiment import Classification, Experiment, Generation, Recovery, Restoration
from lipdip.fit.naming import Sweep
from lipdip.runs.directory import RunDirectory, read_pictures, read_rounds
from lipdip.runs.matching import most_sparse_matching
from lipdip.runs.rows import Classified, Generated, PictureScores, Recovered, Restored, Round
from lipdip.tasks.assemble import assemble
from lipdip.tasks.build import build


def run(cfg: DictConfig, screen: Console | None = None, sweep: Sweep | None = None) -> Path:
    """Do the run that ``cfg`` describes, or what is missing of it.

    Args:
        cfg: as ``compose`` gives it.
        screen: where to show progress.
        sweep: that the run belongs to, for the logger.

    Returns:
        The run directory, finished.

    Raises:
        HeldError: if another process is working on the same run.
        UserError: if ``cfg`` describes nothing that can be run, or the run directory cannot be written.
        Stopped: if the process was asked to stop meanwhile.
    """
    screen = screen or console()
    experiment = assemble(cfg)
    if not isinstance(cfg.paths.output_dir, str):
        raise UserError(f"paths.output_dir must be a directory, not {cfg.paths.output_dir!r}")
    output = Path(cfg.paths.output_dir).expanduser()
    with RunDirectory(output / "runs" / experiment.name) as directory:
        summary = directory.summary
        if summary is None:
            logger = build(cfg.logger, run=experiment.name, output_dir=output, console=screen, sweep=sweep)
            _announce(experiment, directory, screen)
            directory.write("config.yaml", OmegaConf.to_yaml(cfg, resolve=True))
            try:
                summary = find_ticket(experiment, directory, screen, logger)
            except (UserError, Stopped):
                directory.discard_if_empty()
                raise
        else:
            say(screen, f"finished already: {directory.path}")
        _show(summary, read_rounds(directory.path), screen)
        _show_pictures([row for row in read_pictures(directory.path) if isinstance(row, PictureScores)], screen)
        say(screen, f"everything is in {directory.path}")
    return directory.path


def _announce(experiment: Experiment, directory: RunDirectory, screen: Console) -> None:
    what, budget = _what(experiment)
    start, ladder = experiment.pruning.start, experiment.pruning.ladder
    kept = "" if start.kept == start.total else f", {start.kept:,} of them kept by the ticket"
    weights = f"{start.total:,} prunable weights{kept}"
    rounds = f"{len(ladder)} round{'' if len(ladder) == 1 else 's'} of {budget} on {experiment.hardware}"
    say(screen, f"{what}; {type(experiment.network).__name__} with {weights}; {rounds}")
    for note in experiment.notes:
        say(screen, f"note: {note}")
    if isinstance(experiment, Restoration) and any(problem.x is None for problem in experiment.problems):
        say(screen, "note: without a clean image there is no PSNR, no SSIM and no matching test")
    verb = "going on in" if directory.checkpoint.exists() else "writing to"
    say(screen, f"{verb} {directory.path}")


def _what(experiment: Experiment) -> tuple[str, str]:
    """What is trained on, and for how long, in words."""
    if isinstance(experiment, Restoration):
        first = experiment.problems[0]
        shapes = [(problem.name, *problem.physics.image_shape) for problem in experiment.problems]
        sizes = [f"{name} {height}x{width}x{channels}" for name, channels, height, width in shapes]
        return f"{type(first.physics).__name__}, {', '.join(sizes)}", f"{experiment.settings.steps} steps"
    if isinstance(experiment, Recovery):
        physics, settings = experiment.problems[0].physics, experiment.settings
        count = f"{len(experiment.problems)} pictures, " if len(experiment.problems) > 1 else ""
        subject = f"{count}{experiment.subject}, {physics.measurement_shape[-1]} measurements"
        if physics.measurement_shape == physics.image_shape:
            subject = f"{count}{experiment.subject}"
        search = f"{settings.steps} steps, {settings.restarts} restarts, {settings.objective}"
        return f"{type(physics).__name__}, {subject}", search
    assert isinstance(experiment, Classification | Generation)
    data = experiment.dataset
    if isinstance(experiment, Generation):
        size = f"{len(data.train)} training pictures brought to {experiment.network.size}x{experiment.network.size}"
        return f"Train a GAN, {data.name}: {size}", f"{experiment.settings.steps} steps"
    size = f"{len(data.train)} training and {len(data.test)} test pictures in {len(data.classes)} classes"
    epochs = experiment.settings.epochs
    return f"Classify, {data.name}: {size}", f"{epochs} epoch{'' if epochs == 1 else 's'}"


def _show(summary: dict[str, Any], rounds: Sequence[Round], screen: Console) -> None:
    scored = summary["scored"]
    best = f"best {scored['picture']}".replace("_", " ")
    mean = "" if len(summary["picture"].split(", ")) == 1 else ", mean of all pictures"
    title = f"PSNR in dB and SSIM on {scored['metric']}{mean}; {best} = over the run, an oracle's choice"
    scores: dict[str, Callable[[Any], str]] = {
        "per value": lambda row: f"{row.weights_per_pixel:.3g}",
        best: lambda row: _number(row.psnr_best, 2),
        "at step": lambda row: _number(row.psnr_best_step, 0),
        "by rule": lambda row: _number(row.psnr_stop, 2),
        "last output": lambda row: _number(row.psnr_last, 2),
        "last average": lambda row: _number(row.psnr_ema, 2),
        "SSIM": lambda row: _number(row.ssim_best, 3),
    }
    if isinstance(rounds[0], Classified):
        title = "share of test pictures named right, after the last epoch and after the best (an oracle's choice)"
        scores = {
            "loss": lambda row: f"{row.loss:.3e}",
            "accuracy": lambda row: f"{row.accuracy:.4f}",
            "best": lambda row: f"{row.accuracy_best:.4f}",
            "at epoch": lambda row: str(row.accuracy_best_epoch),
        }
    if isinstance(rounds[0], Recovered):
        title = "of the restart with the lowest objective; MSE per pixel on [-1, 1], PSNR in dB"
        scores = {
            "measurements": lambda row: f"{row.measurements:,}",
            "objective": lambda row: f"{row.loss:.3e}",
            "MSE": lambda row: _number(row.mse, 4),
            "PSNR": lambda row: _number(row.psnr, 2),
        }
    if isinstance(rounds[0], Generated):
        title = "the critic's loss and distance, and how far held-out pictures are from what a code reaches (MSE)"
        scores = {
            "loss": lambda row: f"{row.loss:.3f}",
            "distance": lambda row: f"{row.distance:.3f}",
            "held-out error": lambda row: f"{row.reconstruction_error:.4f}",
        }
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("round", "sparsity", "weights", *scores, "matching"):
        table.add_column(column, justify="right")
    for row in rounds:
        head = (str(row.round), f"{row.sparsity:.3f}", f"{row.kept_weights:,}")
        matching = "" if row.matching is None else "yes" if row.matching else "no"
        table.add_row(*head, *(score(row) for score in scores.values()), matching)
    screen.print(table)
    screen.print(_answer(summary, rounds), highlight=False, markup=False, soft_wrap=True)


def _show_pictures(rows: Sequence[PictureScores], screen: Console) -> None:
    """Of several pictures, what each reached in the first round and in the last."""
    for name in dict.fromkeys(row.picture for row in rows):
        own = [row for row in rows if row.picture == name]
        shown = own[:1] if len(own) == 1 else [own[0], own[-1]]
        scores = [f"{_number(row.psnr_best, 2) or f'{row.loss:.3e}'} at sparsity {row.sparsity:.3f}" for row in shown]
        unit = "loss " if own[0].psnr_best is None else "dB: "
        say(screen, f"  {name}, {unit}{', '.join(scores)}")


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _answer(summary: dict[str, Any], rounds: Sequence[Round]) -> str:
    ended = f"ended early: {summary['ended']}\n" if summary["ended"] else ""
    return ended + _winner(summary, rounds)


def _winner(summary: dict[str, Any], rounds: Sequence[Round]) -> str:
    first, winner = rounds[0], most_sparse_matching(rounds)
    if first.score is None:
        return f"no scores: {summary['scored']['why']}"
    if first.sparsity > 0:
        return f"ticket at sparsity {first.sparsity:.3f}: {_score(first)}; no matching test: {summary['scored']['why']}"
    if len(rounds) == 1:
        return f"dense network: {_score(first)}"
    if winner is None:
        return f"no sparse network does as well as the dense one ({_score(first)})"
    return (
        f"most sparse matching ticket: round {winner.round}, sparsity {winner.sparsity:.3f}, "
        f"{winner.kept_weights:,} weights, {_score(winner)} (dense {_score(first)})"
    )


def _score(row: Round) -> str:
    if isinstance(row, Restored | Recovered):
        return f"{row.score:.2f} dB"
    return f"accuracy {row.score:.4f}" if isinstance(row, Classified) else f"held-out error {-(row.score or 0):.4f}"
