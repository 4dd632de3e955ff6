"""Every numeric setting of every task: what no machine can hold or count to is refused in one line, and at once."""

import copy
from typing import Any

import pytest

from lipdip.cli.compose import compose
from lipdip.cli.run_command import plain
from lipdip.core.errors import UserError
from lipdip.tasks.assemble import assemble

from .conftest import TINY

WRONG = (1e20, 10**18, float("inf"), float("-inf"), float("nan"), True)
OPTIONAL = ("pruner.sparsity", "pruner.stop", "fit.burn_in", "trainer.steps_per_batch", "ticket.round", "image.size")
# Settings that may be as large as they like, and why.
ANY_SIZE = {
    "seed": "any whole number names a stream",
    "task.seed": "any whole number names a stream",
    "fit.lr": "the fit says that it diverged",
    "fit.reg_noise_std": "the fit says that it diverged",
    "trainer.save_seconds": "a run that is never saved",
    "task.physics.outlier_value": "any measurement can be wrong by so much",
    "dataset.size": "read where pictures have labels, or a GAN is trained",
}
TRUE_IS_ONE = ("dataset.size",)  # as above
SMALL = ("model.channels=4", "model.scales=2")
_NOT_READ = ("protocol.", "prefer.", "task.published.", "sweep.")  # by what is assembled
GAN = ("model.channels=[6,5]", "model.latent=5", "fit.batch=4", "fit.grow=5")
RUNS = [
    ("task=denoise", *TINY),
    ("task=inpaint", *TINY),
    ("task=super_resolution", *TINY),
    ("task=classify", *SMALL),
    ("task=compressive_sensing", "fit.objective=median_of_means"),
    ("task=gan_inpaint",),
    ("task=gan_train", *GAN),
    ("model=deep_decoder", *TINY),
    ("fit=sgld", "fit.burn_in=5", *TINY),
    *((f"pruner={name}", *TINY) for name in ("snip", "grasp", "synflow", "oes", "random")),
]


def _numbers(node: Any, place: str = "") -> list[str]:
    if isinstance(node, dict | list):
        inside = node.items() if isinstance(node, dict) else enumerate(node)
        return [name for key, item in inside for name in _numbers(item, f"{place}.{key}" if place else str(key))]
    return [place] if isinstance(node, int | float) and not isinstance(node, bool) else []


def _with(config: dict[str, Any], name: str, value: object) -> dict[str, Any]:
    """The configuration with one other value."""
    changed = copy.deepcopy(config)
    *outer, last = (int(part) if part.isdecimal() else part for part in name.split("."))
    node: Any = changed
    for part in outer:
        node = node[part]
    node[last] = value
    return changed


@pytest.mark.parametrize("words", RUNS, ids=" ".join)
def test_numbers_beyond_the_machine(words, clothes):
    config = plain(compose(*words, *([f"dataset.path={clothes}"] if "task=gan_train" in words else [])))
    assemble(config)
    # what others only point to is not read itself: protocol.steps, or task.sigma beside task.physics.sigma
    read = [name for name in _numbers(config) if not name.startswith(_NOT_READ)]
    physics = config["task"].get("physics", {})
    read = [name for name in read if name.removeprefix("task.") not in physics and name != "task.rewind"]
    shared = set(_numbers(plain(compose(*TINY)))) if words != RUNS[0] else set()  # the first run looks at these
    for name in {*read, *OPTIONAL} - (shared - {"fit.steps", "model.scales", "model.channels"}):
        for value in WRONG:
            allowed = (name in ANY_SIZE and value in (1e20, 10**18)) or (name in TRUE_IS_ONE and value is True)
            try:
                assemble(_with(config, name, value))
                assert allowed, f"{name}={value} was accepted"
            except UserError as error:
                assert "\n" not in str(error) and "cannot be run" not in str(error), error
