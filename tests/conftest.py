"""What tests share: the smallest run that is still a run."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import run
from lipdip.core.files import file_digest
from lipdip.runs.contents import sealed_summary

torch.set_num_threads(1)

DATA = Path(__file__).parent / "data"
TINY = ("image.size=32", "model.channels=4", "model.scales=2", "fit.steps=12", "fit.record_every=5", "pruner.rounds=3")


def resealed(run: Path) -> Path:
    """A finished run whose files were changed, as if the run itself had written them so."""
    summary = json.loads((run / "summary.json").read_text())
    digests = {name: file_digest(run / name) for name in summary.pop("sha256")}
    summary.pop("checksum")
    (run / "summary.json").write_text(json.dumps(sealed_summary(summary, digests)))
    return run


@pytest.fixture
def reference() -> Callable[[str], dict[str, torch.Tensor]]:
    """Arrays that the authors' public code gave, by name."""

    def load(name: str) -> dict[str, torch.Tensor]:
        with np.load(DATA / f"{name}.npz") as arrays:
            return {key: torch.from_numpy(arrays[key]) for key in arrays.files if arrays[key].dtype.kind == "f"}

    return load


@pytest.fixture
def tiny(tmp_path: Path) -> Callable[..., tuple[Path, str]]:
    """Do a tiny run with more overrides; gives its directory and what it printed."""

    def do(*overrides: str, output_dir: Path = tmp_path) -> tuple[Path, str]:
        out = io.StringIO()
        screen = Console(file=out, width=120)
        return run(compose(*TINY, f"paths.output_dir={output_dir}", *overrides), screen), out.getvalue()

    return do


@pytest.fixture(scope="session")
def clothes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory like Fashion-MNIST's, with noise for pictures."""
    folder = tmp_path_factory.mktemp("clothes")
    for name, count in (("train", 40), ("t10k", 6)):
        draw = np.random.default_rng(count)
        pictures, labels = draw.integers(0, 256, (count, 28, 28), np.uint8), draw.integers(0, 10, count, np.uint8)
        for kind, array in (("images-idx3", pictures), ("labels-idx1", labels)):
            sides = b"".join(side.to_bytes(4, "big") for side in array.shape)
            content = bytes([0, 0, 8, array.ndim]) + sides + array.tobytes()
            (folder / f"{name}-{kind}-ubyte.gz").write_bytes(gzip.compress(content))
    return folder
