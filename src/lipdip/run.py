"""``python -m lipdip.run``: find a lottery image prior on one picture."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf
from rich import box
from rich.console import Console
from rich.table import Table

from lipdip.command import console, start
from lipdip.configuration.assemble import assemble
from lipdip.configuration.build import build
from lipdip.core.errors import UserError
from lipdip.core.records import Round, RunDirectory, read_rounds
from lipdip.training.experiment import Experiment
from lipdip.training.find import find_ticket


def run(cfg: DictConfig, screen: Console | None = None) -> Path:
    """Do the run that ``cfg`` describes, or what is missing of it.

    Returns:
        The run directory, finished.

    Raises:
        UserError: if ``cfg`` describes nothing that can be run.
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
            logger = build(cfg.logger, run=experiment.name, output_dir=output, console=screen)
            _announce(experiment, directory, screen)
            directory.write("config.yaml", OmegaConf.to_yaml(cfg, resolve=True))
            try:
                summary = find_ticket(experiment, directory, screen, logger)
            except UserError:
                directory.discard_if_empty()
                raise
        else:
            screen.print(f"finished already: {directory.path}")
        _show(summary, read_rounds(directory.path), screen)
        screen.print(f"everything is in {directory.path}", soft_wrap=True)
    return directory.path


def _announce(experiment: Experiment, directory: RunDirectory, screen: Console) -> None:
    problem, settings = experiment.problem, experiment.settings
    channels, height, width = problem.physics.image_shape
    weights = f"{experiment.pruning.ladder[0]:,} prunable weights"
    what = f"{type(problem.physics).__name__}, {problem.name} {height}x{width}x{channels}"
    screen.print(
        f"{what}; {type(experiment.network).__name__} with {weights}; "
        f"{len(experiment.pruning.ladder)} rounds of {settings.steps} steps on {experiment.hardware}",
        highlight=False,
    )
    for note in experiment.notes:
        screen.print(f"note: {note}", highlight=False)
    if problem.x is None:
        screen.print("note: without a clean image there is no PSNR, no SSIM and no matching test", highlight=False)
    verb = "going on in" if directory.checkpoint.exists() else "writing to"
    screen.print(f"{verb} {directory.path}", highlight=False, soft_wrap=True)


def _show(summary: dict[str, Any], rounds: list[Round], screen: Console) -> None:
    scored = summary["scored"]
    best = f"best {scored['picture']}".replace("_", " ")
    title = f"PSNR in dB and SSIM on {scored['metric']}; {best} = over the run, an oracle's choice"
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    columns = ("round", "sparsity", "weights", "per value", best, "at step", "by rule", "last output", "last average")
    for column in (*columns, "SSIM", "matching"):
        table.add_column(column, justify="right")
    for row in rounds:
        table.add_row(
            str(row.round),
            f"{row.sparsity:.3f}",
            f"{row.kept_weights:,}",
            f"{row.weights_per_pixel:.3g}",
            _number(row.psnr_best, 2),
            "" if row.psnr_best_step is None else str(row.psnr_best_step),
            _number(row.psnr_stop, 2),
            _number(row.psnr_last, 2),
            _number(row.psnr_ema, 2),
            _number(row.ssim_best, 3),
            "" if row.matching is None else "yes" if row.matching else "no",
        )
    screen.print(table)
    screen.print(_answer(summary), highlight=False)


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _answer(summary: dict[str, Any]) -> str:
    ended = f"ended early: {summary['ended']}\n" if summary["ended"] else ""
    return ended + _winner(summary)


def _winner(summary: dict[str, Any]) -> str:
    if summary["scored"]["why"]:
        return f"no scores: {summary['scored']['why']}"
    winner, dense = summary["most_sparse_matching"], summary["dense"]
    if summary["rounds"] == 1:
        return f"dense network: {dense['psnr_best']:.2f} dB"
    if winner is None:
        return f"no sparse network restores as well as the dense one ({dense['psnr_best']:.2f} dB)"
    return (
        f"most sparse matching ticket: round {winner['round']}, sparsity {winner['sparsity']:.3f}, "
        f"{winner['kept_weights']:,} weights, {winner['psnr_best']:.2f} dB (dense {dense['psnr_best']:.2f} dB)"
    )


if __name__ == "__main__":
    start("run", run)  # type: ignore[arg-type]
