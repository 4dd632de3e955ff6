"""Tickets that travel: across tasks, across pictures, from several pictures at once, to classification and back.

    python experiments/ticket_transfer.py run [jobs] [cpu|paper]    finds the tickets, fits all pairs; resumable
    python experiments/ticket_transfer.py draw [cpu|paper]          tables and heat maps to docs/results

Every ticket is found and evaluated with three seeds: the ticket of a seed is fitted with that seed's code. All tickets
are of the same round, so that they are equally sparse. What each run holds is in its run directory; give the command
again and only what is missing is done.
"""

import io
import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from rich.console import Console

from lipdip.command import compose
from lipdip.configuration.matrix import Problem
from lipdip.configuration.start import ticket_file
from lipdip.core.records import read_pictures, read_rounds
from lipdip.core.ticket import Ticket
from lipdip.figures import markdown
from lipdip.lottery.overlap import chance_layerwise, overlaps, together
from lipdip.run import run as lipdip_run
from lipdip.transfer import transfer
from lipdip.workers import each

SCALES = {
    # 16 channels: 2.7 weights for each value of a 64x64 picture, as the paper's 2.2 million for 512x512.
    "cpu": ("image.size=64", "model.channels=16", "model.scales=4"),
    "paper": ("protocol=paper",),
}
STEPS = {"cpu": ("fit.steps=800",), "paper": ()}
SEEDS = (0, 1, 2)
ROUND = 8  # sparsity 0.832
FOUR = ("astronaut", "coffee", "chelsea", "camera")
TASKS = {
    "denoise": ("task=denoise",),
    "inpaint": ("task=inpaint",),
    "super-resolution x2": ("task=super_resolution", "task.factor=2"),
}
SEVERAL = ("task=denoise", "image=[astronaut,coffee,chelsea]")
MULTI = {
    "three pictures, a code each": (*SEVERAL, "multi.code=per_image", "multi.head=shared"),
    "three pictures, one code, a head each": (*SEVERAL, "multi.code=shared", "multi.head=per_image"),
    "three pictures, one code, one output": (*SEVERAL, "multi.code=shared", "multi.head=shared"),
}
DIGITS = ("task=classify",)
FOUND = {
    **{f"found by {name}": (*task, "image=astronaut") for name, task in TASKS.items()},
    **{f"found on {name}": ("task=denoise", f"image={name}") for name in FOUR[1:]},
    **MULTI,
    "found on digits": DIGITS,
}
RESULTS = Path(__file__).parents[1] / "docs" / "results"
STUDIES = {
    "tasks": (
        [f"found by {name}" for name in TASKS],
        {name: (*task, "image=astronaut") for name, task in TASKS.items()},
    ),
    "pictures": (
        ["found by denoise", *(f"found on {name}" for name in FOUR[1:]), *MULTI],
        {name: ("task=denoise", f"image={name}") for name in FOUR},
    ),
    "classification": (
        ["found by denoise", "found on digits"],
        {"denoise": ("task=denoise", "image=astronaut"), "digits": DIGITS},
    ),
}


def _output(scale: str) -> Path:
    return Path(f"outputs/ticket_transfer_{scale}")


def settings(own: Sequence[str], scale: str) -> list[str]:
    """What a run is about."""
    steps = () if own == DIGITS else STEPS[scale]
    return [*SCALES[scale], *steps, *own]


def find(command: Sequence[str]) -> Path:
    """Find the tickets of one run, or find them found."""
    return lipdip_run(compose(*command), Console(file=io.StringIO()))


def run(jobs: int, scale: str) -> None:
    """Everything that is missing."""
    names = [(name, seed) for seed in SEEDS for name in FOUND]
    imp = ("pruner=imp", f"pruner.rounds={ROUND}", f"paths.output_dir={_output(scale)}")
    commands = [[*settings(FOUND[name], scale), *imp, f"seed={seed}"] for name, seed in names]
    paths: dict[tuple[str, int], Path] = {}
    for number, path in each(find, commands, jobs):
        name, seed = names[number]
        print(f"{name}, seed {seed}: {path}", flush=True)
        paths[name, seed] = path
    found = {name: [paths[name, seed] for seed in SEEDS] for name in FOUND}
    _finding(found, scale)
    _overlap(found, scale)
    for study, (rows, columns) in STUDIES.items():
        problems = [Problem(name, tuple(settings(own, scale))) for name, own in columns.items()]
        tickets = {_row(study, name): [ticket_file(path, ROUND) for path in found[name]] for name in rows}
        _, failed = transfer(tickets, problems, _output(scale) / "transfer" / study, _output(scale), jobs=jobs)
        for fit, why in failed:
            print(f"FAILED: {fit.command}: {why}", flush=True)


def _row(study: str, name: str) -> str:
    """In the matrix of pictures the first denoising ticket is the astronaut's."""
    return "found on astronaut" if study == "pictures" and name == "found by denoise" else name


def _finding(found: dict[str, list[Path]], scale: str) -> None:
    """What each finding run reached, round by round: mean over pictures, and each picture where there are several."""
    rows = []
    for name, paths in found.items():
        for seed, path in zip(SEEDS, paths, strict=True):
            run = {"found": name, "seed": seed}
            rows += [{**run, "round": row.round, "picture": "mean", "score": row.score} for row in read_rounds(path)]
            rows += [
                {**run, "round": row.round, "picture": row.picture, "score": row.psnr_best}
                for row in read_pictures(path)
            ]
    pd.DataFrame(rows).to_csv(_output(scale) / "finding.csv", index=False, float_format="%.4f")


def _overlap(found: dict[str, list[Path]], scale: str) -> None:
    """What tickets have in common with the denoiser's of the same seed, over the layers that all networks share."""
    rows = []
    for name, paths in found.items():
        for seed, (path, other) in enumerate(zip(paths, found["found by denoise"], strict=True)):
            mine, theirs = (Ticket.load(ticket_file(run, ROUND)).mask for run in (path, other))
            layers = overlaps(mine, theirs)
            own, ref = ([getattr(layer, side) / layer.weights for layer in layers] for side in ("a", "b"))
            rows.append(
                {
                    "found": name,
                    "seed": seed,
                    "jaccard": together(layers).jaccard,
                    "chance": chance_layerwise(layers),
                    "density_correlation": statistics.correlation(own, ref),
                }
            )
    pd.DataFrame(rows).to_csv(_output(scale) / "overlap.csv", index=False, float_format="%.4f")


def draw(scale: str) -> None:
    """Tables and heat maps to docs/results, and what the finding runs of several pictures reached."""
    for study in STUDIES:
        directory = _output(scale) / "transfer" / study
        for file in sorted(directory.glob("*.*")):
            shutil.copy(file, RESULTS / f"transfer_{study}_{scale}_{file.name}")
        print((directory / "table.md").read_text())
    overlap = pd.read_csv(_output(scale) / "overlap.csv")
    overlap.to_csv(RESULTS / f"transfer_overlap_{scale}.csv", index=False)
    print(overlap.groupby("found", sort=False)[["jaccard", "chance", "density_correlation"]].mean().round(3))
    finding = pd.read_csv(_output(scale) / "finding.csv")
    finding.to_csv(RESULTS / f"transfer_finding_{scale}.csv", index=False)
    means = finding[finding.picture == "mean"].groupby(["found", "round"]).score
    shown = [0, 2, 4, 6, ROUND]
    rows = {
        name: [f"{means.mean()[name, n]:.{4 if 'digits' in name else 2}f} ± {means.std()[name, n]:.2g}" for n in shown]
        for name in FOUND
    }
    text = markdown.table([f"{1 - 0.8**number:.3f}" for number in shown], rows)
    (RESULTS / f"transfer_finding_{scale}.md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["draw"]
    if what == "run":
        run(int(rest[0]) if rest else 1, rest[1] if len(rest) > 1 else "cpu")
    else:
        draw(rest[0] if rest else "cpu")
