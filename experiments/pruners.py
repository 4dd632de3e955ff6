"""Every pruner on one ladder of sparsities, and the quirks of the public scripts for comparison; not in the paper.

    python experiments/pruners.py

One picture; the runs of Fig. 15 and of the audit are among them. Writes report/pruners.csv, .md and .png over the
reported sparsity, 1 - 0.8^round; where a quirk removes more weights, the real sparsity is higher.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from audit import again
from fig15 import control
from matplotlib.figure import Figure
from study import REPORT, Found, Study, start

from lipdip.core.files import write_whole
from lipdip.figures import markdown
from lipdip.figures.means import Entry, entry
from lipdip.runs.csv_tables import table_of
from lipdip.runs.reading import read_summary
from lipdip.tasks import read_rounds

PRUNERS = "pruner=imp,random,snip,grasp,magnitude,synflow,oes"
QUIRKS = {  # in the order of the audit's second step: masks found on the clean picture alone, and by all quirks
    ("ticket", "none"): "imp, masks found on the clean picture (1)",
    ("ticket", "all"): "imp, legacy (1, 2, 4, 6)",
    ("random", "twice"): "random, 36% a round (3)",
    ("random", "all"): "random, legacy (2, 3, 4, 6)",
}


@dataclass(frozen=True)
class Reached:
    """One round of one run."""

    cell: str
    seed: int
    round: int
    sparsity: float
    psnr_best: float
    psnr_ema: float
    psnr_stop: float
    dead_channels: int
    matching: bool


COLUMNS = tuple(Reached.__annotations__)[2:]  # as in rounds.csv


def compare(study: Study, fair: list[Found]) -> None:
    """The fair ones, their controls, and those with quirks."""
    fair = [*fair, *control(study, fair)]
    found = study.sweep("pruner=imp,random", "quirk=clean,twice,all", experiment="audit")
    odd = [run for run in [*again(study, found), *found] if (run["pruner"], run["quirk"]) in QUIRKS]
    named = [(run["pruner"], run) for run in fair]
    named += sorted(
        ((QUIRKS[run["pruner"], run["quirk"]], run) for run in odd), key=lambda pair: [*QUIRKS.values()].index(pair[0])
    )
    rows = [
        Reached(name, int(run["seed"]), *(getattr(row, column) for column in COLUMNS))
        for name, run in named
        for row in read_rounds(run.directory)
    ]
    write(rows, read_summary(fair[0].directory)["picture"])


def write(rows: list[Reached], picture: str) -> None:
    """The numbers, the table and the figure."""
    scores: dict[str, dict[int, Entry]] = defaultdict(dict)
    for cell, number in dict.fromkeys((row.cell, row.round) for row in rows):
        mean = entry([row.psnr_best for row in rows if (row.cell, row.round) == (cell, number)])
        assert mean is not None  # there is a row
        scores[cell][number] = mean
    shown = [number for number in (0, 2, 4, 6, 8, 9, 10, 12, 16) if any(number in own for own in scores.values())]
    lines = {cell: [in_words(own.get(number)) for number in shown] for cell, own in scores.items()}
    text = markdown.table([f"{1 - 0.8**number:.3f}" for number in shown], lines)
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    curves(left, {cell: own for cell, own in scores.items() if cell not in QUIRKS.values()})
    left.set_title(f"{picture}, fair: every pruner on the same ladder", fontsize=10)
    curves(right, {cell: own for cell, own in scores.items() if cell in (*QUIRKS.values(), "imp", "random")})
    right.set_title("with the public scripts' quirks, at the sparsity they report", fontsize=10)
    REPORT.mkdir(exist_ok=True)
    write_whole(REPORT / "pruners.csv", table_of(Reached, rows))
    write_whole(REPORT / "pruners.md", text)
    figure.savefig(REPORT / "pruners.png", dpi=130)
    print(text, *(f"{REPORT}/pruners.{kind}" for kind in ("csv", "md", "png")), sep="\n")


def in_words(score: Entry | None) -> str:
    """Mean and spread; no spread of a single seed."""
    return "" if score is None else f"{score.mean:.2f}{'' if score.spread is None else f' ± {score.spread:.2f}'}"


def curves(axes: Any, scores: dict[str, dict[int, Entry]]) -> None:
    """A line for each cell, with its spread."""
    for cell, own in scores.items():
        rounds = sorted(own)
        mean = [own[number].mean for number in rounds]
        (drawn,) = axes.plot(rounds, mean, "o-", markersize=3, linewidth=1.3, label=cell)
        ends = [[own[number].mean + sign * (own[number].spread or 0) for number in rounds] for sign in (-1, 1)]
        axes.fill_between(rounds, *ends, color=drawn.get_color(), alpha=0.15, linewidth=0)
    rounds = sorted({number for own in scores.values() for number in own})
    axes.set_xticks(rounds, [f"{1 - 0.8**number:.3f}" for number in rounds], rotation=45, ha="right", fontsize=8)
    axes.set_xlabel("sparsity that is reported: 1 - 0.8^round")
    axes.set_ylabel("best PSNR over the run in dB (oracle)")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7)


if __name__ == "__main__":
    start("fig15", compare, draws=(), defaults=("image=astronaut", PRUNERS))
