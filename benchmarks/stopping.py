"""What the step that a rule chooses without a clean picture falls short of the best one, on every shipped picture.

    python benchmarks/stopping.py [out.csv] [override ...]

One dense fit of each picture, as ``python -m lipdip.run image=PICTURE pruner=none``; all ways of averaging and
choosing look at the same outputs. Prints a line for each picture, and the gap to the best corrected average in dB:
mean, median and largest. Writes the same as CSV.
"""

import csv
import statistics
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from typing_extensions import override

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of
from lipdip.fit.execute import execute
from lipdip.fit.scores import Scores
from lipdip.tasks.restoration import PriorFitting

PICTURES = ("astronaut", "camera", "chelsea", "coffee", *(f"clothes/{number:02d}" for number in range(32)))
WAYS: Mapping[str, Mapping[str, Any]] = {
    "public average": {"ema_correct": False, "stop_guard": 0.0},
    "corrected": {"stop_guard": 0.0},
    "corrected, guarded": {},
    "guarded, judged on the answer": {"stop_on": "answer"},
    "guarded, by emv": {"stop_rule": "emv"},
}


class Watched(PriorFitting):
    """A fit whose outputs are looked at in all ways."""

    @override
    def begin(self) -> None:
        super().begin()
        (problem,), (own,) = self.problems, self.scores
        self.ways = {
            name: Scores(replace(self.settings, **settings), self.metric, problem.x, self.device)
            for name, settings in WAYS.items()
        }
        whole = own.update

        def update(loss: torch.Tensor, output: torch.Tensor) -> None:
            whole(loss, output)
            for scores in self.ways.values():
                scores.update(loss, output)

        own.update = update  # type: ignore[method-assign]


def main() -> None:
    """Fit, print, write."""
    out, words = Path(sys.argv[1] if len(sys.argv) > 1 else "stopping.csv"), sys.argv[2:]
    rows: list[dict[str, Any]] = []
    for picture in PICTURES:
        experiment = experiment_of(compose(f"image={picture}", "pruner=none", *words))
        module = experiment.module
        module.__class__ = Watched
        execute(experiment)
        assert isinstance(module, Watched)
        found = {name: scores.final() for name, scores in module.ways.items()}
        best = found["corrected"]["psnr_best"]
        row: dict[str, Any] = {"picture": picture, "best": best, "best step": found["corrected"]["psnr_best_step"]}
        for name, scores in found.items():
            stop = scores["psnr_ema"] if scores["psnr_stop"] is None else scores["psnr_stop"]
            row |= {name: stop, f"{name}, step": scores["stop_step"]}
        rows.append(row)
        print(picture, f"best {best:.2f}", *(f"{name} {row[name]:.2f}" for name in WAYS), sep="; ", flush=True)
    for name in WAYS:
        gaps = [row["best"] - row[name] for row in rows]
        print(
            f"{name}: mean {statistics.mean(gaps):.2f}, median {statistics.median(gaps):.2f}, most {max(gaps):.2f} dB"
        )
    with out.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {key: round(item, 3) if isinstance(item, float) else item for key, item in row.items()} for row in rows
        )


if __name__ == "__main__":
    main()
