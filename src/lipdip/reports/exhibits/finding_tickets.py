"""Exhibits about finding tickets: pruners side by side, and how small a ticket can be."""

from collections.abc import Iterable

from lipdip.core.dotted import value
from lipdip.reports import paper
from lipdip.reports.exhibit import BEST_PSNR, LADDER, Axes, Compared, Exhibit, Making, Paper, Point, Whole, over_rounds
from lipdip.reports.finished_run import FinishedRun
from lipdip.reports.selectors import by, data_set, is_decoder, over_steps, pruner, sparse, task
from lipdip.runs.rising import rising
from lipdip.runs.rows import Round

SHOWN = (*LADDER[:3], *LADDER[4:])  # 0.488 is left out, so that a table fits a page


def _loss_and_score(run: FinishedRun) -> Iterable[Point]:
    for row in run.rounds:
        yield Point("IMP", row.round, row.sparsity, row.loss, "fitting loss")
        yield Point("IMP", row.round, row.sparsity, row.score, "PSNR")


def _stops(run: FinishedRun) -> dict[str, float]:
    """Where the rule that stops rounds would have stopped this run, after two rises of the loss and after three."""
    losses = [row.loss for row in run.rounds]
    ends = {f"the loss rose {times} times in a row": rising(losses, times) for times in (2, 3)}
    return {name: run.rounds[end].sparsity for name, end in ends.items() if end is not None}


def _to_target(run: FinishedRun) -> Iterable[Point]:
    """The exact sparsity that the run was asked for, and the dense network."""
    for row, at in ((run.rounds[0], 0), (run.rounds[-1], run.at("pruner.sparsity"))):
        yield Point(pruner(run), at, row.sparsity, row.score)


def _kept(row: Round) -> float:
    return row.parameters_kept


def _curve(run: FinishedRun, row: Round) -> str:
    return "dense" if row.sparsity == 0 else f"{pruner(run)} at {row.sparsity:.3f}"


def _judged(run: FinishedRun) -> dict[str, str]:
    """The columns that score a task: of the averaged output, or of the output itself."""
    averaged = value(run.summary, "scored.picture") == "average"
    return {_AVERAGED: "psnr_ema", "SSIM": "ssim"} if averaged else {_RAW: "psnr", "SSIM": "ssim"}


def _of_set(run: FinishedRun) -> Iterable[Point]:
    factor = f" x{run.at('task.factor')}" if run.at("task.factor") else ""
    facet = f"{data_set(run) or _SHIPPED} {task(run)}{factor}"
    return over_rounds(pruner, facet=facet)(run)


_SETS = {"set5": 5, "set12": 12, "set14": 14, "bm3d": 1, "cbm3d": 1}  # pictures in each; of BM3D's at least
_SHIPPED = "pictures that ship:"  # at scale=cpu, instead of a set
_SHIPPED_TASKS = [f"{_SHIPPED} {name}" for name in ("denoise", "inpaint", "super_resolution x2", "super_resolution x4")]
_SET_TASKS = tuple(dict.fromkeys(name for name, _ in paper.TABLE_5))
_AVERAGED, _RAW = "PSNR of the averaged output", "PSNR of the output"
_CONTROLS = ("random, as dense in each layer", "its mask on new weights")

FIG3 = Exhibit(
    name="fig3",
    title="Finding tickets: PSNR over sparsity",
    says="IMP beats random pruning and SNIP from 20% to 96% sparsity; its tickets match the dense network up to "
    "86.58% while finding and up to 83.23% in evaluation. Ten seeds.",
    wants=by("IMP", "random", "SNIP", "dense"),
    points=over_rounds(pruner),
    whole=Whole(series=("IMP", "random", "SNIP"), seeds=10),
    axes=Axes(columns=SHOWN),
    show_if=lambda names: names != {"dense"},
)
TABLE2 = Exhibit(
    name="table2",
    place=8.2,
    title="Parameters that are not zero",
    says="Tickets of 97.15% (for inpainting 73.79%) are as large as the deep decoder.",
    paper=Paper(numbers=paper.TABLE_2, on="protocol=paper; the number depends on the network, not on the picture"),
    wants=lambda run: by("IMP")(run) or is_decoder(run),
    points=over_rounds(lambda run: "deep decoder" if is_decoder(run) else pruner(run), _kept),
    whole=Whole(series=("IMP", "deep decoder"), seeds=1),
    axes=Axes(y={"": "parameters that are not zero"}, columns=(0.0, 0.738, 0.790, 0.9715)),
    compared=Compared(within_panel=("model", "pruner", "fit", "task.score")),
    making=Making(rounds="protocol.rounds"),  # its decoder is not pruned
    show_if=lambda names: "deep decoder" in names,
)
TABLE3 = Exhibit(
    name="table3",
    place=8.3,
    title="Dense network against an extreme ticket",
    says="A ticket of 0.2 million parameters does as well as the dense network of 2.2 million.",
    paper=Paper(numbers=paper.TABLE_3, on="denoise, bird of Set5, protocol=paper", pictures=("bird 288x288",)),
    wants=lambda run: by("IMP")(run) and task(run) == "denoise",
    points=over_rounds(pruner),
    whole=Whole(series=("IMP",)),
    axes=Axes(columns=tuple(paper.TABLE_3["denoise", "IMP"])),
)
FIG11 = Exhibit(
    name="fig11",
    title="Learning curves",
    says="Tickets learn as the dense network does; SNIP's fall behind late, by up to 3 dB, random ones at once.",
    wants=by("IMP", "random", "SNIP"),
    points=over_steps(_curve, lambda run: [*(run.rounds[:1] if pruner(run) == "IMP" else ()), *sparse(run)], _judged),
    whole=Whole(series=("dense",)),
    axes=Axes(
        x="optimisation step",
        y={_AVERAGED: f"{_AVERAGED} in dB", _RAW: f"{_RAW} in dB", "SSIM": "SSIM"},
        logarithmic=("x",),
    ),
)
FIG13 = Exhibit(
    name="fig13",
    title="When to stop: fitting loss and PSNR over the rounds",
    says="The most sparse matching ticket comes where the loss has risen two or three times in a row.",
    wants=by("IMP"),
    points=_loss_and_score,
    whole=Whole(series=("IMP",)),
    axes=Axes(
        y={"fitting loss": "fitting loss at the end of the round", "PSNR": BEST_PSNR}, columns=SHOWN, marks=_stops
    ),
)
FIG15 = Exhibit(
    name="fig15",
    title="Structure, layer densities or weights: IMP against its controls",
    says="A random mask with the ticket's density in every layer collapses earlier than a uniformly random one.",
    wants=by("IMP", "random", *_CONTROLS, "SNIP"),
    points=over_rounds(pruner),
    whole=Whole(series=("IMP", "random", *_CONTROLS)),
    axes=Axes(columns=SHOWN),
    making=Making(two_stage=True),
    show_if=lambda names: not names.isdisjoint(_CONTROLS),
)
TABLE4 = Exhibit(
    name="table4",
    place=16.4,
    title="SynFlow against IMP",
    says="SynFlow does as well up to 20% sparsity, and falls behind from 40% on.",
    paper=Paper(numbers=paper.TABLE_4, on="denoise, F16 (512x512), protocol=paper", pictures=("F16_GT 512x512",)),
    wants=by("IMP", "SynFlow", exactly=True),
    points=_to_target,
    whole=Whole(series=("SynFlow", "IMP")),
    axes=Axes(columns=tuple(paper.TABLE_4["denoise", "IMP"])),
    compared=Compared(within_line=("pruner.sparsity",)),
    show_if=lambda names: "SynFlow" in names,
)
TABLE5 = Exhibit(
    name="table5",
    place=16.5,
    title="The ticket of 73.79% against the dense network, over whole sets",
    says="The ticket of 0.6 million parameters does better than the dense network of 2.2 million on all sets.",
    paper=Paper(
        numbers=paper.TABLE_5,
        on="protocol=paper, the mean over the pictures of a set; DIP at sparsity 0 as in the paper's table",
    ),
    wants=lambda run: by("IMP")(run) and data_set(run) in (*_SETS, ""),
    points=_of_set,
    whole=Whole(series=("IMP",), pictures={name: _SETS[name.split()[0]] for name in _SET_TASKS}),
    axes=Axes(y=dict.fromkeys((*_SET_TASKS, *_SHIPPED_TASKS), BEST_PSNR), columns=(0.0, 0.738)),
)
