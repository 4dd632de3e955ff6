"""Loggers beside the run directory; each YAML of the ``logger`` group names one of these."""

import os
from netrc import NetrcParseError, netrc
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from rich.console import Console

from lipdip.core.errors import UserError


def none(**_: Any) -> None:
    """No logger: the run directory has everything."""
    return


def wandb(run: str, output_dir: Path, console: Console, project: str) -> Logger:
    """Weights & Biases; a resumed run goes on in the same W&B run. Offline where nobody is logged in."""
    offline = os.environ.get("WANDB_MODE") == "offline"
    if not offline and not _logged_in():
        console.print("W&B: nobody is logged in (wandb login), so this run is kept offline; wandb sync sends it later")
        offline = True
    os.environ.setdefault("WANDB_SILENT", "true")
    return WandbLogger(project=project, name=run, id=run, resume="allow", save_dir=output_dir, offline=offline)


def _logged_in() -> bool:
    """Whether a key is at hand, found out without W&B's client, which would remember that it was asked online."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        host = urlparse(os.environ.get("WANDB_BASE_URL", "https://api.wandb.ai")).hostname or ""
        return netrc(os.environ.get("NETRC")).authenticators(host) is not None
    except (OSError, NetrcParseError):
        return False


def tensorboard(run: str, output_dir: Path, console: Console) -> Logger:
    """TensorBoard event files in ``<output_dir>/tensorboard/<run>``.

    Raises:
        UserError: if TensorBoard is not installed.
    """
    try:
        return TensorBoardLogger(save_dir=output_dir, name="tensorboard", version=run)
    except ModuleNotFoundError:
        raise UserError('logger=tensorboard needs TensorBoard: pip install "lipdip[tensorboard]"') from None
