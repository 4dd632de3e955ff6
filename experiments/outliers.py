"""How outliers among the measurements affect a generator, a ticket of it, and the Lasso; not in the paper.

    python experiments/outliers.py

Uses the pictures of Table 1 and its tickets by IMP. Writes report/outliers.md: the MSE, averaged over pictures, as mean
and spread over seeds.
"""

from collections.abc import Callable
from statistics import mean, stdev

from study import REPORT, Found, Study, start
from table1 import GAN, search, tuned

from lipdip.core.files import write_whole
from lipdip.figures import markdown
from lipdip.runs.reading import read_summary
from lipdip.tasks import read_pictures

OUTLIERS = (0, 0.02, 0.05)
SPOILED = f"task.outliers={','.join(map(str, OUTLIERS))}"
OBJECTIVES = ("mse", "median_of_means")
ROUND = 4  # sparsity 0.59


def spoil(study: Study, found: list[Found]) -> None:
    """The dense generator and the ticket with its tuned weights, with both objectives; with the first the Lasso too."""
    common = ["task=compressive_sensing", SPOILED, *search(study, found)]
    tickets = [tuned(run, min(ROUND, run.last)) for run in found]
    if study.scale != "cpu":  # more than twice as many blocks of the median of means as there are outliers
        common.append("fit.block=9")
    lasso = ["fit.baseline=lasso"] if study.scale == "cpu" else []
    rows = {}
    for objective in OBJECTIVES:
        asked = (*common, f"fit.objective={objective}")
        dense = study.recover(*asked, f"model.path={GAN[study.scale]}", *(lasso if objective == "mse" else []))
        rows[f"dense, {objective}"] = line(dense, lambda row: row.mse)
        sparse = study.recover(*asked, each=tickets)
        rows[f"IMP, round {min(ROUND, found[0].last)}, fine-tuned, {objective}"] = line(sparse, lambda row: row.mse)
        if lasso and objective == "mse":
            rows["Lasso in a cosine basis"] = line(dense, lambda row: row.mse_lasso)
    text = markdown.table([f"{share:.0%} outliers" for share in OUTLIERS], rows)
    REPORT.mkdir(exist_ok=True)
    write_whole(REPORT / "outliers.md", text)
    print(f"{text}{REPORT}/outliers.md")


def line(found: list[Found], score: Callable) -> list[str]:  # type: ignore[type-arg]
    """A cell for each share of outliers."""
    cells = []
    for share in OUTLIERS:
        own = [run for run in found if read_summary(run.directory)["configuration"]["task"]["outliers"] == share]
        seeds = [mean(score(row) for row in read_pictures(run.directory)) for run in own]
        spread = f" ± {stdev(seeds):.4f}" if len(seeds) > 1 else ""
        cells.append(f"{mean(seeds):.4f}{spread}" if seeds else "")
    return cells


if __name__ == "__main__":
    start("table1", spoil, draws=(), defaults=("pruner=imp",))
