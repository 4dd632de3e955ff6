"""Exhibits about using tickets: elsewhere, with a pretrained generator, and what they fit fast."""

from collections.abc import Iterable

from lipdip.reports import paper
from lipdip.reports.exhibit import Exhibit, Point, best, over_rounds
from lipdip.reports.finished_run import Origin, Run
from lipdip.reports.selectors import by, fits, over_layers, over_steps, pruner, restores, sparse, task

_TARGETS = {"picture": "a picture", "noisy": "with noise", "shuffled": "its pixels shuffled", "noise": "white noise"}


_UNPRUNED = {"IMP, fine-tuned": "random, fine-tuned", "random, fine-tuned": "IMP, fine-tuned"}  # the same generator


def source(run: Run) -> Origin | None:
    """The run whose ticket, or whose fine-tuned generator, this one has."""
    return run.origin("ticket.path") or run.origin("model.path")


def generator(run: Run) -> str:
    """Which generator recovers: the dense one, or a ticket used in one of the two ways."""
    found = source(run)
    if found is None:
        return "dense"
    masked = run.origin("model.path") is None and run.given("ticket.init") != "model"
    return f"{pruner(found.run)}, {'mask on pretrained weights' if masked else 'fine-tuned'}"


def recovers(run: Run) -> bool:
    """Recoveries as in Table 1: of compressive sensing those that withstand outliers."""
    robust = run.at("fit.objective") == "median_of_means" and bool(run.at("task.outliers"))
    return not run.lost and (task(run) == "gan_inpaint" or (task(run) == "compressive_sensing" and robust))


def published(run: Run) -> bool:
    """Whether Table 1 has a recovery's problem: of compressive sensing that of 2% outliers."""
    return task(run) != "compressive_sensing" or run.at("task.outliers") == 0.02


def fits_once(run: Run) -> bool:
    """A dense network, or a ticket that another run found, fitted once."""
    return pruner(run) == "dense" and not run.lost and (run.at("ticket") is None or source(run) is not None)


def _pruned(found: Origin) -> str:
    return "" if pruner(found.run) == "IMP" else f", by {pruner(found.run)}"


def _by_task(run: Run) -> str:
    found = source(run)
    return "dense" if found is None else f"found by {task(found.run).replace('_', ' ')}{_pruned(found)}"


def _by_picture(run: Run) -> str:
    found = source(run)
    return "dense" if found is None else f"found on {', '.join(found.run.pictures)}{_pruned(found)}"


def _across_tasks(run: Run) -> bool:
    found = source(run)
    return restores(run) and fits_once(run) and (found is None or found.run.pictures == run.pictures)


def _across_pictures(run: Run) -> bool:
    found = source(run)
    return (
        restores(run) and task(run) == "denoise" and fits_once(run) and (found is None or task(found.run) == "denoise")
    )


def _found_on_several(run: Run) -> bool:
    found = source(run)
    return found is not None and len(found.run.pictures) > 1


def _across_levels(run: Run) -> bool:
    """Fits on either problem: of the dense network, of tickets found there, and of tickets of the other problem."""
    found = source(run)
    denoises = restores(run) and task(run) == "denoise"
    own = found is None or (task(found.run) == "denoise" and found.run.pictures == run.pictures)
    other = found is not None and task(found.run) == "classify"
    return fits_once(run) and (task(run) == "classify" or (denoises and (own or other)))


def _by_level(run: Run) -> Iterable[Point]:
    return over_rounds(_by_task, facet="accuracy" if task(run) == "classify" else "PSNR")(run)


def _fits_target(run: Run) -> bool:
    return fits(run) and task(run) == "denoise" and run.at("task.sigma") == 0 and fits_once(run)


def _network(run: Run) -> str:
    found = source(run)
    return "dense" if found is None else f"{pruner(found.run)} at {run.rounds[0].sparsity:.3f}"


USING: tuple[Exhibit, ...] = (
    Exhibit(
        name="fig4",
        title="Tickets on other pictures, and of several pictures",
        kind="figure",
        says="Tickets of several pictures do as well on one of them as its own, and better where little is left.",
        wants=_across_pictures,
        points=over_rounds(_by_picture),
        series=("dense",),
        must=lambda names: any("," in name for name in names),
        varies=("pruner", "ticket"),
        again=True,
        sweeps=("image", "pruner"),
    ),
    Exhibit(
        name="fig14",
        title="Tickets of other pictures",
        kind="figure",
        says="Tickets of other pictures do a little worse up to 40% sparsity, and as well where little is left.",
        wants=lambda run: _across_pictures(run) and not _found_on_several(run),
        points=over_rounds(_by_picture),
        series=("dense",),
        must=lambda names: len(names - {"dense"}) > 1,
        varies=("pruner", "ticket"),
        again=True,
        sweeps=("image", "pruner"),
    ),
    Exhibit(
        name="fig5",
        title="Tickets on other restoration tasks",
        kind="figure",
        says="A ticket found by another restoration task does as well as the task's own, sometimes better.",
        wants=_across_tasks,
        points=over_rounds(_by_task),
        series=("dense", "found by denoise", "found by inpaint", "found by super resolution"),
        must=lambda names: len(names - {"dense"}) > 1,
        varies=("pruner", "ticket"),
        again=True,
        sweeps=("task", "pruner"),
    ),
    Exhibit(
        name="fig6",
        title="Tickets between restoration and classification",
        kind="figure",
        says="Tickets of denoising fail at naming pictures, and those of naming pictures fail at denoising.",
        wants=_across_levels,
        points=_by_level,
        series=("dense", "found by denoise", "found by classify"),
        must=lambda names: "found by classify" in names,
        varies=("pruner", "ticket"),
        again=True,
        sweeps=("task", "image", "fit", "model", "pruner"),
        y={"accuracy": "accuracy after the last epoch", "PSNR": "best PSNR over the run in dB (oracle)"},
    ),
    Exhibit(
        name="fig7",
        title="Where the weights are: sparsity of each layer",
        kind="figure",
        says="IMP keeps weights of earlier layers and prunes later ones, SNIP the reverse, random all alike.",
        wants=by("IMP", "random", "SNIP"),
        points=over_layers(lambda run, row: f"{pruner(run)} at {row.sparsity:.3f}", sparse),
        series=(),
        x="layer, counted from the input",
        y={"": "sparsity of the layer"},
    ),
    Exhibit(
        name="fig10",
        title="What is fitted fast: a picture, noise, or neither",
        kind="figure",
        says="Tickets fit pictures faster than noise, more so than the dense network; random ones fit nothing.",
        wants=_fits_target,
        points=over_steps(
            lambda run, row: _network(run),
            lambda run: run.rounds[:1],
            lambda run: {_TARGETS.get(run.at("image")[0]["content"], "another"): "loss"},
        ),
        series=("dense",),
        varies=("pruner", "ticket", "image"),
        x="optimisation step",
        y=dict.fromkeys(_TARGETS.values(), "fitting loss"),
        logarithmic=("x", "y"),
        needs=1,
        again=True,
        sweeps=("task.sigma", "pruner"),
    ),
    Exhibit(
        name="table1",
        title="Tickets of a pretrained generator",
        kind="table",
        says="IMP's tickets recover as well as the dense generator up to 74% sparsity, random ones do not.",
        wants=recovers,
        points=over_rounds(generator, best),
        series=(
            *("dense", "IMP, mask on pretrained weights", "IMP, fine-tuned"),
            *("random, mask on pretrained weights", "random, fine-tuned"),
        ),
        must=lambda names: names != {"dense"},
        starts=lambda name: _UNPRUNED.get(name, "dense"),
        varies=("ticket", "model"),
        y={"": "MSE per pixel on [-1, 1]"},
        columns=tuple(paper.TABLE_1["gan_inpaint", "IMP, fine-tuned"]),
        paper=paper.TABLE_1,
        paper_on="CelebA-HQ faces at 256x256; the paper's text fits both ways of using a ticket",
        published=("256x256",),
        again=True,
        claims=published,
        sweeps=("task", "image", "fit", "model", "pruner"),
    ),
)
