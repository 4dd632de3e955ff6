"""Exhibits about what is done otherwise: rewinding, another fit, the public scripts' quirks."""

from collections.abc import Iterable

from lipdip.reports.exhibit import Axes, Compared, Exhibit, Making, Point, Whole, over_rounds
from lipdip.reports.exhibits.finding_tickets import SHOWN
from lipdip.reports.finished_run import FinishedRun
from lipdip.reports.selectors import (
    CLEAN,
    is_restoration,
    on_the_ladder,
    pruner,
    quirks,
    rewinds_to_start,
    starts_dense,
)


def _rewound(run: FinishedRun) -> str:
    to = run.at("pruner.rewind")
    return "the start" if not to else f"{to:.0%} of the first round" if to < 1 else f"step {to}"


def _rewinds(run: FinishedRun) -> bool:
    plain = starts_dense(run) and not quirks(run) and on_the_ladder(run)
    return is_restoration(run) and pruner(run) == "IMP" and plain


def _by_sgld(run: FinishedRun) -> bool:
    return is_restoration(run) and bool(run.at("fit.weight_noise")) and not quirks(run) and on_the_ladder(run)


def _with_dense(run: FinishedRun) -> Iterable[Point]:
    """The rounds, and the first as the dense network's level."""
    first = run.rounds[0]
    if first.sparsity == 0:
        yield Point("dense", "dense", 0.0, first.headline_value)
    yield from over_rounds(pruner)(run) if pruner(run) != "dense" else ()


def _audited(run: FinishedRun) -> str:
    """The pruner and its quirks; ``legacy`` where it has all that the public scripts do, with a noise of each seed."""
    own, name = quirks(run), pruner(run)
    found = run.origin("pruner.ticket")
    if found is not None and name == "tickets":
        own = list(dict.fromkeys([*quirks(found.run), *own]))
        name = pruner(found.run) if CLEAN in own else f"{pruner(found.run)}, fitted again"
    special = "36% a round" if name == "random" else CLEAN
    noise_follows = run.at("task.seed") == run.seed
    whole = noise_follows and set(own) >= {"a new code each round", "dense input convolutions", special}
    return ", ".join([name, *(["legacy"] if whole else own)])


def _in_audit(run: FinishedRun) -> bool:
    """IMP and random masks, any quirk; masks found on the clean picture only where they are fitted again."""
    own = pruner(run) in ("IMP", "random") and CLEAN not in quirks(run)
    again = pruner(run) == "tickets" and run.origin("pruner.ticket") is not None
    plain = rewinds_to_start(run) and not run.at("fit.weight_noise") and on_the_ladder(run)
    return is_restoration(run) and (own or again) and plain


FIG9 = Exhibit(
    name="fig9",
    title="Rewinding to a later step",
    says="Rewinding to 5% of a dense run does not help, to 10% or 20% it harms.",
    wants=_rewinds,
    points=over_rounds(lambda run: f"to {_rewound(run)}"),
    whole=Whole(
        series=("to the start", "to 5% of the first round", "to 10% of the first round", "to 20% of the first round")
    ),
    axes=Axes(columns=SHOWN),
    show_if=lambda names: names != {"to the start"},
)
FIG16 = Exhibit(
    name="fig16",
    title="Tickets of SGLD-DIP",
    says="IMP's tickets do better than the dense network under SGLD too, from 20% to 79% sparsity. Three seeds.",
    wants=_by_sgld,
    points=_with_dense,
    whole=Whole(series=("dense", "IMP")),
    axes=Axes(columns=SHOWN),
)
AUDIT = Exhibit(
    name="audit",
    title="The public scripts' quirks, one by one",
    says="it does not mention what its public scripts do. They find masks on the clean picture, draw a new "
    "code each round and other noise for each seed, prune 36% a round in the random baseline, and leave the input "
    "convolutions dense.",
    wants=_in_audit,
    points=over_rounds(_audited),
    whole=Whole(series=("IMP", "IMP, legacy", "random", "random, legacy")),
    axes=Axes(columns=SHOWN),
    compared=Compared(within_panel=("pruner", "fit.code", "fit.ema_correct"), any_degradation=True),
    making=Making(two_stage=True),
    show_if=lambda names: not names <= {"IMP", "random"},
)
