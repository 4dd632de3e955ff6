"""Kinds of runs and of points, in the words in which the exhibits are written down."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from lipdip.core.errors import UserError
from lipdip.reports.exhibit import Point
from lipdip.reports.finished_run import Run
from lipdip.runs.csv_tables import DAMAGED, read_table
from lipdip.runs.directory import read_curves
from lipdip.runs.rows import CurvePoint, Round

CLEAN = "found on the clean picture"
RESTORING = ("denoise", "inpaint", "super_resolution")
PRUNERS = {
    "none": "dense",
    "imp": "IMP",
    "random": "random",
    "snip": "SNIP",
    "grasp": "GraSP",
    "synflow": "SynFlow",
    "magnitude": "magnitude at the start",
    "oes": "OES",
    "random_layerwise": "random, as dense in each layer",
    "reinit": "its mask on new weights",
    "ticket": "tickets",
}


def pruner(run: Run) -> str:
    """What prunes, as the series are called; a run without pruning is ``dense``."""
    name = str(run.at("pruner.name") or "none")
    return PRUNERS.get(name, name)


def task(run: Run) -> str:
    """The task's name."""
    return str(run.at("task.name"))


def fits(run: Run) -> bool:
    """Whether one clean picture, or what its content was turned into, was given to an hourglass."""
    images = run.at("image")
    alone = isinstance(images, list) and len(images) == 1 and images[0].get("clean") is True
    return task(run) in RESTORING and alone and "Hourglass" in str(run.at("model._target_"))


def restores(run: Run) -> bool:
    """Whether one clean picture was degraded and restored by an hourglass."""
    degraded = task(run) != "denoise" or run.at("task.sigma") != 0
    return fits(run) and run.at("image")[0].get("content") == "picture" and degraded


def decoder(run: Run) -> bool:
    """Whether one clean picture was restored by a deep decoder."""
    return task(run) in RESTORING and "DeepDecoder" in str(run.at("model._target_")) and run.at("ticket") is None


def quirks(run: Run) -> list[str]:
    """What of the public scripts' ways a run has, in words."""
    told = {
        CLEAN: run.at("pruner.target") == "clean",
        "a new code each round": run.at("fit.code") == "resampled",
        "36% a round": run.at("pruner.listed_twice") is True,
        "dense input convolutions": run.at("pruner.input_convs_stay_dense") is True,
    }
    return [name for name, has in told.items() if has]


def fair(run: Run) -> bool:
    """A restoration by Adam from the dense network, rewound to the start, without any quirk."""
    own = run.at("ticket") is None and not run.at("fit.weight_noise")
    return own and not quirks(run) and run.at("pruner.rewind") in (0, None)


def by(*pruners: str, exactly: bool = False) -> Callable[[Run], bool]:
    """Fair restorations by some of the pruners, as the series call them: on the ladder, or to one exact sparsity."""
    return lambda run: restores(run) and fair(run) and pruner(run) in pruners and on_the_ladder(run) is not exactly


def on_the_ladder(run: Run) -> bool:
    """Whether every round prunes at one rate; a run to an exact sparsity leaves the ladder with its last round."""
    return run.at("pruner.sparsity") is None


def data_set(run: Run) -> str:
    """The folder that the picture was read from, such as ``set12``; empty where it came with lipdip."""
    pictures = run.given("image.pictures")
    paths = [picture.get("path") for picture in pictures.values()] if isinstance(pictures, dict) else []
    return Path(paths[0]).parent.name if len(paths) == 1 and isinstance(paths[0], str) else ""


def over_steps(
    series: Callable[[Run, Round], str],
    rounds: Callable[[Run], Iterable[Round]],
    facets: Callable[[Run], dict[str, str]],
) -> Callable[[Run], Iterable[Point]]:
    """A point for each recorded step of some rounds; ``facets`` says which column of the curves each facet shows."""

    def points(run: Run) -> Iterable[Point]:
        chosen = {row.round: series(run, row) for row in rounds(run)}
        curves = read_curves(run.path)
        _check_whole(run, curves, chosen)
        for curve in curves:
            if curve.round in chosen:
                for facet, column in facets(run).items():
                    yield Point(chosen[curve.round], curve.step, curve.step, getattr(curve, column), facet)

    return points


def _check_whole(run: Run, curves: Iterable[CurvePoint], rounds: Iterable[int]) -> None:
    """Whether the curves of some rounds go on to the last step, which is always recorded."""
    steps, ends = run.at("fit.steps"), {curve.round: curve.step for curve in curves}
    for number in rounds:
        if number not in ends:
            raise UserError(f"damaged: curves.csv has no step of round {number}")
        if ends[number] != steps and run.at("fit.stop_early") is not True:
            raise UserError(f"damaged: curves.csv ends round {number} at step {ends[number]} of {steps}")


@dataclass(frozen=True)
class _Layer:
    """What is read of a row of ``layers.csv``."""

    round: int
    layer: str
    density: float


def over_layers(
    series: Callable[[Run, Round], str], rounds: Callable[[Run], Iterable[Round]]
) -> Callable[[Run], Iterable[Point]]:
    """A point for each layer of some rounds: its sparsity, at its number from the input."""

    def points(run: Run) -> Iterable[Point]:
        try:
            layers = read_table(run.path / "layers.csv", {}, _Layer)
        except DAMAGED as error:
            raise UserError(f"its layers.csv cannot be read: {error}") from None
        for row in rounds(run):
            own = [layer for layer in layers if layer.round == row.round]
            for number, layer in enumerate(own, 1):
                yield Point(series(run, row), layer.layer, number, 1 - layer.density)

    return points


def sparse(run: Run, wanted: Iterable[float] = (0.893, 0.956)) -> list[Round]:
    """The rounds at some sparsities of the paper's ladder; the last, where the run does not come so far."""
    found = [row for row in run.rounds if any(abs(row.sparsity - each) < 0.005 for each in wanted)]
    return found or [row for row in run.rounds[-1:] if row.sparsity > 0]
