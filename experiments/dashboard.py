"""The project's workspace on W&B: scores over sparsity by pruner, picture and seed; curves, layers and pictures.

    python experiments/dashboard.py show                     the specification, as JSON
    python experiments/dashboard.py save ENTITY [PROJECT]    saves it there, and prints its address

Saving needs an account (wandb login) and W&B's own library: pip install "lipdip[dashboard]". What the panels show is
logged by logger=wandb (docs/dashboards.md).
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lipdip.core.errors import UserError
from lipdip.fit.loggers import one_line
from lipdip.fit.wandb_logger import SPARSITY, STEP, logged_in

NAME = "lipdip: scores over sparsity"
SCORES = {
    "round/psnr_best": ("best PSNR of a round (oracle), dB", ""),
    "round/psnr_ema": ("PSNR of the last output average, dB", ""),
    "round/ssim_best": ("SSIM of the best picture", ""),
    "round/psnr": ("PSNR of recovered pictures, dB", "recover"),
    "round/mse": ("error of recovered pictures, MSE per pixel on [-1, 1]", "recover"),
    "round/accuracy": ("accuracy on test pictures", "classify"),
    "round/reconstruction_error": ("error on held-out pictures, MSE", "gan_train"),
}
CURVES = (  # a score of a curve, its title, whether its axis is logarithmic, and whose it is alone
    ("objective", "objective of the restarts that are kept", True, "recover"),
    ("mse", "error of recovered pictures, MSE", True, "recover"),
    ("accuracy", "accuracy on test pictures", False, "classify"),
    ("distance", "the critic's distance", False, "gan_train"),
)
GROUPS = {"pruner": "pruner.name", "picture": "pictures", "seed": "seed"}  # keys of a run's configuration


@dataclass(frozen=True)
class Panel:
    """One panel.

    Args:
        kind: ``line`` or ``pictures``.
        title: above it.
        y: names of metrics, or of pictures.
        x: what they are drawn over.
        regex: instead of ``y``, metrics by a pattern.
        by: the setting whose values have a line each, the mean of their runs with its standard deviation.
        log: whether the vertical axis is logarithmic.
        only: the runs that alone have it: those that ``classify``, ``recover`` or ``gan_train``, or have ``several``
            pictures or a ``single`` one; empty where restoring runs do.
    """

    kind: str
    title: str
    y: tuple[str, ...] = ()
    x: str | None = None
    regex: str | None = None
    by: str | None = None
    log: bool = False
    only: str = ""


@dataclass(frozen=True)
class Section:
    """Panels below one headline."""

    name: str
    panels: tuple[Panel, ...]


def specification() -> tuple[Section, ...]:
    """What the workspace shows, as plain values."""
    over = [
        Section(
            f"Scores over sparsity, by {group}",
            tuple(
                Panel("line", f"{title}, by {group}", (score,), SPARSITY, by=setting, only=only)
                for score, (title, only) in SCORES.items()
            ),
        )
        for group, setting in GROUPS.items()
    ]
    curves = Section(
        "Curves of each round",
        (
            Panel("line", "PSNR of the output, dB", x=STEP, regex=r"^curve/round_\d+/(.*/)?psnr$"),
            Panel("line", "loss", x=STEP, regex=r"^curve/round_\d+/(.*/)?loss$", log=True),
            *(
                Panel("line", title, x=STEP, regex=rf"^curve/round_\d+/{score}$", log=log, only=only)
                for score, title, log, only in CURVES
            ),
        ),
    )
    each = Section(
        "Each picture of several",
        (
            Panel(
                "line",
                "best PSNR of each picture (oracle), dB",
                x=SPARSITY,
                regex="^picture/.*/psnr_best$",
                only="several",
            ),
            Panel("line", "PSNR of each recovered picture, dB", x=SPARSITY, regex="^picture/.*/psnr$", only="recover"),
            Panel(
                "line",
                "error of each recovered picture, MSE",
                x=SPARSITY,
                regex="^picture/.*/mse(_lasso)?$",
                only="recover",
            ),
        ),
    )
    layers = Section(
        "Layers",
        (
            Panel("line", "density of each layer", x=SPARSITY, regex="^density/"),
            Panel("line", "dead channels of each layer", x=SPARSITY, regex="^dead_channels/"),
        ),
    )
    pictures = Section(
        "Pictures",
        (
            Panel("pictures", "comparison, of all pictures of a run", ("pictures/comparison",)),
            Panel("pictures", "restored in each round", ("pictures/restored",), SPARSITY, only="single"),
        ),
    )
    return (*over, each, curves, layers, pictures)


def workspace(sections: Sequence[Section], entity: str, project: str) -> Any:
    """The specification as an object of W&B's library, not saved; needs no network."""
    import wandb_workspaces.workspaces as ws

    return ws.Workspace(
        entity=entity,
        project=project,
        name=NAME,
        sections=[
            ws.Section(name=section.name, panels=[_panel(panel) for panel in section.panels], is_open=True)
            for section in sections
        ],
    )


def _panel(panel: Panel) -> Any:
    import wandb_workspaces.reports.v2 as wr

    if panel.kind == "pictures":
        return wr.MediaBrowser(title=panel.title, media_keys=list(panel.y))
    grouped: dict[str, Any] = {}
    if panel.by is not None:
        grouped = {"groupby": wr.Config(panel.by), "groupby_aggfunc": "mean", "groupby_rangefunc": "stddev"}
    return wr.LinePlot(
        title=panel.title,
        x=panel.x,
        y=list(panel.y),
        metric_regex=panel.regex,
        log_y=panel.log,
        **grouped,
    )


def main(words: Sequence[str]) -> None:
    """``show``, or ``save`` with whose workspace it is."""
    match words:
        case ["show"]:
            print(json.dumps([asdict(section) for section in specification()], indent=1))
        case ["save", entity, *rest] if len(rest) < 2:
            _save(entity, *rest)
        case _:
            _end((__doc__ or "").strip())


def _save(entity: str, project: str = "lipdip") -> None:
    try:
        if not logged_in():
            _end("saving a workspace needs an account: wandb login, or WANDB_API_KEY")
        print(workspace(specification(), entity, project).save().url)
    except ModuleNotFoundError:
        _end('saving a workspace needs W&B\'s library for them: pip install "lipdip[dashboard]"')
    except UserError as error:
        _end(str(error))
    except Exception as error:  # W&B's own, of several libraries, or the network's
        _end(f"the workspace was not saved: {one_line(error)}")


def _end(message: str) -> None:
    print(message, file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
