"""A node of the configuration becomes the object that its ``_target_`` names."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hydra.utils
from omegaconf import DictConfig

from lipdip.core.errors import UserError


def build(node: DictConfig, **more: Any) -> Any:
    """Call a node's ``_target_`` with the node's values and ``more``; what it refuses becomes a ``UserError``."""
    with blaming(node):
        return hydra.utils.instantiate(node, _partial_=True, _convert_="all")(**more)


@contextmanager
def blaming(node: DictConfig) -> Iterator[None]:
    """Turn a constructor's complaint about an argument into a line that names the setting as the command line does."""
    try:
        yield
    except (ValueError, TypeError) as error:
        message, where, parent = str(error), str(node._get_full_key(None)), node._get_parent()
        name = message.split(" ", 1)[0].split("=", 1)[0]
        if isinstance(parent, DictConfig) and name in node and name in parent:
            where = str(parent._get_full_key(None))  # task.sigma is what the user gave, not task.physics.sigma
        raise UserError(f"{where}.{message}" if name in node else f"{where}: {message}") from error
