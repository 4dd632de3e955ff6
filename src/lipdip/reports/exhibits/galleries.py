"""The paper's figures that are made of pictures."""

from collections.abc import Iterator

from lipdip.reports.exhibits.using_tickets import fits_once, generator, published, recovers, source
from lipdip.reports.finished_run import Run
from lipdip.reports.gallery import Gallery, Shot
from lipdip.reports.selectors import by, pruner, restores, task
from lipdip.runs.directory import read_pictures
from lipdip.runs.matching import most_sparse_matching
from lipdip.runs.rows import Recovered, RecoveredPicture, Restored, Round

_MATCHING = "IMP, most sparse that matches"
_BEST = "Each picture is the best of its run against the clean one (an oracle's choice), with that PSNR."
_LAST = "IMP, SNIP and random are shown after their last round."


def _sizes(run: Run) -> list[tuple[int, int]]:
    images = run.at("image")
    return [(image["shape"][1], image["shape"][2]) for image in images] if isinstance(images, list) else []


def _score(row: Round) -> str:
    best = row.psnr_best if isinstance(row, Restored) else None
    return f"loss {row.loss:.2e}" if best is None else f"{best:.2f} dB"


def _restored(run: Run) -> Iterator[Shot]:
    """Clean, degraded, dense, and what the pruner's tickets made."""
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


def _at_the_end(run: Run) -> Iterator[Shot]:
    """As above without what was given and what is less sparse."""
    return (shot for shot in _restored(run) if shot.series not in ("degraded", _MATCHING))


def _after_steps(run: Run) -> Iterator[Shot]:
    """What one fit made, at the number of its steps."""
    (size,), (row, *_), steps = _sizes(run), run.rounds, run.at("fit.steps")
    at = row.psnr_best_step if isinstance(row, Restored) else None
    score = _score(row) if at is None else f"{_score(row)}, step {at:,}"
    found = source(run)
    name = "dense" if found is None else f"{pruner(found.run)}'s ticket, sparsity {row.sparsity:.3f}"
    file = "restored_ticket" if row.sparsity else "restored_dense"
    yield Shot(series=name, file=file, size=size, place=f"{steps:,} steps", score=score)


def _learns(run: Run) -> bool:
    """A dense network, or its picture's and task's own ticket, fitted once."""
    found = source(run)
    own = found is None or (task(found.run) == task(run) and found.run.pictures == run.pictures)
    return restores(run) and fits_once(run) and own and not run.at("fit.weight_noise")


def _recovered(run: Run) -> Iterator[Shot]:
    """The first pictures of a recovery: clean, measured where that can be seen, and recovered."""
    scores = {row.picture: row for row in read_pictures(run.path) if isinstance(row, RecoveredPicture)}
    sparsity = run.rounds[0].sparsity
    file = "restored_ticket" if sparsity else "restored_dense"
    for (name, own), size in list(zip(scores.items(), _sizes(run), strict=False))[:8]:
        if own.mse is not None:
            yield Shot(series="clean", file=f"{name}/clean", size=size, place=name, shared=True)
        if task(run) == "gan_inpaint":
            yield Shot(series="measured", file=f"{name}/measured", size=None, place=name, shared=True)
        score = "" if own.mse is None else f"MSE {own.mse:.3f}"
        shot = {"series": generator(run), "file": f"{name}/{file}", "place": name, "score": score}
        yield Shot(**shot, size=size, sparsity=sparsity)  # type: ignore[arg-type]


def _has_clean(run: Run) -> bool:
    """Whether pictures were given, all of them clean and as they are."""
    images, first = run.at("image"), run.rounds[0]
    if not isinstance(images, list) or (isinstance(first, Recovered) and first.mse is None):
        return False
    return all(image.get("clean", True) and image.get("content") in (None, "picture") for image in images)


def _used(run: Run) -> Iterator[Shot]:
    names, sizes = [name.rpartition(" ")[0] for name in run.pictures], _sizes(run)
    folders = len(names) > 1 or isinstance(run.rounds[0], Recovered)
    for name, (height, width) in zip(names, sizes, strict=True) if len(names) == len(sizes) else ():
        file = f"{name}/clean" if folders else "clean"
        yield Shot(series=f"{name} {height}x{width}", file=file, size=(height, width), shared=True)


GALLERIES: tuple[Gallery, ...] = (
    Gallery(
        name="fig2",
        title="Restored pictures",
        says="Tickets of IMP restore as well as the dense network or better: of 91% sparsity for inpainting, 89% for "
        "super resolution, 74% for denoising. At 99.53% they lose little, 1.37 dB for super resolution by 8.",
        note=f"{_BEST} {_LAST}",
        wants=by("IMP", "SNIP", "random"),
        shots=_restored,
        series=("clean", "degraded", "dense", _MATCHING, "IMP", "SNIP", "random"),
        perhaps=(_MATCHING,),
        must=lambda names: "IMP" in names,
        level=True,
        made_by="fig3",
    ),
    Gallery(
        name="fig8",
        title="Pictures recovered by a generator",
        says="Compressive sensing and inpainting with a pretrained generator: sparse ones recover faces better than "
        "the dense one does.",
        note="The first eight pictures, each of the restart with the lowest objective and of the sparsest ticket that "
        "there is; below it its MSE per pixel on [-1, 1]. A measurement of compressive sensing is no picture.",
        wants=recovers,
        shots=_recovered,
        series=(
            *("clean", "measured", "dense", "IMP, mask on pretrained weights", "IMP, fine-tuned"),
            *("random, mask on pretrained weights", "random, fine-tuned"),
        ),
        perhaps=("measured",),
        must=lambda names: not names <= {"clean", "measured", "dense"},
        varies=("ticket", "model"),
        rows=True,
        made_by="table1",
        again=True,
        claims=published,
        sweeps=("task", "image", "fit", "model", "pruner"),
    ),
    Gallery(
        name="fig12",
        title="Pictures while the network learns",
        says="Denoising by the dense network and by tickets over 3000 steps of F16 and 2400 of a snail.",
        note="A fit for each number of steps; a longer one begins as a shorter one does. Each picture is the best up "
        "to there against the clean one (an oracle's choice), with its PSNR and its step.",
        wants=_learns,
        shots=_after_steps,
        series=("dense", "IMP"),
        places=4,
        least=2,
        varies=("pruner", "ticket", "fit.steps"),
        across=("fit.steps",),
        rows=True,
        again=True,
        sweeps=("pruner", "fit.steps"),
    ),
    Gallery(
        name="fig17",
        title="The pictures used",
        says="The pictures of its curves, of Set5 and Set14.",
        note="Clean pictures of all runs, at the size at which they were used.",
        wants=_has_clean,
        shots=_used,
        series=(),
        apart=False,
        made_by="fig3",
    ),
    Gallery(
        name="fig18",
        title="Fourier magnitudes of restored pictures",
        says="Of Baby. IMP and SNIP keep most of the high frequencies at 79% sparsity, random pruning does not; at 67% "
        "SNIP loses more of them than IMP.",
        note=f"{_BEST} {_LAST}",
        wants=by("IMP", "SNIP", "random"),
        shots=_at_the_end,
        series=("clean", "dense", "IMP", "SNIP", "random"),
        must=lambda names: "IMP" in names and bool(names & {"SNIP", "random"}),
        level=True,
        draws="spectra",
    ),
    Gallery(
        name="fig19",
        title="Differences of Fourier magnitudes",
        says="What IMP's ticket restores differs from what others do at high frequencies, and agrees at low ones.",
        note="Spectra of fig18's pictures. Power is the mean over rings around frequency 0, through a Hann window.",
        wants=by("IMP", "SNIP", "random"),
        shots=_at_the_end,
        series=("clean", "dense", "IMP", "SNIP", "random"),
        must=lambda names: "IMP" in names and bool(names & {"SNIP", "random"}),
        level=True,
        draws="differences",
    ),
)
