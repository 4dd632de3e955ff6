"""How fast networks fit different targets: a picture, a noisy one, its shuffled pixels, pure noise."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

from matplotlib.figure import Figure

from lipdip.core.errors import UserError
from lipdip.figures.style import line_style, rendered, wrapped

_ACROSS = 4


def fitting_loss(run: Path, round: int | None = None) -> tuple[list[int], list[float]]:
    """Steps and the fitting loss at them, from a run directory's ``curves.csv``.

    Args:
        run: the run directory.
        round: which of its rounds; None for the last.

    Returns:
        The steps recorded, rising, and the loss at each; of several pictures the mean.

    Raises:
        UserError: if there are no curves, they are damaged, or the round is not among them.
    """
    rounds: dict[int, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    try:
        with (run / "curves.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                rounds[int(row["round"])][int(row["step"])].append(float(row["loss"]))
    except OSError as error:
        raise UserError(f"cannot read the curves of {run}: {error.strerror}") from None
    except KeyError as error:
        raise UserError(f"the curves of {run} have no column {error}") from None
    except (ValueError, TypeError, csv.Error):
        raise UserError(f"the curves of {run} are damaged: curves.csv does not hold numbers throughout") from None
    if not rounds:
        raise UserError(f"the curves of {run} are empty")
    steps = rounds.get(max(rounds) if round is None else round)
    if steps is None:
        raise UserError(f"{run} has no round {round}; its rounds are {min(rounds)} to {max(rounds)}")
    return sorted(steps), [fmean(steps[step]) for step in sorted(steps)]


def learning_curves(runs: Mapping[str, Mapping[str, Path]], round: int | None = None) -> bytes:
    """A PNG with a panel for each target: the fitting loss of every network over the steps, on shared axes.

    Args:
        runs: run directories by target and, within it, by network; a network has one colour throughout.
        round: which round of each run; None for each run's last.

    Raises:
        UserError: if there is nothing to draw, or a run's curves cannot be read.
    """
    if not any(runs.values()):
        raise UserError("there is no run to draw learning curves of")
    networks = list(dict.fromkeys(network for of_target in runs.values() for network in of_target))
    down = -(-len(runs) // _ACROSS)
    across = -(-len(runs) // down)
    width = max(2.7 * across + 0.6, 4.5)
    figure = Figure(figsize=(width, 2.7 * down + 0.9), layout="constrained")
    panels = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    drawn = {}
    for panel, (target, of_target) in zip(panels.flat, runs.items(), strict=False):
        for network, run in of_target.items():
            steps, losses = fitting_loss(run, round)
            style = line_style(networks.index(network))
            drawn[network] = panel.plot(steps, losses, linewidth=1.3, **style)[0]
        panel.set_title(wrapped(target, 30), fontsize=10)
        panel.grid(alpha=0.25)
        panel.tick_params(labelsize=8)
    for panel in panels.flat[len(runs) :]:
        panel.set_visible(False)
    for panel in panels.flat[len(runs) - across : len(runs)]:
        panel.tick_params(labelbottom=True)
    panels[0, 0].set_yscale("log")
    panels[0, 0].set_xscale("log")
    figure.supxlabel("optimisation step", fontsize=10)
    figure.supylabel("fitting loss", fontsize=10)
    labels = [wrapped(network, 40) for network in drawn]
    room = int(width / (0.7 + 0.075 * max(len(line) for label in labels for line in label.splitlines())))
    columns = max(min(len(drawn), room), 1)
    figure.legend(list(drawn.values()), labels, loc="outside upper center", ncols=columns, fontsize=9)
    return rendered(figure)
