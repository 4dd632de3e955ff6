"""Every pruner over the same sparsity ladder, and what each quirk of the public scripts does to the curves.

    python experiments/pruner_comparison.py run [jobs] [scale]    # resumable; runs what is missing
    python experiments/pruner_comparison.py draw [scale]          # figure and tables into docs/results/

At ``cpu`` scale: astronaut at 64x64, sigma 25, hourglass of 16 channels and 4 scales (2.7 weights per pixel value,
as in the paper), 800 steps, 10 rounds, three seeds. At ``paper`` scale: F16 at 512x512, 3000 steps, 16 rounds.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from lipdip.command import compose
from lipdip.configuration.assemble import assemble
from lipdip.core.errors import UserError
from lipdip.core.records import RunDirectory, read_rounds
from lipdip.figures import markdown

SEEDS = (0, 1, 2)
SCALES = {
    "cpu": (
        *("image=astronaut", "image.size=64", "model.channels=16", "model.scales=4", "fit.steps=800"),
        *("pruner.rounds=10", "protocol.oes_steps=500", "trainer=cpu"),
    ),
    "paper": ("image=dip/F16_GT", "protocol=paper"),
}
ANYWAY = "pruner.empty_layers=keep_one"  # so that every curve has all its points
DENSE_INPUTS = "pruner.input_convs_stay_dense=true"
LEGACY = ("fit.code=resampled", DENSE_INPUTS, "task.seed=${seed}")

# A ticket of the run named by "@" is what these start from; they come second.
FAIR = {
    **{name: (f"pruner={name}", ANYWAY) for name in ("imp", "random", "snip", "grasp", "magnitude", "synflow", "oes")},
    "random_layerwise": ("pruner=random_layerwise", ANYWAY, "pruner.ticket=@imp"),
    "reinit": ("pruner=reinit", ANYWAY, "pruner.ticket=@imp"),
}
QUIRKS = {
    "imp, masks found on the clean picture (1)": ("pruner=ticket", ANYWAY, "pruner.ticket=@found on clean"),
    "imp, legacy (1, 2, 4, 6)": ("pruner=ticket", ANYWAY, *LEGACY, "pruner.ticket=@found by legacy"),
    "random, 36% a round (3)": ("pruner=random", ANYWAY, "pruner.listed_twice=true"),
    "random, legacy (2, 3, 4, 6)": ("pruner=random", ANYWAY, "pruner.listed_twice=true", *LEGACY),
}
FINDING = {
    "found on clean": ("pruner=imp", ANYWAY, "pruner.target=clean"),
    "found by legacy": ("pruner=imp", ANYWAY, "pruner.target=clean", *LEGACY),
}
CELLS = {**FAIR, **FINDING, **QUIRKS}
RESULTS = Path(__file__).parents[1] / "docs" / "results"


def overrides(cell: str, seed: int, scale: str) -> list[str]:
    """The command line of one cell."""
    common = [*SCALES[scale], f"seed={seed}", f"paths.output_dir=outputs/pruner_comparison_{scale}"]
    own = list(CELLS[cell])
    for number, override in enumerate(own):
        if "=@" in override:
            name, source = override.split("=@")
            own[number] = f"{name}={directory(source, seed, scale)}"
    return [*common, *own]


def directory(cell: str, seed: int, scale: str) -> Path:
    """Where a cell's run lies, or will lie."""
    cfg = compose(*overrides(cell, seed, scale))
    return Path(cfg.paths.output_dir) / "runs" / assemble(cfg).name


def run(jobs: int, scale: str) -> None:
    """Do the cells that are missing, ``jobs`` at a time; those that need another's tickets come second."""

    def do(cell: str, seed: int, command: list[str]) -> None:
        done = subprocess.run(command, capture_output=True, text=True)
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        print(f"{cell}, seed {seed}: {'' if done.returncode == 0 else 'FAILED '}{' '.join(last)}", flush=True)

    for needs in (False, True):
        # Commands are made here, one after another: Hydra composes for one thread at a time.
        cells = [
            (cell, seed, [sys.executable, "-m", "lipdip.run", *overrides(cell, seed, scale)])
            for seed in SEEDS
            for cell, own in CELLS.items()
            if any("=@" in override for override in own) == needs
        ]
        with ThreadPoolExecutor(jobs) as pool:
            for finished in [pool.submit(do, *cell) for cell in cells]:
                finished.result()  # an error of ours is shown, not swallowed


def table(scale: str) -> pd.DataFrame:
    """One row for each cell, seed and round that is finished."""
    rows = []
    for cell in CELLS:
        for seed in SEEDS:
            try:
                where = directory(cell, seed, scale)
            except UserError:  # the tickets that it starts from are not there yet
                continue
            if RunDirectory(where).summary is None:
                continue
            rows += [{"cell": cell, "seed": seed, **vars(row)} for row in read_rounds(where)]
    return pd.DataFrame(rows)


def _curves(axes, frame: pd.DataFrame, cells: list[str]) -> None:
    for cell in cells:
        groups = frame[frame.cell == cell].groupby("round").psnr_best
        mean, spread = groups.mean(), groups.std()
        (drawn,) = axes.plot(mean.index, mean, "o-", markersize=3, linewidth=1.3, label=cell)
        axes.fill_between(mean.index, mean - spread, mean + spread, color=drawn.get_color(), alpha=0.15, linewidth=0)
    rounds = sorted(frame["round"].unique())
    axes.set_xticks(rounds, [f"{1 - 0.8**number:.3f}" for number in rounds], rotation=45, ha="right", fontsize=8)
    axes.set_ylabel("best PSNR over the run in dB")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=7)


def draw(scale: str) -> None:
    """The figure, the table and the numbers behind them."""
    frame = table(scale)
    RESULTS.mkdir(parents=True, exist_ok=True)
    columns = ["cell", "seed", "round", "sparsity", "psnr_best", "psnr_ema", "psnr_stop", "dead_channels", "matching"]
    frame[columns].to_csv(RESULTS / f"pruner_comparison_{scale}.csv", index=False, float_format="%.4f")
    figure = Figure(figsize=(12, 5), layout="constrained")
    fair, legacy = figure.subplots(1, 2, sharey=True)
    _curves(fair, frame, list(FAIR))
    fair.set_title("fair: every pruner on the same ladder", fontsize=10)
    fair.set_xlabel("sparsity")
    _curves(legacy, frame, ["imp", "random", *QUIRKS])
    legacy.set_title("with the public scripts' quirks, at the sparsity they report", fontsize=10)
    legacy.set_xlabel("sparsity that is reported: 1 - 0.8^round")
    figure.savefig(RESULTS / f"pruner_comparison_{scale}.png", dpi=130)
    shown = [0, 2, 4, 6, 8, 9, 10] if scale == "cpu" else [0, 3, 6, 8, 9, 12, 16]
    rows = {}
    for cell in [*FAIR, *QUIRKS]:
        group = frame[frame.cell == cell].groupby("round").psnr_best
        rows[cell] = [f"{group.mean()[n]:.2f} ± {group.std()[n]:.2f}" if n in group.groups else "" for n in shown]
    text = markdown.table([f"{1 - 0.8**number:.3f}" for number in shown], rows)
    (RESULTS / f"pruner_comparison_{scale}.md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["draw"]
    if what == "run":
        run(int(rest[0]) if rest else 1, rest[1] if len(rest) > 1 else "cpu")
    else:
        draw(rest[0] if rest else "cpu")
