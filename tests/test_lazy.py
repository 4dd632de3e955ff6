"""Packages whose public names are imported on first use."""

import subprocess
import sys

import pytest

PACKAGE = """
from typing import TYPE_CHECKING
from lipdip.core.lazy import attach

if TYPE_CHECKING:
    from lazy_example import shelf
    from lazy_example.heavy import Thing, make as build
else:
    __getattr__, __dir__ = attach(__name__, __file__)
"""


@pytest.fixture
def example(tmp_path, monkeypatch):
    home = tmp_path / "lazy_example"
    home.mkdir()
    (home / "__init__.py").write_text(PACKAGE)
    (home / "heavy.py").write_text("class Thing: pass\ndef make(): return Thing()\n")
    (home / "shelf.py").write_text("BOOKS = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield __import__("lazy_example")
    for name in [name for name in sys.modules if name.split(".")[0] == "lazy_example"]:
        del sys.modules[name]


def test_a_name_is_imported_when_it_is_used_and_not_before(example):
    assert "lazy_example.heavy" not in sys.modules and "lazy_example.shelf" not in sys.modules
    from lazy_example import Thing, build

    assert isinstance(build(), Thing) and vars(example)["Thing"] is Thing
    assert example.shelf.BOOKS == 3


def test_the_names_are_listed_and_others_are_refused_as_python_does(example):
    assert dir(example) == ["Thing", "build", "shelf"]
    with pytest.raises(AttributeError, match="'lazy_example' has no attribute 'make'"):
        _ = example.make
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        exec("from lazy_example import nothing")


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("lipdip.pictures.standard_sets", ["torch", "numpy", "PIL"]),
        ("lipdip.core.lazy", ["torch"]),
        ("lipdip.core.metrics", ["kornia", "torchmetrics", "scipy"]),
        ("lipdip.pictures.problem", ["skimage", "scipy", "PIL"]),
        ("lipdip.pictures.datasets", ["sklearn", "skimage", "scipy"]),
    ],
)
def test_what_takes_long_to_import_waits_until_it_is_needed(module, absent):
    code = f"import sys, {module}; print(*(name for name in {absent} if name in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "\n"
