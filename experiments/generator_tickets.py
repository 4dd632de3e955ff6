"""Tickets of a pretrained generator (Table 1), what outliers do, and the Lasso beside it.

    python experiments/generator_tickets.py run [jobs] [cpu|paper]    finds tickets, recovers pictures; resumable
    python experiments/generator_tickets.py draw [cpu|paper]          tables and figure to docs/results

Tickets are found by rounds of fine-tuning the whole GAN, always from its pretrained weights; only the generator is
pruned. Each is tried in two ways, since the paper can be read in both: its mask on the pretrained weights as they are,
and with the weights that its own round of fine-tuning gave. Held-out pictures; a seed draws pruning, measurements and
first codes anew. What each run holds is in its run directory; give the command again and only what is missing is done.
"""

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from rich.console import Console

from lipdip.command import compose
from lipdip.core.records import read_pictures, read_rounds
from lipdip.datasets import pictures
from lipdip.figures import markdown
from lipdip.run import run as lipdip_run
from lipdip.workers import each

SEEDS = (0, 1, 2)
PRUNERS = {"IMP": "imp", "random": "random"}
ROUNDS = range(7)
OUTLIERS = (0.0, 0.02, 0.05)
OBJECTIVES = ("mse", "median_of_means")
ROBUST = 4  # the round whose ticket is tried with outliers beside the dense generator: sparsity 0.59
TASKS = {  # as in the paper: compressive sensing with outliers, and so with the objective that withstands them
    "compressive sensing": ("task=compressive_sensing", "fit.objective=median_of_means", "task.outliers=0.02"),
    "inpainting": ("task=gan_inpaint",),
}
GAN = {"cpu": "embedded", "paper": "celebahq"}
TUNING = {
    "cpu": ("dataset=fashion_mnist", "fit.steps=300", "fit.batch=16"),
    "paper": ("protocol=paper", "dataset=faces", "dataset.share=0.4"),
}
SEARCH = {
    "cpu": ("image=clothes16", "fit.steps=200", "fit.restarts=2", "fit.record_every=100"),
    "paper": ("protocol=paper", "image=file"),
}
RESULTS = Path(__file__).parents[1] / "docs" / "results"
DENSE, MASKED, TUNED = "dense", "mask on pretrained weights", "fine-tuned"


def _output(scale: str) -> str:
    return f"paths.output_dir=outputs/generator_tickets_{scale}"


def _pictures(scale: str) -> list[str]:
    """At the paper's size, the first sixteen faces that fine-tuning does not see."""
    if scale == "cpu":
        return []
    held_out = pictures(f"{os.environ.get('LIPDIP_DATA', 'data')}/faces", 256).test
    return [f"image.path=[{','.join(held_out.files[:16])}]"]  # type: ignore[attr-defined]


def tuning(pruner: str, seed: int, scale: str) -> list[str]:
    """The command that finds a pruner's tickets."""
    rounds = ("pruner.rounds=6", f"pruner={pruner}", f"seed={seed}", _output(scale))
    return ["task=gan_train", "fit=finetune", f"model.path={GAN[scale]}", *TUNING[scale], *rounds]


def recovering(task: Sequence[str], seed: int, scale: str) -> list[str]:
    """What every recovery of a task and seed has."""
    return [*task, *SEARCH[scale], *_pictures(scale), f"seed={seed}", f"task.seed={seed}", _output(scale)]


def network(found: Path | None, number: int, weights: str, scale: str) -> list[str]:
    """The generator to recover with: the dense one, or a round's ticket with one weights or the other."""
    if found is None:
        return [f"model.path={GAN[scale]}"]
    if number == 0:
        return [f"model.path={found}"]
    ticket = [f"ticket={found}", f"ticket.round={number}"]
    if weights == MASKED:
        return [f"model.path={GAN[scale]}", *ticket]
    return [f"model.path={found}/generators/round_{number:02d}.safetensors", *ticket, "ticket.init=model"]


def do(command: Sequence[str]) -> Path:
    """Do one run, or find it done."""
    return lipdip_run(compose(*command), Console(file=io.StringIO()))


def run(jobs: int, scale: str) -> None:
    """Everything that is missing."""
    found = _done([({"pruner": p, "seed": s}, tuning(p, s, scale)) for s in SEEDS for p in PRUNERS.values()], jobs)
    paths = {(cell["pruner"], cell["seed"]): path for cell, path in found}
    cells: list[tuple[dict[str, object], list[str]]] = []
    for seed in SEEDS:
        for task, settings in TASKS.items():
            common = recovering(settings, seed, scale)
            cells.append(({"task": task, "seed": seed, "weights": DENSE}, common + network(None, 0, DENSE, scale)))
            for name, pruner in PRUNERS.items():
                for number in ROUNDS:
                    for weights in (MASKED, TUNED) if number else (TUNED,):
                        cell = {"task": task, "seed": seed, "weights": weights, "pruner": name, "round": number}
                        cells.append((cell, common + network(paths[pruner, seed], number, weights, scale)))
        for share in OUTLIERS:
            for objective in OBJECTIVES:
                asked = ("task=compressive_sensing", f"task.outliers={share}", f"fit.objective={objective}")
                common = recovering(asked, seed, scale)
                cell = {"task": "outliers", "seed": seed, "outliers": share, "objective": objective}
                lasso = ["fit.baseline=lasso"] if objective == "mse" and scale == "cpu" else []
                dense = common + network(None, 0, DENSE, scale)
                cells.append(({**cell, "weights": DENSE}, dense + lasso))
                sparse = common + network(paths["imp", seed], ROBUST, TUNED, scale)
                cells.append(({**cell, "weights": TUNED, "pruner": "IMP", "round": ROBUST}, sparse))
    rows: list[dict[str, object]] = []
    for cell, path in _done(cells, jobs):
        (row,) = read_rounds(path)
        each_picture = read_pictures(path)
        rows += [
            {**cell, "sparsity": row.sparsity, "picture": p.picture, "mse": p.mse, "mse_lasso": p.mse_lasso}
            for p in each_picture
        ]
    frame = pd.DataFrame(rows)
    frame.to_csv(Path(_output(scale).partition("=")[2]) / "recovered.csv", index=False, float_format="%.5g")
    tuned = [
        {**cell, "round": row.round, "sparsity": row.sparsity, "reconstruction_error": row.reconstruction_error}
        for cell, path in found
        for row in read_rounds(path)
    ]
    pd.DataFrame(tuned).to_csv(Path(_output(scale).partition("=")[2]) / "tuned.csv", index=False, float_format="%.5g")


def _done(cells: list[tuple[dict[str, object], list[str]]], jobs: int) -> list[tuple[dict[str, object], Path]]:
    """All cells' run directories, in order."""
    paths: dict[int, Path] = {}
    for number, path in each(do, [command for _, command in cells], jobs):
        paths[number] = path
        print(f"{len(paths)} of {len(cells)}  {', '.join(map(str, cells[number][0].values()))}: {path}", flush=True)
    return [(cell, paths[number]) for number, (cell, _) in enumerate(cells)]


def _cell(frame: pd.DataFrame) -> str:
    """Mean over pictures and seeds, and the spread of the seeds' means."""
    seeds = frame.groupby("seed").mse.mean()
    return f"{seeds.mean():.4f} ± {seeds.std():.4f}" if len(seeds) else ""


def draw(scale: str) -> None:
    """Tables and figure, and the numbers behind them, to docs/results."""
    directory = Path(_output(scale).partition("=")[2])
    frame, tuned = pd.read_csv(directory / "recovered.csv"), pd.read_csv(directory / "tuned.csv")
    RESULTS.mkdir(parents=True, exist_ok=True)
    frame.to_csv(RESULTS / f"generator_tickets_{scale}.csv", index=False)
    tuned.to_csv(RESULTS / f"generator_tickets_{scale}_tuned.csv", index=False)
    header = [f"{1 - 0.8**number:.2f}" for number in ROUNDS]
    rows = {}
    for task in TASKS:
        own = frame[frame.task == task]
        dense = _cell(own[own.weights == DENSE])
        for name in PRUNERS:
            mine = own[own.pruner == name]
            for weights in (MASKED, TUNED):
                at = {number: _cell(mine[(mine.weights == weights) & (mine["round"] == number)]) for number in ROUNDS}
                if weights == MASKED:
                    at[0] = dense
                rows[f"{task}, {name}, {weights}"] = [at[number] for number in ROUNDS]
    table = markdown.table(header, rows)
    (RESULTS / f"generator_tickets_{scale}.md").write_text(table)
    print(table)
    spoiled = frame[frame.task == "outliers"]
    rows = {}
    for weights, name in ((DENSE, "dense"), (TUNED, f"IMP, sparsity {1 - 0.8**ROBUST:.2f}, fine-tuned")):
        for objective in OBJECTIVES:
            mine = spoiled[(spoiled.weights == weights) & (spoiled.objective == objective)]
            rows[f"{name}, {objective}"] = [_cell(mine[mine.outliers == share]) for share in OUTLIERS]
    basis = spoiled.dropna(subset=["mse_lasso"]).assign(mse=lambda table: table.mse_lasso)
    if len(basis):
        rows["Lasso in a cosine basis"] = [_cell(basis[basis.outliers == share]) for share in OUTLIERS]
    robust = markdown.table([f"{share:.0%} outliers" for share in OUTLIERS], rows)
    (RESULTS / f"generator_tickets_{scale}_outliers.md").write_text(robust)
    print(robust, end="")
    _figure(frame).savefig(RESULTS / f"generator_tickets_{scale}.png", dpi=130)


def _figure(frame: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    for axes, task in zip(figure.subplots(1, len(TASKS), sharey=True), TASKS, strict=True):
        own = frame[frame.task == task]
        dense = own[own.weights == DENSE].mse.mean()
        axes.axhline(dense, color="black", linewidth=1, linestyle=":", label="dense, as pretrained")
        for (name, weights), style in zip(
            [(name, weights) for name in PRUNERS for weights in (MASKED, TUNED)],
            ("C0--", "C0-", "C1--", "C1-"),
            strict=True,
        ):
            mine = own[(own.pruner == name) & (own.weights == weights)]
            means = mine.groupby(["round", "seed"]).mse.mean().groupby("round")
            mean, spread = means.mean(), means.std()
            axes.plot(mean.index, mean, style, marker="o", markersize=3, label=f"{name}, {weights}")
            axes.fill_between(mean.index, mean - spread, mean + spread, color=style[:2], alpha=0.15, linewidth=0)
        axes.set_title(task, fontsize=10)
        axes.set_xticks(list(ROUNDS), [f"{1 - 0.8**number:.2f}" for number in ROUNDS])
        axes.set_xlabel("sparsity")
        axes.grid(alpha=0.25)
        axes.legend(fontsize=7)
    figure.axes[0].set_ylabel("MSE per pixel on [-1, 1], mean over pictures")
    return figure


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["draw"]
    if what == "run":
        run(int(rest[0]) if rest else 1, rest[1] if len(rest) > 1 else "cpu")
    else:
        draw(rest[0] if rest else "cpu")
