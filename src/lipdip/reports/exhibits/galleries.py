"""The paper's figures that are made of pictures."""

from collections.abc import Iterator, Set
from dataclasses import replace

from lipdip.reports.exhibit import Making, NotDrawn, Paper
from lipdip.reports.exhibits.using_tickets import GENERATORS, TABLE1_RUNS, generator, is_recovery, published
from lipdip.reports.finished_run import FinishedRun
from lipdip.reports.gallery import ComparedPictures, Gallery, Shot, WholeGrid
from lipdip.reports.selectors import by, fits_once, is_restoration, pruner, source, task
from lipdip.runs.matching import most_sparse_matching
from lipdip.runs.rows import Round

_MATCHING = "IMP, most sparse that matches"
_BEST = "Each picture is the best of its run against the clean one (an oracle's choice), with that PSNR."
_LAST = "IMP, SNIP and random are shown after their last round."


def _sizes(run: FinishedRun) -> list[tuple[int, int]]:
    images = run.at("image")
    return [(image["shape"][1], image["shape"][2]) for image in images] if isinstance(images, list) else []


def _score(row: Round) -> str:
    """Of a restoration."""
    return f"loss {row.loss:.2e}" if row.score is None else f"{row.score:.2f} dB"


def _restored(run: FinishedRun) -> Iterator[Shot]:
    """Clean, degraded, and restored by the dense network and by the pruner's tickets."""
    (size,) = _sizes(run)
    first, last, winner = run.rounds[0], run.rounds[-1], most_sparse_matching(run.rounds)
    yield Shot(series="clean", file="clean", size=size, shared=True)
    yield Shot(series="degraded", file="measured", size=None, shared=True)
    if first.sparsity == 0:
        yield Shot(series="dense", file="restored_dense", size=size, score=_score(first), shared=True)
    if winner is not None and winner is not last and pruner(run) == "IMP":
        score = _score(winner)
        yield Shot(series=_MATCHING, file="restored_matching", size=size, score=score, sparsity=winner.sparsity)
    if last.sparsity > 0:
        yield Shot(series=pruner(run), file="restored_last", size=size, score=_score(last), sparsity=last.sparsity)


def _at_the_end(run: FinishedRun) -> Iterator[Shot]:
    """Clean, dense, and restored by the last ticket."""
    return (shot for shot in _restored(run) if shot.series not in ("degraded", _MATCHING))


def _after_steps(run: FinishedRun) -> Iterator[Shot]:
    """The picture of one fit, at the number of its steps."""
    (size,), (row, *_), steps = _sizes(run), run.rounds, run.at("fit.steps")
    at = getattr(row, "psnr_best_step", None)
    score = _score(row) if at is None else f"{_score(row)}, step {at:,}"
    found = source(run)
    name = "dense" if found is None else f"{pruner(found.run)}'s ticket, sparsity {row.sparsity:.3f}"
    file = "restored_ticket" if row.sparsity else "restored_dense"
    yield Shot(series=name, file=file, size=size, place=f"{steps:,} steps", score=score)


def _learns(run: FinishedRun) -> bool:
    """A dense network, or its picture's and task's own ticket, fitted once."""
    found = source(run)
    own = found is None or (task(found.run) == task(run) and found.run.pictures == run.pictures)
    return is_restoration(run) and fits_once(run) and own and not run.at("fit.weight_noise")


def _recovered(run: FinishedRun) -> Iterator[Shot]:
    """The first pictures of a recovery: clean, measured where that can be seen, and recovered."""
    scores = {row.picture: row for row in run.scores_of_pictures()}
    sparsity = run.rounds[0].sparsity
    file = "restored_ticket" if sparsity else "restored_dense"
    for (name, own), size in list(zip(scores.items(), _sizes(run), strict=False))[:8]:
        if own.mse is not None:
            yield Shot(series="clean", file=f"{name}/clean", size=size, place=name, shared=True)
        if task(run) == "gan_inpaint":
            yield Shot(series="measured", file=f"{name}/measured", size=None, place=name, shared=True)
        score = "" if own.mse is None else f"MSE {own.mse:.3f}"
        recovered = Shot(series=generator(run), file=f"{name}/{file}", size=size, place=name)
        yield replace(recovered, score=score, sparsity=sparsity)


def _has_clean(run: FinishedRun) -> bool:
    """Whether pictures were given, all of them clean and as they are."""
    images = run.at("image")
    if not isinstance(images, list) or run.rounds[0].headline_value is None:
        return False
    return all(image.get("clean", True) and image.get("content") in (None, "picture") for image in images)


def _used(run: FinishedRun) -> Iterator[Shot]:
    names, sizes = [name.rpartition(" ")[0] for name in run.pictures], _sizes(run)
    for name, (height, width) in zip(names, sizes, strict=True) if len(names) == len(sizes) else ():
        file = f"{name}/clean" if (run.path / "images" / name).is_dir() else "clean"
        yield Shot(series=f"{name} {height}x{width}", file=file, size=(height, width), shared=True)


FIG1 = NotDrawn("fig1", "Overview of the method", "a drawing, with nothing to measure")
FIG2 = Gallery(
    name="fig2",
    title="Restored pictures",
    says="Tickets of IMP restore as well as the dense network or better: of 91% sparsity for inpainting, 89% for "
    "super resolution, 74% for denoising. At 99.53% they lose little, 1.37 dB for super resolution by 8.",
    note=f"{_BEST} {_LAST}",
    wants=by("IMP", "SNIP", "random"),
    shots=_restored,
    whole=WholeGrid(series=("clean", "degraded", "dense", _MATCHING, "IMP", "SNIP", "random"), optional=(_MATCHING,)),
    compared=ComparedPictures(equal_sparsity=True),
    making=Making(experiment="fig3"),
    show_if=lambda names: "IMP" in names,
)
FIG8 = Gallery(
    name="fig8",
    title="Pictures recovered by a generator",
    says="Compressive sensing and inpainting with a pretrained generator: sparse ones recover faces better than "
    "the dense one does.",
    paper=Paper(has=published),
    note="The first eight pictures, each of the restart with the lowest objective and of the sparsest ticket that "
    "there is; below it its MSE per pixel on [-1, 1]. A measurement of compressive sensing is no picture.",
    wants=is_recovery,
    shots=_recovered,
    whole=WholeGrid(series=("clean", "measured", *GENERATORS), optional=("measured",)),
    compared=ComparedPictures(within_grid=("ticket", "model")),
    making=TABLE1_RUNS,
    show_if=lambda names: not names <= {"clean", "measured", "dense"},
    draws="rows",
)
FIG12 = Gallery(
    name="fig12",
    title="Pictures while the network learns",
    says="Denoising by the dense network and by tickets over 3000 steps of F16 and 2400 of a snail.",
    note="A fit for each number of steps; a longer one begins as a shorter one does. Each picture is the best up "
    "to there against the clean one (an oracle's choice), with its PSNR and its step.",
    wants=_learns,
    shots=_after_steps,
    whole=WholeGrid(series=("dense", "IMP"), places=4, least=2),
    compared=ComparedPictures(within_grid=("pruner", "ticket", "fit.steps"), within_series=("fit.steps",)),
    making=Making(two_stage=True, sweeps=("pruner", "fit.steps")),
    draws="rows",
)
FIG17 = Gallery(
    name="fig17",
    title="The pictures used",
    says="The pictures of its curves, of Set5 and Set14.",
    note="Clean pictures of all runs, at the size at which they were used.",
    wants=_has_clean,
    shots=_used,
    compared=ComparedPictures(per_setting=False),
    making=Making(experiment="fig3"),
)
_SPECTRA = WholeGrid(series=("clean", "dense", "IMP", "SNIP", "random"))


def _with_another(names: Set[str]) -> bool:
    """IMP beside a second pruner."""
    return "IMP" in names and bool(names & {"SNIP", "random"})


FIG18 = Gallery(
    name="fig18",
    title="Fourier magnitudes of restored pictures",
    says="Of Baby. IMP and SNIP keep most of the high frequencies at 79% sparsity, random pruning does not; at 67% "
    "SNIP loses more of them than IMP.",
    note=f"{_BEST} {_LAST}",
    wants=by("IMP", "SNIP", "random"),
    shots=_at_the_end,
    whole=_SPECTRA,
    compared=ComparedPictures(equal_sparsity=True),
    show_if=_with_another,
    draws="spectra",
)
FIG19 = Gallery(
    name="fig19",
    title="Differences of Fourier magnitudes",
    says="What IMP's ticket restores differs from what others do at high frequencies, and agrees at low ones.",
    note="Spectra of fig18's pictures. Power is the mean over rings around frequency 0, through a Hann window.",
    wants=by("IMP", "SNIP", "random"),
    shots=_at_the_end,
    whole=_SPECTRA,
    compared=ComparedPictures(equal_sparsity=True),
    show_if=_with_another,
    draws="differences",
)
