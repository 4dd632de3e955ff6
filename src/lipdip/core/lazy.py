"""Public names that a package imports when they are first used, so that importing the package itself is quick."""

import ast
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def attach(package: str, file: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The module functions ``__getattr__`` and ``__dir__`` that import a package's public names on first use.

    The names and where they live are read from the imports under ``if TYPE_CHECKING:`` of the package's own source,
    so that they are listed once and type checkers see ordinary imports::

        if TYPE_CHECKING:
            from lipdip.pictures.problem import Problem
        else:
            __getattr__, __dir__ = attach(__name__, __file__)

    No public name may be the name of a submodule (Python binds an imported submodule over it), except that of the
    submodule itself: ``from lipdip import physics`` in ``lipdip/__init__.py``.

    Args:
        package: its ``__name__``.
        file: its ``__file__``.
    """
    tree = ast.parse(Path(file).read_text("utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    homes = {alias.asname or alias.name: (node.module, alias.name) for node in imports for alias in node.names}

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        module, original = homes[name]
        is_submodule = module == package
        value = import_module(f"{module}.{original}") if is_submodule else getattr(import_module(str(module)), original)
        setattr(sys.modules[package], name, value)  # found at once from now on
        return value

    return load, lambda: sorted(homes)
