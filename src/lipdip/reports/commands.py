"""The command that makes what a panel lacks: its experiment's, with the words that all its runs were given."""

import math
import shlex
from collections.abc import Sequence

from lipdip.reports.exhibit import Exhibit
from lipdip.reports.finished_run import FinishedRun
from lipdip.reports.gallery import Gallery

_OWN = ("experiment", "seed")  # words that the command has itself


def remedy(exhibit: Exhibit | Gallery, runs: Sequence[FinishedRun], rounds: int | None = None, seed: int = 0) -> str:
    """The command that makes what a panel of these runs lacks.

    Args:
        exhibit: whose panel it is.
        runs: all runs of the panel.
        rounds: how many it takes, where that is known.
        seed: of the panel, where it shows one seed.
    """
    words = [word for word in _shared(runs) if not _decided(exhibit, _name(word))]
    if rounds is not None:
        words = [word for word in words if _name(word) != exhibit.making.rounds]
        words.append(f"{exhibit.making.rounds}={rounds}")
    own = [f"seed={seed}"] if seed else []
    return " ".join([exhibit.commands, *map(shlex.quote, [*own, *words])])


def rounds_to(run: FinishedRun, sparsity: float) -> int | None:
    """How many rounds would reach a sparsity, if the run prunes at one rate."""
    rate = ladder_rate(run)
    return None if rate is None else round(math.log(1 - sparsity) / math.log(1 - rate))


def ladder_rate(run: FinishedRun) -> float | None:
    """Which share of the remaining weights each round prunes; None where a run is on no ladder."""
    rate = run.at("pruner.rate")
    if run.at("pruner.sparsity") is not None or not isinstance(rate, float) or not 0 < rate < 1:
        return None
    return 1 - (1 - rate) ** 2 if run.at("pruner.listed_twice") is True else rate


def _shared(runs: Sequence[FinishedRun]) -> list[str]:
    """The words that all runs were given, in the order of the first; none if some run's words are not known."""
    return [word for word in runs[0].words or () if all(word in (run.words or ()) for run in runs)]


def _decided(exhibit: Exhibit | Gallery, name: str) -> bool:
    """Whether the exhibit's own experiment decides on a setting: it goes over it, or over a group that has it."""
    if isinstance(exhibit, Gallery):
        varies = exhibit.compared.within_grid
    else:
        varies = (*exhibit.compared.within_panel, *exhibit.compared.within_line)
    groups = [part.removesuffix(".name") for part in varies]
    swept = any(name == part or name.startswith(f"{part}.") for part in exhibit.making.sweeps)
    return swept or name in (*_OWN, *varies, *groups) or name.startswith("ticket")


def _name(word: str) -> str:
    """The setting that a word of a command line gives."""
    return word.partition("=")[0].lstrip("+~")
