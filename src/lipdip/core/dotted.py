"""Values in nested tables, by dotted name."""

from collections.abc import Mapping
from typing import Any


def value(tree: Any, name: str) -> Any:
    """The value in nested mappings under a dotted name such as ``task.sigma``, or None if there is none."""
    for part in name.split("."):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree
