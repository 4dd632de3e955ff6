"""benchmarks/count_runs.py counts what the grids say; the other benchmarks measure, and are run by hand."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
COUNT = runpy.run_path(str(ROOT / "benchmarks" / "count_runs.py"))


def test_the_steps_of_a_sweep_are_counted():
    found = COUNT["grid"]("fig3", "image=set5/head")  # a third of it
    counted = [run for seed in (1, 2) for run in COUNT["runs"](found, seed)]
    assert len(dict(counted)) == 2 * 3 and {steps for _, steps in counted} == {17 * 3000}
    assert "| Fig. 3 | 9 | 459,000 | 4.6 million |" in (ROOT / "docs" / "scaling.md").read_text()


def test_what_does_not_decide_a_run_makes_no_second_one():
    own, other = (
        dict(COUNT["runs"](COUNT["grid"](*given), 1))
        for given in (("fig12",), ("fig3", "image=dip/F16_GT", "pruner=imp"))
    )
    assert own == other


@pytest.mark.parametrize(
    ("pruner", "rounds"),
    [
        ({"scorer": None}, 1),
        ({"scorer": {}, "sparsity": None, "rate": 0.2, "rounds": 16}, 17),
        ({"scorer": {}, "sparsity": 0.9, "rate": 0.2, "when": "initialisation"}, 2),
        ({"scorer": {}, "sparsity": 0.5, "rate": 0.2, "when": "training"}, 5),
    ],
)
def test_rounds_are_counted_with_the_dense_one(pruner, rounds):
    assert COUNT["rounds"](pruner) == rounds
