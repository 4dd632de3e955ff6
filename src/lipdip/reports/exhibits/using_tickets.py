"""Exhibits about using tickets: elsewhere, with a pretrained generator, and what they fit fast."""

from collections.abc import Iterable

from lipdip.reports import paper
from lipdip.reports.exhibit import BEST_PSNR, Axes, Compared, Exhibit, Making, Paper, Point, Whole, over_rounds
from lipdip.reports.finished_run import FinishedRun, Source
from lipdip.reports.selectors import (
    by,
    fits_once,
    is_restoration,
    is_single_picture_fit,
    over_layers,
    over_steps,
    pruner,
    source,
    sparse,
    task,
)

_TARGETS = {"picture": "a picture", "noisy": "with noise", "shuffled": "its pixels shuffled", "noise": "white noise"}
_TICKETS = Compared(within_panel=("pruner", "ticket"))
TABLE1_RUNS = Making(experiment="table1", two_stage=True, sweeps=("task", "image", "fit", "model", "pruner"))
GENERATORS = (
    *("dense", "IMP, mask on pretrained weights", "IMP, fine-tuned"),
    *("random, mask on pretrained weights", "random, fine-tuned"),
)
_UNPRUNED = {"IMP, fine-tuned": "random, fine-tuned", "random, fine-tuned": "IMP, fine-tuned"}  # the same generator


def generator(run: FinishedRun) -> str:
    """The generator that recovers: the dense one, or a ticket used in one of the two ways."""
    found = source(run)
    if found is None:
        return "dense"
    masked = run.origin("model.path") is None and run.given("ticket.init") != "model"
    return f"{pruner(found.run)}, {'mask on pretrained weights' if masked else 'fine-tuned'}"


def is_recovery(run: FinishedRun) -> bool:
    """Recoveries as in Table 1: of compressive sensing those that withstand outliers."""
    robust = run.at("fit.objective") == "median_of_means" and bool(run.at("task.outliers"))
    return not run.lost and (task(run) == "gan_inpaint" or (task(run) == "compressive_sensing" and robust))


def published(run: FinishedRun) -> bool:
    """Whether Table 1 has a recovery's problem: of compressive sensing that of 2% outliers."""
    return task(run) != "compressive_sensing" or run.at("task.outliers") == 0.02


def _pruned(found: Source) -> str:
    return "" if pruner(found.run) == "IMP" else f", by {pruner(found.run)}"


def _by_task(run: FinishedRun) -> str:
    found = source(run)
    return "dense" if found is None else f"found by {task(found.run).replace('_', ' ')}{_pruned(found)}"


def _by_picture(run: FinishedRun) -> str:
    found = source(run)
    return "dense" if found is None else f"found on {', '.join(found.run.pictures)}{_pruned(found)}"


def _across_tasks(run: FinishedRun) -> bool:
    found = source(run)
    return is_restoration(run) and fits_once(run) and (found is None or found.run.pictures == run.pictures)


def _across_pictures(run: FinishedRun) -> bool:
    found = source(run)
    denoised = found is None or task(found.run) == "denoise"
    return is_restoration(run) and task(run) == "denoise" and fits_once(run) and denoised


def _found_on_several(run: FinishedRun) -> bool:
    found = source(run)
    return found is not None and len(found.run.pictures) > 1


def _across_levels(run: FinishedRun) -> bool:
    """Fits on either problem: of the dense network, of tickets found there, and of tickets of the other problem."""
    found = source(run)
    denoises = is_restoration(run) and task(run) == "denoise"
    own = found is None or (task(found.run) == "denoise" and found.run.pictures == run.pictures)
    other = found is not None and task(found.run) == "classify"
    return fits_once(run) and (task(run) == "classify" or (denoises and (own or other)))


def _by_level(run: FinishedRun) -> Iterable[Point]:
    return over_rounds(_by_task, facet="accuracy" if task(run) == "classify" else "PSNR")(run)


def _fits_target(run: FinishedRun) -> bool:
    return is_single_picture_fit(run) and task(run) == "denoise" and run.at("task.sigma") == 0 and fits_once(run)


def _network(run: FinishedRun) -> str:
    found = source(run)
    return "dense" if found is None else f"{pruner(found.run)} at {run.rounds[0].sparsity:.3f}"


FIG4 = Exhibit(
    name="fig4",
    title="Tickets on other pictures, and of several pictures",
    says="Tickets of several pictures do as well on one of them as its own, and better where little is left.",
    wants=_across_pictures,
    points=over_rounds(_by_picture),
    whole=Whole(series=("dense",)),
    compared=_TICKETS,
    making=Making(two_stage=True, sweeps=("image", "pruner")),
    show_if=lambda names: any("," in name for name in names),
)
FIG5 = Exhibit(
    name="fig5",
    title="Tickets on other restoration tasks",
    says="A ticket found by another restoration task does as well as the task's own, sometimes better.",
    wants=_across_tasks,
    points=over_rounds(_by_task),
    whole=Whole(series=("dense", "found by denoise", "found by inpaint", "found by super resolution")),
    compared=_TICKETS,
    making=Making(two_stage=True, sweeps=("task", "pruner")),
    show_if=lambda names: len(names - {"dense"}) > 1,
)
FIG6 = Exhibit(
    name="fig6",
    title="Tickets between restoration and classification",
    says="Tickets of denoising fail at naming pictures, and those of naming pictures fail at denoising.",
    wants=_across_levels,
    points=_by_level,
    whole=Whole(series=("dense", "found by denoise", "found by classify")),
    axes=Axes(y={"accuracy": "accuracy after the last epoch", "PSNR": BEST_PSNR}),
    compared=_TICKETS,
    making=Making(two_stage=True, sweeps=("task", "image", "fit", "model", "pruner")),
    show_if=lambda names: "found by classify" in names,
)
FIG7 = Exhibit(
    name="fig7",
    title="Where the weights are: sparsity of each layer",
    says="IMP keeps weights of earlier layers and prunes later ones, SNIP the reverse, random all alike.",
    wants=by("IMP", "random", "SNIP"),
    points=over_layers(lambda run, row: f"{pruner(run)} at {row.sparsity:.3f}", sparse),
    whole=Whole(series=()),
    axes=Axes(x="layer, counted from the input", y={"": "sparsity of the layer"}),
)
TABLE1 = Exhibit(
    name="table1",
    place=7.1,
    title="Tickets of a pretrained generator",
    says="IMP's tickets recover as well as the dense generator up to 74% sparsity, random ones do not.",
    paper=Paper(
        numbers=paper.TABLE_1,
        on="CelebA-HQ faces at 256x256; the paper's text fits both ways of using a ticket",
        pictures=("256x256",),
        has=published,
    ),
    wants=is_recovery,
    points=over_rounds(generator),
    whole=Whole(series=GENERATORS, starts=lambda name: _UNPRUNED.get(name, "dense")),
    axes=Axes(y={"": "MSE per pixel on [-1, 1]"}, columns=tuple(paper.TABLE_1["gan_inpaint", "IMP, fine-tuned"])),
    compared=Compared(within_panel=("ticket", "model")),
    making=TABLE1_RUNS,
    show_if=lambda names: names != {"dense"},
)
FIG10 = Exhibit(
    name="fig10",
    title="What is fitted fast: a picture, noise, or neither",
    says="Tickets fit pictures faster than noise, more so than the dense network; random ones fit nothing.",
    wants=_fits_target,
    points=over_steps(
        lambda run, row: _network(run),
        lambda run: run.rounds[:1],
        lambda run: {_TARGETS.get(run.at("image")[0]["content"], "another"): "loss"},
    ),
    whole=Whole(series=("dense",), seeds=1),
    axes=Axes(x="optimisation step", y=dict.fromkeys(_TARGETS.values(), "fitting loss"), logarithmic=("x", "y")),
    compared=Compared(within_panel=("pruner", "ticket", "image")),
    making=Making(two_stage=True, sweeps=("task.sigma", "pruner")),
)
FIG14 = Exhibit(
    name="fig14",
    title="Tickets of other pictures",
    says="Tickets of other pictures do a little worse up to 40% sparsity, and as well where little is left.",
    wants=lambda run: _across_pictures(run) and not _found_on_several(run),
    points=over_rounds(_by_picture),
    whole=Whole(series=("dense",)),
    compared=_TICKETS,
    making=Making(two_stage=True, sweeps=("image", "pruner")),
    show_if=lambda names: len(names - {"dense"}) > 1,
)
