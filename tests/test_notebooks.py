"""The notebooks run from top to bottom, at the smallest scale, and are stored short and without outputs."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[1] / "notebooks"
SMALLEST = {  # instead of each notebook's cell tagged `parameters`, and how many pictures it then shows
    "find_a_ticket": ("size, channels, steps, rounds = 32, 4, 3, 2", 2),
    "move_a_ticket": ("size, channels, steps, chosen = 32, 4, 3, 1", 1),
    "recover_with_a_generator": ("overrides = ['fit.steps=4']", 4),
}


def _code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _parameters(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    (cell,) = [cell for cell in _code(notebook) if "parameters" in cell.metadata.get("tags", [])]
    return cell


def _names(code: str) -> list[str]:
    return [node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]


def test_every_notebook_is_tried_here():
    assert sorted(SMALLEST) == sorted(file.stem for file in FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("name", SMALLEST)
def test_a_notebook_runs(name, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))  # nobody's own start-up files
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))  # nor kernels
    notebook = nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)
    smallest, pictures = SMALLEST[name]
    _parameters(notebook).source = smallest
    resources = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    shown = [output for cell in _code(notebook) for output in cell.outputs]
    assert sum("image/png" in output.get("data", {}) for output in shown) == pictures
    assert "image/png" in shown[0].get("data", {}), "a picture comes before any words"
    assert not any(output.get("name") == "stderr" for output in shown)


@pytest.mark.parametrize("name", SMALLEST)
def test_a_notebook_is_stored_short_and_without_outputs(name):
    file = FOLDER / f"{name}.ipynb"
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    for cell in _code(notebook):
        assert cell.outputs == [] and cell.execution_count is None, "clear all outputs before saving"
    assert file.read_text(encoding="utf-8") == nbformat.writes(notebook) + "\n", "one line of source a line"
    assert set(notebook.metadata) == {"kernelspec", "language_info"} and notebook.metadata.language_info == {
        "name": "python"
    }
    assert notebook.cells[0].cell_type == "markdown" and len(_code(notebook)) <= 12
    assert sorted(set(_names(_parameters(notebook).source))) == sorted(set(_names(SMALLEST[name][0])))


@pytest.mark.parametrize("name", SMALLEST)
def test_a_notebook_has_no_logic_of_its_own(name):
    for cell in _code(nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)):
        code = cell.source.removeprefix("%%capture\n")
        for node in ast.walk(ast.parse(code)):
            own = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.If, ast.While, ast.Try)
            assert not isinstance(node, own), f"line {node.lineno} of {cell.id}: this belongs into the package"
