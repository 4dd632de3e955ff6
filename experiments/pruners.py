"""Every pruner on one ladder of sparsities, and the quirks of the public scripts for comparison; not in the paper.

    python experiments/pruners.py

One picture; the runs of Fig. 15 and of the audit are among them. Writes report/pruners.csv, .md and .png over the
reported sparsity, 1 - 0.8^round; where a quirk removes more weights, the real sparsity is higher.
"""

from typing import Any

import pandas as pd
from audit import again
from fig15 import control
from matplotlib.figure import Figure
from study import REPORT, Found, Study, start

from lipdip.figures import markdown
from lipdip.runs.directory import read_rounds, read_summary

PRUNERS = "pruner=imp,random,snip,grasp,magnitude,synflow,oes"
COLUMNS = ["cell", "seed", "round", "sparsity", "psnr_best", "psnr_ema", "psnr_stop", "dead_channels", "matching"]
QUIRKS = {  # in the order of the audit's second step: masks found on the clean picture alone, and by all quirks
    ("ticket", "none"): "imp, masks found on the clean picture (1)",
    ("ticket", "all"): "imp, legacy (1, 2, 4, 6)",
    ("random", "twice"): "random, 36% a round (3)",
    ("random", "all"): "random, legacy (2, 3, 4, 6)",
}


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
        {"cell": name, "seed": int(run["seed"]), **vars(row)}
        for name, run in named
        for row in read_rounds(run.directory)
    ]
    frame = pd.DataFrame(rows)
    picture = read_summary(fair[0].directory)["picture"]
    draw(frame, picture)


def draw(frame: pd.DataFrame, picture: str) -> None:
    """The numbers, the table and the figure."""
    REPORT.mkdir(exist_ok=True)
    frame[COLUMNS].to_csv(REPORT / "pruners.csv", index=False, float_format="%.4f")
    shown = [number for number in (0, 2, 4, 6, 8, 9, 10, 12, 16) if number in set(frame["round"])]
    lines = {}
    for cell, own in frame.groupby("cell", sort=False):
        scores = {number: group.psnr_best for number, group in own.groupby("round")}
        lines[str(cell)] = [f"{scores[n].mean():.2f} ± {scores[n].std():.2f}" if n in scores else "" for n in shown]
    text = markdown.table([f"{1 - 0.8**number:.3f}" for number in shown], lines)
    (REPORT / "pruners.md").write_text(text)
    figure = Figure(figsize=(12, 5), layout="constrained")
    quirks = frame.cell.isin(list(QUIRKS.values()))
    for axes, title, part in zip(
        figure.subplots(1, 2, sharey=True),
        (
            f"{picture}, fair: every pruner on the same ladder",
            "with the public scripts' quirks, at the sparsity they report",
        ),
        (frame[~quirks], frame[quirks | frame.cell.isin(["imp", "random"])]),
        strict=True,
    ):
        curves(axes, part)
        axes.set_title(title, fontsize=10)
    figure.savefig(REPORT / "pruners.png", dpi=130)
    print(text, *(f"{REPORT}/pruners.{kind}" for kind in ("csv", "md", "png")), sep="\n")


def curves(axes: Any, frame: pd.DataFrame) -> None:
    """A line for each cell, with its spread."""
    for cell, own in frame.groupby("cell", sort=False):
        groups = own.groupby("round").psnr_best
        mean, spread = groups.mean(), groups.std().fillna(0)
        (drawn,) = axes.plot(mean.index, mean, "o-", markersize=3, linewidth=1.3, label=cell)
        axes.fill_between(mean.index, mean - spread, mean + spread, color=drawn.get_color(), alpha=0.15, linewidth=0)
    rounds = sorted(frame["round"].unique())
    axes.set_xticks(rounds, [f"{1 - 0.8**number:.3f}" for number in rounds], rotation=45, ha="right", fontsize=8)
    axes.set_xlabel("sparsity that is reported: 1 - 0.8^round")
    axes.set_ylabel("best PSNR over the run in dB (oracle)")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7)


if __name__ == "__main__":
    start("fig15", compare, draws=(), defaults=("image=astronaut", PRUNERS))
