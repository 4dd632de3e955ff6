"""Values in nested tables, by dotted name."""

from collections.abc import Mapping
from typing import Any


def value(tree: Any, name: str) -> Any:
    """What stands in nested mappings under a dotted name, such as ``task.sigma``; None where there is nothing."""
    for part in name.split("."):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree
