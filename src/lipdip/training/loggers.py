"""Loggers beside the run directory; each YAML of the ``logger`` group names one of these."""

import os
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger, TensorBoardLogger, WandbLogger
from rich.console import Console

from lipdip.core.errors import UserError


def none(**_: Any) -> None:
    """No logger: the run directory has everything."""
    return


def wandb(run: str, output_dir: Path, console: Console, project: str) -> Logger:
    """Weights & Biases; a resumed run goes on in the same W&B run. Offline where nobody is logged in."""
    import wandb as client

    mode = os.environ.get("WANDB_MODE")
    if mode is None and not client.api.api_key:
        console.print("W&B: nobody is logged in (wandb login), so this run is kept offline; wandb sync sends it later")
        mode = "offline"
    os.environ.setdefault("WANDB_SILENT", "true")
    return WandbLogger(
        project=project, name=run, id=run, resume="allow", save_dir=output_dir, offline=mode == "offline"
    )


def tensorboard(run: str, output_dir: Path, console: Console) -> Logger:
    """TensorBoard event files in ``<output_dir>/tensorboard/<run>``.

    Raises:
        UserError: if TensorBoard is not installed.
    """
    try:
        return TensorBoardLogger(save_dir=output_dir, name="tensorboard", version=run)
    except ModuleNotFoundError:
        raise UserError('logger=tensorboard needs TensorBoard: pip install "lipdip[tensorboard]"') from None
