"""What tickets of other tasks, pictures and networks have in common with a denoiser's; beyond the paper.

    python experiments/overlap.py

From the runs that find the tickets of Fig. 4, 5, 6 and 14. Writes report/overlap.csv, which compares each ticket with
the denoiser's of the same seed over the layers that both networks have, and report/finding.csv and .md: the score of
each run, by round.
"""

import statistics
from dataclasses import dataclass

from fig4 import found_on
from fig6 import what
from study import REPORT, Found, Study, start

from lipdip.core.files import write_whole
from lipdip.figures import markdown
from lipdip.runs.csv_tables import table_of
from lipdip.tasks import read_pictures, read_rounds
from lipdip.tasks.restoration import PictureRow as PictureScores
from lipdip.tickets.overlap import chance_layerwise, overlaps, together
from lipdip.tickets.ticket_file import Ticket


@dataclass(frozen=True)
class Overlap:
    """What a ticket shares with the denoiser's; ``chance`` is what random masks of the same densities would share."""

    found: str
    seed: int
    jaccard: float | None
    chance: float | None
    density_correlation: float


@dataclass(frozen=True)
class Reached:
    """The score of a round, for one picture or as the mean over all."""

    found: str
    seed: int
    round: int
    picture: str
    score: float | None


def compare(study: Study, by_task: list[Found]) -> None:
    """All tickets that the four figures find."""
    others = {name: study.sweep(experiment=name) for name in ("fig6", "fig14", "fig4")}
    named = {run.directory: f"found by {run['task']}" for run in by_task}
    named |= {run.directory: f"found by {what(run)}" for run in others["fig6"] if run["task"] == "classify"}
    named |= {run.directory: found_on(run) for name in ("fig14", "fig4") for run in others[name]} | named
    runs = {run.directory: run for run in [*by_task, *(run for found in others.values() for run in found)]}
    denoisers = {run["seed"]: run for run in by_task if run["task"] == "denoise"}
    shared = [overlap(name, runs[path], denoisers[runs[path]["seed"]]) for path, name in named.items()]
    scores = [row for path, name in named.items() for row in reached(name, runs[path])]
    REPORT.mkdir(exist_ok=True)
    text = table(scores)
    write_whole(REPORT / "overlap.csv", table_of(Overlap, shared))
    write_whole(REPORT / "finding.csv", table_of(Reached, scores))
    write_whole(REPORT / "finding.md", text)
    print(text, f"{REPORT}/overlap.csv", f"{REPORT}/finding.csv", f"{REPORT}/finding.md", sep="\n")


def overlap(name: str, run: Found, denoiser: Found) -> Overlap:
    """The last tickets of two runs."""
    layers = overlaps(Ticket.load(run.ticket()).mask, Ticket.load(denoiser.ticket()).mask)
    own, other = ([getattr(layer, side) / layer.weights for layer in layers] for side in ("a", "b"))
    correlation = statistics.correlation(own, other) if len(set(own)) > 1 and len(set(other)) > 1 else float("nan")
    return Overlap(name, int(run["seed"]), together(layers).jaccard, chance_layerwise(layers), correlation)


def reached(name: str, run: Found) -> list[Reached]:
    """Every round, and where there are several pictures each."""
    seed = int(run["seed"])
    rounds = [Reached(name, seed, row.round, "mean", row.score) for row in read_rounds(run.directory)]
    pictures = read_pictures(run.directory)
    return rounds + [
        Reached(name, seed, row.round, row.picture, row.psnr_best) for row in pictures if isinstance(row, PictureScores)
    ]


def table(rows: list[Reached]) -> str:
    """Mean and spread over seeds of every other round."""
    shown = sorted({row.round for row in rows if row.round % 2 == 0})
    lines: dict[str, list[str]] = {}
    for name in dict.fromkeys(row.found for row in rows):
        for number in shown:
            scores = [r.score for r in rows if (r.found, r.round, r.picture) == (name, number, "mean") and r.score]
            spread = f" ± {statistics.stdev(scores):.2g}" if len(scores) > 1 else ""
            lines.setdefault(name, []).append(f"{statistics.mean(scores):.4g}{spread}" if scores else "")
    return markdown.table([f"{1 - 0.8**number:.3f}" for number in shown], lines)


if __name__ == "__main__":
    start("fig5", compare, draws=())
