"""Why a ticket is good: where its weights are (Fig. 7), what it fits fast (Fig. 10), what is restored (Fig. 18, 19).

    python experiments/why_tickets.py run [jobs] [cpu|paper]    finds tickets by IMP, SNIP and by lot, fits; resumable
    python experiments/why_tickets.py draw [cpu|paper]          pictures to docs/results

One picture, one seed: these are pictures to look at, not a comparison with error bars (see pruner_comparison).
"""

import io
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from lipdip.command import compose
from lipdip.configuration.assemble import assemble
from lipdip.configuration.start import ticket_file
from lipdip.core.ticket import Ticket
from lipdip.figures.fourier import fourier_differences, fourier_magnitudes
from lipdip.figures.layers import layer_densities
from lipdip.figures.targets import learning_curves
from lipdip.run import run as lipdip_run
from lipdip.workers import each

SCALES = {
    "cpu": ("image.size=64", "model.channels=16", "model.scales=4", "fit.steps=800"),
    "paper": ("protocol=paper", "image=set5/baby"),
}
ROUND = {"cpu": 8, "paper": 10}  # sparsity 0.832 and 0.893
PRUNERS = {"IMP": "imp", "SNIP": "snip", "random": "random"}
TARGETS = {"the picture": "picture", "with noise": "noisy", "its pixels shuffled": "shuffled", "white noise": "noise"}
RESULTS = Path(__file__).parents[1] / "docs" / "results"


def overrides(scale: str, *own: str) -> list[str]:
    """The command line that all runs share, and a run's own."""
    return [*SCALES[scale], *own, f"paths.output_dir=outputs/why_tickets_{scale}"]


def finding(scale: str) -> dict[str, list[str]]:
    """How the tickets are found."""
    common = (f"pruner.rounds={ROUND[scale]}", "pruner.empty_layers=keep_one")
    return {name: overrides(scale, f"pruner={pruner}", *common) for name, pruner in PRUNERS.items()}


def fitting(scale: str) -> dict[tuple[str, str], list[str]]:
    """Each network on each target: the picture as it is given to the network, without a degradation."""
    clean = ("task=denoise", "task.sigma=0", "pruner=none")
    starts = {"dense": ()} | {
        name: (f"ticket={ticket_file(_where(found), ROUND[scale])}",) for name, found in finding(scale).items()
    }
    return {
        (target, name): overrides(scale, *clean, f"image.content={content}", *start)
        for target, content in TARGETS.items()
        for name, start in starts.items()
    }


def _where(command: Sequence[str]) -> Path:
    cfg = compose(*command)
    return Path(cfg.paths.output_dir) / "runs" / assemble(cfg).name


def _do(command: Sequence[str]) -> Path:
    return lipdip_run(compose(*command), Console(file=io.StringIO()))


def run(jobs: int, scale: str) -> None:
    """Everything that is missing; tickets first."""
    for commands in (finding, fitting):
        for _, path in each(_do, list(commands(scale).values()), jobs):
            print(path, flush=True)


def draw(scale: str) -> None:
    """The pictures of the paper's figures, at this scale."""
    found = {name: _where(command) for name, command in finding(scale).items()}
    tickets = {name: Ticket.load(ticket_file(path, ROUND[scale])) for name, path in found.items()}
    curves: dict[str, dict[str, Path]] = {}
    for (target, name), command in fitting(scale).items():
        curves.setdefault(target, {})[name] = _where(command)
    images = found["IMP"] / "images"
    restored = {"clean": images / "clean.png", "dense": images / "restored_dense.png"}
    restored |= {name: path / "images" / "restored_last.png" for name, path in found.items()}
    differences = [("IMP", "random"), ("IMP", "SNIP"), ("IMP", "clean"), ("random", "clean")]
    pictures = {
        "fig7_layers": layer_densities(tickets),
        "fig10_targets": learning_curves(curves),
        "fig18_fourier": fourier_magnitudes(restored),
        "fig19_differences": fourier_differences(restored, differences),
    }
    for name, picture in pictures.items():
        (RESULTS / f"{name}_{scale}.png").write_bytes(picture)
        print(RESULTS / f"{name}_{scale}.png")


if __name__ == "__main__":
    what, *rest = sys.argv[1:] or ["draw"]
    if what == "run":
        run(int(rest[0]) if rest else 1, rest[1] if len(rest) > 1 else "cpu")
    else:
        draw(rest[0] if rest else "cpu")
