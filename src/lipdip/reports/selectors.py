"""Which runs an exhibit takes and which points they give: the predicates and functions of the declarations."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lipdip.core.errors import UserError
from lipdip.reports.exhibit import Point
from lipdip.reports.finished_run import FinishedRun, Source
from lipdip.runs.rows import Round

CLEAN = "found on the clean picture"
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


def pruner(run: FinishedRun) -> str:
    """The pruner by the name of its series; ``dense`` for a run without pruning."""
    name = str(run.at("pruner.name") or "none")
    return PRUNERS.get(name, name)


def task(run: FinishedRun) -> str:
    """The task's name."""
    return str(run.at("task.name"))


def is_single_picture_fit(run: FinishedRun) -> bool:
    """An hourglass fit to one clean picture, altered or not."""
    images = run.at("image")
    one = isinstance(images, list) and len(images) == 1 and images[0].get("clean") is True
    return run.kind == "restoration" and one and "Hourglass" in str(run.at("model._target_"))


def is_restoration(run: FinishedRun) -> bool:
    """One clean picture, degraded and restored by an hourglass."""
    degraded = task(run) != "denoise" or run.at("task.sigma") != 0
    return is_single_picture_fit(run) and run.at("image")[0].get("content") == "picture" and degraded


def is_decoder(run: FinishedRun) -> bool:
    """One clean picture, restored by a deep decoder."""
    return run.kind == "restoration" and "DeepDecoder" in str(run.at("model._target_")) and run.at("ticket") is None


def quirks(run: FinishedRun) -> list[str]:
    """The quirks of the public scripts that a run has, in words."""
    known = {
        CLEAN: run.at("pruner.target") == "clean",
        "a new code each round": run.at("fit.code") == "resampled",
        "36% a round": run.at("pruner.listed_twice") is True,
        "dense input convolutions": run.at("pruner.input_convs_stay_dense") is True,
    }
    return [name for name, has in known.items() if has]


def starts_dense(run: FinishedRun) -> bool:
    """A fit by Adam (not SGLD) of the dense network."""
    return run.at("ticket") is None and not run.at("fit.weight_noise")


def rewinds_to_start(run: FinishedRun) -> bool:
    """Whether later rounds begin with the initial weights."""
    return run.at("pruner.rewind") in (0, None)


def by(*pruners: str, exactly: bool = False) -> Callable[[FinishedRun], bool]:
    """Restorations without quirks by some pruners (named as their series): on the ladder, or to an exact sparsity."""

    def wanted(run: FinishedRun) -> bool:
        fair = starts_dense(run) and rewinds_to_start(run) and not quirks(run)
        return is_restoration(run) and fair and pruner(run) in pruners and on_the_ladder(run) is not exactly

    return wanted


def on_the_ladder(run: FinishedRun) -> bool:
    """Whether every round prunes at one rate; a run to an exact sparsity leaves the ladder with its last round."""
    return run.at("pruner.sparsity") is None


def source(run: FinishedRun) -> Source | None:
    """The run whose ticket, or whose fine-tuned generator, this one has."""
    return run.origin("ticket.path") or run.origin("model.path")


def fits_once(run: FinishedRun) -> bool:
    """A dense network, or a ticket that another run found, fitted once."""
    return pruner(run) == "dense" and not run.lost and (run.at("ticket") is None or source(run) is not None)


def data_set(run: FinishedRun) -> str:
    """The folder that the picture was read from, such as ``set12``; empty where it came with lipdip."""
    pictures = run.given("image.pictures")
    paths = [picture.get("path") for picture in pictures.values()] if isinstance(pictures, dict) else []
    return Path(paths[0]).parent.name if len(paths) == 1 and isinstance(paths[0], str) else ""


def over_steps(
    series: Callable[[FinishedRun, Round], str],
    rounds: Callable[[FinishedRun], Iterable[Round]],
    facets: Callable[[FinishedRun], dict[str, str]],
) -> Callable[[FinishedRun], Iterable[Point]]:
    """A point for each recorded step of some rounds; ``facets`` says which column of the curves each facet shows."""

    def points(run: FinishedRun) -> Iterable[Point]:
        chosen = {row.round: series(run, row) for row in rounds(run)}
        curves = run.curves()
        _check_whole(run, curves, chosen)
        for curve in curves:
            if curve.round in chosen:
                for facet, column in facets(run).items():
                    yield Point(chosen[curve.round], curve.step, curve.step, getattr(curve, column), facet)

    return points


def _check_whole(run: FinishedRun, curves: Iterable[Any], rounds: Iterable[int]) -> None:
    """Raise unless the curves of some rounds go on to the last step, which is always recorded."""
    steps, ends = run.at("fit.steps"), {curve.round: curve.step for curve in curves}
    for number in rounds:
        if number not in ends:
            raise UserError(f"damaged: curves.csv has no step of round {number}")
        if ends[number] != steps and run.at("fit.stop_early") is not True:
            raise UserError(f"damaged: curves.csv ends round {number} at step {ends[number]} of {steps}")


def over_layers(
    series: Callable[[FinishedRun, Round], str], rounds: Callable[[FinishedRun], Iterable[Round]]
) -> Callable[[FinishedRun], Iterable[Point]]:
    """A point for each layer of some rounds: its sparsity, at its number from the input."""

    def points(run: FinishedRun) -> Iterable[Point]:
        layers = run.layers()
        for row in rounds(run):
            own = [layer for layer in layers if layer.round == row.round]
            for number, layer in enumerate(own, 1):
                yield Point(series(run, row), layer.layer, number, 1 - layer.density)

    return points


def sparse(run: FinishedRun, wanted: Iterable[float] = (0.893, 0.956)) -> list[Round]:
    """The rounds at some sparsities of the paper's ladder; the last, where the run does not come so far."""
    found = [row for row in run.rounds if any(abs(row.sparsity - each) < 0.005 for each in wanted)]
    return found or [row for row in run.rounds[-1:] if row.sparsity > 0]
