"""What ``lipdip run`` does: find a lottery image prior, or use one that was found."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from rich import box
from rich.console import Console
from rich.table import Table

from lipdip.cli.compose import WORDS
from lipdip.cli.score import check_column
from lipdip.cli.sweeps.alike import check_stop_after
from lipdip.core.console import console, say
from lipdip.core.errors import UserError
from lipdip.core.files import checked_path
from lipdip.fit.execute import Callback as Callback
from lipdip.fit.execute import execute, is_callback
from lipdip.fit.experiment import Experiment
from lipdip.fit.loggers import Logger, make_loggers
from lipdip.fit.naming import Sweep
from lipdip.runs.contents import whole_summary
from lipdip.runs.directory import RunDirectory
from lipdip.runs.matching import RISES, answer, most_sparse_matching
from lipdip.runs.rising import rising
from lipdip.runs.rows import Round
from lipdip.tasks import read_pictures, read_rounds
from lipdip.tasks.assemble import assemble
from lipdip.tasks.configuration import blaming, make


def run(cfg: DictConfig, screen: Console | None = None, sweep: Sweep | None = None) -> Path:
    """Do the run that ``cfg`` describes, or what is missing of it.

    Args:
        cfg: as ``compose`` gives it.
        screen: where to show progress.
        sweep: that the run belongs to, for loggers.

    Returns:
        The run directory, finished.

    Raises:
        HeldError: if another process is working on the same run.
        UserError: if ``cfg`` describes nothing that can be run, or the run directory cannot be written.
        Stopped: if the process was asked to stop meanwhile.
    """
    screen, config = screen or console(), plain(cfg)
    _check_sweep(config)
    experiment = assemble(config)
    check_column(config.get("score"), experiment.module.tables["rounds"])
    where = config["paths"]["output_dir"]
    if not isinstance(where, str):
        raise UserError(f"paths.output_dir must be a directory, not {where!r}")
    output = checked_path(where, "paths.output_dir")
    directory = RunDirectory(output / "runs" / experiment.name)

    def made() -> tuple[list[Logger], list[Callback]]:
        return make_loggers(_table(config, "logger"), experiment.name, output, screen, sweep), own_callbacks(config)

    for group in ("logger", "callbacks"):
        _table(config, group)
    extras = made() if directory.summary is None else None  # what cannot be made leaves no directory behind
    with directory:
        if (summary := directory.summary) is not None:
            say(screen, f"finished already: {directory.path}")
        else:
            if (damage := directory.reopen()) is not None:
                say(screen, f"note: {damage}; the run is done again")
            _do(experiment, config, _words(cfg), directory, screen, *(extras or made()))
            summary = whole_summary(directory.path)
        _show(summary, read_rounds(directory.path), screen)
        _show_pictures(read_pictures(directory.path), screen)
        say(screen, f"everything is in {directory.path}")
    return directory.path


def _check_sweep(config: dict[str, Any]) -> None:
    with blaming(config, "sweep"):
        check_stop_after((config.get("sweep") or {}).get("stop_after"))


def plain(cfg: DictConfig) -> dict[str, Any]:
    """A composed configuration as nested plain values, with every interpolation resolved.

    Raises:
        UserError: if there is no such value as one of them names.
    """
    try:
        values: dict[str, Any] = OmegaConf.to_container(cfg, resolve=True)  # type: ignore[assignment]
    except OmegaConfBaseException as error:
        raise UserError(f"{error.full_key}: {str(error).splitlines()[0]}") from None
    values.pop(WORDS, None)
    return values


def experiment_of(cfg: DictConfig) -> Experiment:
    """The experiment that ``cfg`` describes; raises as :func:`~lipdip.tasks.assemble.assemble`."""
    return assemble(plain(cfg))


def _do(
    experiment: Experiment,
    config: dict[str, Any],
    words: Sequence[str],
    directory: RunDirectory,
    screen: Console,
    loggers: Sequence[Logger],
    callbacks: Sequence[Callback],
) -> None:
    try:
        _announce(experiment, directory, screen)
        directory.write("config.yaml", yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
        directory.write("overrides.yaml", yaml.safe_dump(list(words), allow_unicode=True))
        execute(experiment, directory, screen, loggers, callbacks)
    except BaseException:
        directory.discard_if_empty()
        raise


def own_callbacks(config: dict[str, Any]) -> list[Callback]:
    """The user's own callbacks of Lightning's, which ``callbacks`` names.

    Raises:
        UserError: if one cannot be made, or is no callback.
    """
    made = []
    for name, node in _table(config, "callbacks").items():
        with blaming(config, f"callbacks.{name}"):
            callback = make(node, f"callbacks.{name}")
        if not is_callback(callback):
            raise UserError(f"callbacks.{name} must be a callback of Lightning's, not {type(callback).__name__}")
        made.append(callback)
    return made


def _table(config: dict[str, Any], group: str) -> dict[str, Any]:
    """A group whose members are all made, by name; without a member it is empty."""
    found = config.get(group) or {}
    if not isinstance(found, dict):
        raise UserError(f"{group} must be a table of members, each with a _target_, not {found!r}")
    for name, node in found.items():
        if not isinstance(node, dict) or "_target_" not in node:
            raise UserError(f"{group}.{name} must be a table with a _target_, not {node!r}")
    return found


def _words(cfg: DictConfig) -> Sequence[str]:
    """What was typed: the words that ``compose`` was given, or Hydra on the command line."""
    own = cfg.get(WORDS)
    if own is not None:
        return [str(word) for word in own]
    if not HydraConfig.initialized():
        return []
    typed: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)  # \${ stays as it was typed
    return [str(word) for word in typed]


def _announce(experiment: Experiment, directory: RunDirectory, screen: Console) -> None:
    module, rounds = experiment.module, len(experiment.kept)
    (what, budget), start = module.headline(), module.start_mask
    kept = "" if start.kept == start.total else f", {start.kept:,} of them kept by the ticket"
    weights = f"{start.total:,} prunable weights{kept}"
    counted = f"{rounds} round{'' if rounds == 1 else 's'} of {budget} on {module.hardware}"
    say(screen, f"{what}; {type(module.network).__name__} with {weights}; {counted}")
    for note in experiment.notes:
        say(screen, note if note.startswith("warning: ") else f"note: {note}")
    if module.scored()["missing"]:
        say(screen, "note: without a clean image there is no PSNR, no SSIM and no matching test")
    verb = "going on in" if directory.checkpoints else "writing to"
    say(screen, f"{verb} {directory.path}")


def _show(summary: dict[str, Any], rounds: Sequence[Round], screen: Console) -> None:
    """The table of rounds, and the run's answer."""
    kind = type(rounds[0])
    scores = kind.columns(summary)
    table = Table(title=kind.title(summary), box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for column in ("round", "sparsity", "weights", *scores, "matching"):
        table.add_column(column, justify="right")
    for row in rounds:
        head = (str(row.round), f"{row.sparsity:.3f}", f"{row.kept_weights:,}")
        matching = "" if row.matching is None else "yes" if row.matching else "no"
        table.add_row(*head, *(score(row) for score in scores.values()), matching)
    screen.print(table)
    ended = [f"ended early: {summary['ended']}"] if summary["ended"] else []
    for line in (*ended, *_answer(summary, rounds), *kind.remarks(rounds)):
        say(screen, line)


def _show_pictures(rows: Sequence[Any], screen: Console) -> None:
    """Of several pictures, what each reached in the first round and in the last."""
    if not rows or not hasattr(rows[0], "in_words"):
        return
    for name in dict.fromkeys(row.picture for row in rows):
        own = [row for row in rows if row.picture == name]
        shown = own[:1] if len(own) == 1 else [own[0], own[-1]]
        scores = [f"{row.in_words()} at sparsity {row.sparsity:.3f}" for row in shown]
        say(screen, f"  {name}, {own[0].unit}{', '.join(scores)}")


def _answer(summary: dict[str, Any], rounds: Sequence[Round]) -> list[str]:
    """What the run found, in one line or two."""
    first, winner, why = rounds[0], most_sparse_matching(rounds), summary["scored"]["why"]
    if first.score is None:
        return [f"no scores: {why}", *_chosen(rounds)]
    if first.sparsity > 0:
        return [f"ticket at sparsity {first.sparsity:.3f}: {first.score_in_words()}; no matching test: {why}"]
    if len(rounds) == 1:
        return [f"dense network: {first.score_in_words()}"]
    if winner is None:
        return [f"no sparse network does as well as the dense one ({first.score_in_words()})"]
    return [
        f"most sparse matching ticket: round {winner.round}, sparsity {winner.sparsity:.3f}, "
        f"{winner.kept_weights:,} weights, {winner.score_in_words()} (dense {first.score_in_words()})"
    ]


def _chosen(rounds: Sequence[Round]) -> list[str]:
    """The answer of a run without scores, and what chose it."""
    row = answer(rounds)
    if row is None:
        return []
    risen = rising([one.loss for one in rounds], RISES) is not None
    by = f"it has risen {RISES} rounds in a row there" if risen else f"it never rose {RISES} rounds in a row"
    return [
        f"answer: round {row.round}, sparsity {row.sparsity:.3f}, by the fitting loss ({by}): "
        "images/restored_answer.png; ticket=RUN_DIR goes on from there"
    ]
