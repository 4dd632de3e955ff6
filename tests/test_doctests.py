"""Every example in a docstring does what it says."""

import contextlib
import doctest
import importlib
import pkgutil

import pytest

import lipdip

ABOVE = ("lipdip.cli", "lipdip.reports")  # commands
EXTRAS = ("deepinv", "wandb", "torchvision")


def _modules():
    """All modules of the library but commands, which act when they are imported."""
    yield "lipdip"
    for found in pkgutil.iter_modules(lipdip.__path__, "lipdip."):
        if found.name == "lipdip.api":
            yield found.name
        if found.ispkg and found.name not in ABOVE:
            yield from (
                one.name for one in pkgutil.walk_packages([f"{lipdip.__path__[0]}/{found.name[7:]}"], f"{found.name}.")
            )


def _examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in sorted(_modules()):
        for test in finder.find(importlib.import_module(name), name):
            if test.examples:
                yield pytest.param(test, id=test.name)


@pytest.mark.filterwarnings("ignore:.*isinstance.treespec", "ignore:.*does not have many workers")
@pytest.mark.parametrize("example", list(_examples()))
def test_an_example_does_what_it_says(example, tmp_path, monkeypatch):
    for extra in EXTRAS:
        if any(f"import {extra}" in line.source for line in example.examples):
            pytest.importorskip(extra)
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    with contextlib.redirect_stderr(None):
        failed, _ = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(example, out=said.append)
    assert not failed, "".join(said)
    assert list(tmp_path.iterdir()) == [], "an example leaves no files"
