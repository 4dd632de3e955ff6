"""Loggers beside the run directory; each YAML of the ``logger`` group names one of these."""

import os
import time
from collections.abc import Mapping
from netrc import NetrcParseError, netrc
from pathlib import Path
from typing import Any, Protocol, runtime_checkable
from urllib.parse import urlparse

import numpy as np
import numpy.typing as npt
import yaml
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from rich.console import Console
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.core.rows import Round

Pictures = Mapping[str, npt.NDArray[np.uint8]]
# What curves, scores and the ticket that was found are drawn over.
STEP, ROUND, SPARSITY, FOUND = "curve/step", "round/round", "round/sparsity", "matching/round"
_OVER = {"curve/*": STEP, "round/*": SPARSITY, "picture/*": SPARSITY, "pictures/*": SPARSITY}
_OVER |= {"density/*": SPARSITY, "dead_channels/*": SPARSITY}
_MODES = ("auto", "online", "offline")
_FLUSH = "x_transaction_log_flush_interval"  # W&B's own: every 15 seconds, which a killed run would lose
_FLUSHED = 0.1  # seconds between two of them here


@runtime_checkable
class RoundLogger(Protocol):
    """A logger that takes more than numbers."""

    def log_pictures(self, pictures: Pictures, row: Round, line: int) -> None:
        """Log a round's pictures by name, each (H, W) or (H, W, 3); ``line`` is that of the numbers that follow."""

    def log_ticket(self, file: Path, row: Round) -> None:
        """Log a round's ticket."""


def none(**_: Any) -> None:
    """No logger: the run directory has everything."""
    return


def wandb(
    run: str,
    output_dir: Path,
    console: Console,
    project: str,
    entity: str | None = None,
    mode: str = "auto",
    sweep: str | None = None,
) -> Logger:
    """Weights & Biases; a resumed run goes on in the same W&B run.

    Args:
        run: the run's name, which is W&B's id too.
        output_dir: W&B's own files go to ``wandb`` in it.
        console: where to say that a run is kept offline.
        project: of W&B.
        entity: whose project it is; None for the account's own.
        mode: online, offline, or auto: what ``WANDB_MODE`` says, else offline where nobody is logged in.
        sweep: the name of the sweep that the run belongs to, which is W&B's group; None for a run by itself.

    Raises:
        UserError: if it has to be online and nobody is logged in.
    """
    if mode not in _MODES:
        raise ValueError(f"mode must be one of {', '.join(_MODES)}, not {mode!r}")
    if mode == "auto":
        mode = os.environ.get("WANDB_MODE", "online")
        if mode == "online" and not logged_in():
            console.print(
                "W&B: nobody is logged in (wandb login), so this run is kept offline; wandb sync sends it later"
            )
            mode = "offline"
    elif mode == "online" and not logged_in():
        raise UserError("logger.mode=online needs an account: wandb login, or WANDB_API_KEY; or logger.mode=offline")
    os.environ.setdefault("WANDB_SILENT", "true")
    return Wandb(run, output_dir, project, entity, mode, sweep)


class Wandb(WandbLogger):
    """A W&B run with lipdip's axes; begun when it is first needed, ended with the fit, so that a sweep has many.

    Args:
        run: the run's name.
        output_dir: has its directory in ``runs``.
        project: of W&B.
        entity: whose project.
        mode: of W&B.
        group: of W&B, if any.
    """

    def __init__(
        self, run: str, output_dir: Path, project: str, entity: str | None, mode: str, group: str | None
    ) -> None:
        super().__init__(project=project, id=run, save_dir=output_dir, offline=mode != "online")
        self._run, self._output, self._entity, self._mode, self._group = run, output_dir, entity, mode, group

    @property
    @override
    @rank_zero_experiment
    def experiment(self) -> Any:
        """W&B's run.

        Raises:
            UserError: if W&B cannot be reached.
        """
        if self._experiment is None:
            self._experiment = self._begin()
        return self._experiment

    def _begin(self) -> Any:
        import wandb as client

        config, settings = configuration(self._output / "runs" / self._run), client.Settings()
        if hasattr(settings, _FLUSH):  # not in old versions
            setattr(settings, _FLUSH, _FLUSHED)
        try:
            begun = client.init(
                project=self._project,
                entity=self._entity,
                id=self._run,
                resume="allow",
                name=named(config) if config else self._run,
                group=self._group,
                job_type=job(config) if config else None,
                config=config | {f"cell_{name}": value for name, value in cell(config).items()} if config else None,
                dir=self._output,
                mode=self._mode,  # type: ignore[arg-type]  # from the environment, and checked there
                settings=settings,
            )
        except client.errors.Error as error:
            what = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(f"W&B cannot be reached: {what}; logger.mode=offline keeps the run here") from error
        for axis in (STEP, SPARSITY):
            begun.define_metric(axis, hidden=True)
        for scores, axis in _OVER.items():
            begun.define_metric(scores, step_metric=axis, step_sync=False)
        return begun

    @override
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self.experiment.log(dict(metrics), step=step, commit=True)

    def log_pictures(self, pictures: Pictures, row: Round, line: int) -> None:
        """Log pictures on the line of the scores that are logged next."""
        import wandb as client

        shown = {f"pictures/{name}": client.Image(picture) for name, picture in pictures.items()}
        self.experiment.log(shown | {SPARSITY: row.sparsity}, step=line, commit=False)

    def log_ticket(self, file: Path, row: Round) -> None:
        """Log it as a version of ``ticket-<run>``; the alias ``matching`` is the most sparse that matches."""
        import wandb as client

        scores = {"round": row.round, "sparsity": row.sparsity, "kept_weights": row.kept_weights, "score": row.score}
        artifact = client.Artifact(f"ticket-{self._run}", type="ticket", metadata={"run": self._run, **scores})
        artifact.add_file(str(file))
        matching = ["matching"] if row.matching and row.sparsity > 0 else []
        self.experiment.log_artifact(artifact, aliases=["latest", f"round_{row.round:02d}", *matching])

    @override
    def save(self) -> None:
        """Wait until what was logged is in W&B's file: a run that is killed loses what is not."""
        self.experiment.status()  # answered by W&B's process once it has all that came before
        time.sleep(2 * _FLUSHED)

    @override
    def finalize(self, status: str) -> None:
        if self._experiment is not None:
            self._experiment.finish(exit_code=0 if status == "success" else 1)


def configuration(directory: Path) -> dict[str, Any]:
    """The contents of a run directory's ``config.yaml``, without paths and logger; empty if there is none."""
    file = directory / "config.yaml"
    config: dict[str, Any] = yaml.safe_load(file.read_text()) if file.exists() else {}
    return {name: part for name, part in config.items() if name not in ("paths", "logger")}


def cell(config: Mapping[str, Any]) -> dict[str, Any]:
    """Which cell of a study a run is: task, picture, pruner and seed, in words."""
    pruner, given = config["pruner"], config["ticket"]["path"] is not None
    rule = pruner["name"] if pruner["scorer"] is not None else "ticket" if given else "dense"
    return {
        "task": config["task"]["name"].replace("_", " "),
        "picture": _pictures(config),
        "pruner": f"{rule} from a ticket" if given and pruner["scorer"] is not None else rule,
        "seed": config["seed"],
    }


def named(config: Mapping[str, Any]) -> str:
    """A run's name for people."""
    own = cell(config)
    return f"{own['task']}, {own['picture']}, {own['pruner']}, seed {own['seed']}"


def job(config: Mapping[str, Any]) -> str:
    """What a run is for: ``find`` a ticket, ``use`` one, or neither, ``dense``."""
    if config["pruner"]["scorer"] is not None:
        return "find"
    return "use" if config["ticket"]["path"] is not None else "dense"


def _pictures(config: Mapping[str, Any]) -> str:
    if config["task"]["name"] in ("classify", "gan_train"):
        return str(config["dataset"]["_target_"]).rpartition(".")[2].replace("_", " ")
    names: list[str] = []
    for name, source in config["image"]["pictures"].items():
        path = source.get("path") if name == "file" else None
        names += [name] if path is None else [Path(one).stem for one in ([path] if isinstance(path, str) else path)]
    subject = " + ".join(names) if len(names) <= 3 else f"{len(names)} pictures"
    content = config["image"]["content"]
    return subject if content == "picture" else f"{subject} ({content})"


def logged_in() -> bool:
    """Whether a key is at hand, found out without W&B's client, which would remember that it was asked online."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
        return netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, NetrcParseError):
        return False


def tensorboard(run: str, output_dir: Path, console: Console, sweep: str | None = None) -> Logger:
    """TensorBoard event files in ``<output_dir>/tensorboard/<run>``.

    Raises:
        UserError: if TensorBoard is not installed.
    """
    try:
        return TensorBoard(save_dir=output_dir, name="tensorboard", version=run)
    except ModuleNotFoundError:
        raise UserError('logger=tensorboard needs TensorBoard: pip install "lipdip[tensorboard]"') from None


class TensorBoard(TensorBoardLogger):
    """TensorBoard knows whole numbers as axis alone: curves are over steps of their round, scores over rounds."""

    @override
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        axis = next((name for name in (STEP, ROUND, FOUND) if name in metrics), None)
        shown = {name: value for name, value in metrics.items() if name != axis}
        super().log_metrics(shown, step if axis is None else int(metrics[axis]))

    def log_pictures(self, pictures: Pictures, row: Round, line: int) -> None:
        """Log pictures over rounds."""
        for name, picture in pictures.items():
            axes = "HW" if picture.ndim == 2 else "HWC"
            self.experiment.add_image(f"pictures/{name}", picture, row.round, dataformats=axes)

    def log_ticket(self, file: Path, row: Round) -> None:
        """Do nothing: TensorBoard keeps no files, and the ticket is in the run directory."""
