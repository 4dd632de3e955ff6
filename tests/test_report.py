"""Reports: what is averaged, what is refused, what stands beside the paper. Made-up run directories; nothing is run."""

import csv
import importlib
import json
import os
import re
import statistics
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image
from rich.console import Console

from lipdip.cli import report_command as report
from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of, run
from lipdip.core.dotted import value
from lipdip.reports import exhibits
from lipdip.reports.averaging import drawn
from lipdip.reports.drawing import _figure
from lipdip.reports.exhibit import Exhibit
from lipdip.reports.exhibit_tables import columns, csv_of, markdown_of, notes
from lipdip.reports.exhibits.everything import DRAWN, NOT_DRAWN, declared, named
from lipdip.reports.finished_run import FinishedRun
from lipdip.reports.gallery import Gallery
from lipdip.reports.gather import gather
from lipdip.reports.grids import Arranged, arranged
from lipdip.reports.lines import Drawn, Panel, marked
from lipdip.reports.missing import lacking, missing
from lipdip.runs.csv_tables import table_of
from lipdip.runs.directory import RunDirectory
from lipdip.runs.identity import RUN_FORMAT, flat, run_name
from lipdip.runs.rows import Round
from lipdip.tasks import read_rounds
from lipdip.tasks.restoration import CurveRow, RoundRow

from .conftest import TINY, resealed

FOUR = (30.0, 30.5, 29.0, 20.0)
REAL = experiment_of(compose(*TINY, "pruner=imp"))  # what a run writes down of itself, of which made-up ones are copies
PRUNER = {name: item for name, item in REAL.configuration["pruner"].items() if name != "name"}
KINDS = {"classify": "classification", "compressive_sensing": "recovery"}  # and restoration


def made(output: Path, label: str, scores: Sequence[float] = FOUR, seed: int = 0, **change: Any) -> Path:
    """A run directory as a run leaves it; ``change`` replaces parts of its configuration, by dotted name.

    ``label`` stands for a stopping rule, which changes no number, and gives each of equal runs a name of its own.
    """
    science: dict[str, Any] = {**deepcopy(dict(REAL.configuration)), "seed": seed}
    config: dict[str, Any] = {
        "protocol": {"name": "quick"},
        "ticket": {"path": None, "round": None, "init": "original"},
    }
    typed: dict[str, list[str]] = {}
    for place, item in change.items():
        tree, *parts = place.split("__")
        target: Any = {"science": science, "config": config, "overrides": typed}[tree]
        for part in parts[:-1]:
            target = target[int(part) if part.isdecimal() else part]
        target[parts[-1]] = item
    if isinstance(science["pruner"], dict):
        science["pruner"]["stop"] = label
    kind = KINDS.get(science["task"]["name"], "restoration")
    start = change.get("config__start", 0)
    rows = [
        _row(kind, number, 1 - 0.8 ** (number + start), score, score >= scores[0])
        for number, score in enumerate(scores)
    ]
    identity = asked(science)
    name = run_name(identity)
    (output / "runs").mkdir(parents=True, exist_ok=True)
    with RunDirectory(output / "runs" / name) as run:
        run.write("config.yaml", yaml.safe_dump({**science, **config}))
        if typed:
            run.write("overrides.yaml", yaml.safe_dump(typed["words"]))
        run.write_table("rounds.csv", type(rows[0]), rows)
        end = science["fit"]["steps"]
        steps = [CurveRow(row.round, "bird", step, 0.1, step / 10, step / 20, 0.5) for row in rows for step in (1, end)]
        run.write_table("curves.csv", CurveRow, steps)
        run.write("layers.csv", "round,layer,density\n" + "".join(f"{row.round},a,0.5\n" for row in rows))
        run.write("rounds.png", b"")
        for row in rows:
            run.write(f"tickets/round_{row.round:02d}.safetensors", b"")
        summary = {
            **{"run": name, "kind": kind, "identity": identity, "configuration": science},
            **{"picture": "bird", "files": [], "rounds": len(rows)},
            **{"first": asdict(rows[0]), "last": asdict(rows[-1]), "hardware": "CPU, 2 threads"},
            **{"scored": {"picture": "average"}, "versions": {"lipdip": "0.1.0"}},
        }
        run.finish(summary)
    (output / "runs" / name / "images").mkdir()
    first = "restored_ticket" if start else "restored_dense"
    for file in ("clean", "measured", first, "restored_matching", "restored_last"):
        _, height, width = science["image"][0]["shape"]
        noise = np.random.default_rng(len(file) + seed).integers(0, 256, (height, width, 3), np.uint8)
        Image.fromarray(noise).save(output / "runs" / name / "images" / f"{file}.png")
    return output / "runs" / name


def _row(kind: str, number: int, sparsity: float, score: float, matching: bool) -> Round:
    """A row of ``rounds.csv`` as runs of that kind have it, with one score in the place of all."""
    row: type[Round] = importlib.import_module(f"lipdip.tasks.{kind}").RoundRow
    values: dict[str, Any] = dict.fromkeys(("psnr_best", "psnr_last", "psnr_ema", "psnr_stop", "psnr", "mse"), score)
    values |= {"accuracy": score, "accuracy_best": score, "accuracy_best_epoch": 1, "measurements": 10}
    values |= {"psnr_stop_gap": 0.0, "psnr_best_step": 5, "stop_step": 5, "ssim_best": 0.75, "weights_per_pixel": 1.0}
    values |= {"round": number, "sparsity": sparsity, "kept_weights": 100, "seconds": 1.0}
    values |= {"loss": 0.5 - 0.1 * number, "matching": matching}
    return row(**{one.name: values[one.name] for one in fields(row) if one.name in values})


def asked(science: dict[str, Any]) -> dict[str, Any]:
    """The identity of a made-up run: the real one's, with what is otherwise by dotted name."""
    real, own = dict(flat(REAL.configuration)), dict(flat(science))
    kept = {name: item for name, item in REAL.identity.items() if name in own or value(science, name) is not None}
    return {**kept, **{name: item for name, item in own.items() if name not in real or real[name] != item}}


def lined(output: Path, name: str = "fig3") -> Drawn:
    exhibit = named(name)
    assert isinstance(exhibit, Exhibit)
    return drawn(exhibit, gather([output]).runs)


def panels(output: Path, name: str = "fig3") -> tuple[Panel, ...]:
    return lined(output, name).panels


def hung(output: Path, name: str = "fig2") -> Arranged:
    gallery = named(name)
    assert isinstance(gallery, Gallery)
    return arranged(gallery, gather([output]).runs)


def used(output: Path, name: str, found: str, scores: Sequence[float] = (25.0,), seed: int = 0, **change: Any) -> Path:
    """A run that starts from the ticket after round 2 of the run labelled ``found``."""
    path = f"/elsewhere/runs/{labelled(output, found).name}/tickets/round_02.safetensors"
    ticket = {"path": path, "round": None, "init": "original"}
    own = {"mask": found, "weights": f"w{seed}", "init": "original"}
    start = {"science__pruner": None, "science__ticket": own, "config__ticket": ticket, "config__start": 2}
    return made(output, name, scores, seed, **{**start, **change})


def by_pruner(name: str, **more: Any) -> dict[str, Any]:
    return {"science__pruner": {**PRUNER, "name": name, **more}}


def labelled(output: Path, label: str) -> Path:
    (found,) = (run.path for run in gather([output]).runs if run.at("pruner.stop") == label)
    return found


def labels(runs: Sequence[FinishedRun]) -> set[str]:
    return {str(run.at("pruner.stop")) for run in runs}


def whys(output: Path) -> list[str]:
    return [one.why for one in gather([output]).refused]


def test_means_and_spreads_are_of_seeds_of_one_configuration(tmp_path: Path) -> None:
    scores = ([30.0, 29.0], [31.0, 27.0], [33.5, 28.5])
    for seed, own in enumerate(scores):
        made(tmp_path, f"a{seed}", own, seed)
    (panel,) = panels(tmp_path)
    (line,) = panel.lines
    assert [spot.x for spot in line.spots] == pytest.approx([0, 0.2]) and line.name == "IMP"
    for place, spot in enumerate(line.spots):
        values = [own[place] for own in scores]
        assert spot.entry.mean == pytest.approx(sum(values) / 3)
        assert spot.entry.spread == pytest.approx(statistics.stdev(values)) and spot.entry.count == 3


def test_runs_that_differ_in_more_than_the_seed_stand_apart(tmp_path: Path) -> None:
    made(tmp_path, "a", [30.0, 29.0])
    made(tmp_path, "b", [20.0, 19.0], 1, science__pruner={**PRUNER, "name": "imp", "rate": 0.1})
    made(tmp_path, "c", [10.0, 9.0], 2, science__image__0__shape=[3, 64, 64])
    made(tmp_path, "d", [15.0, 14.0], 2, science__fit__steps=99)
    found = panels(tmp_path)
    assert [panel.title.removeprefix("denoise noise 25/255, bird ") for panel in found] == [
        "32x32; fit.steps=12",
        "32x32; fit.steps=99",
        "64x64",
    ]
    pair, *_ = found
    assert {line.name: line.spots[0].entry.mean for line in pair.lines} == {
        "IMP (pruner.rate=0.2)": 30.0,
        "IMP (pruner.rate=0.1)": 20.0,
    }


def test_hardware_tells_runs_apart_but_its_threads_do_not(tmp_path: Path) -> None:
    for seed, hardware in enumerate(("CPU, 1 threads", "CPU, 2 threads", "GPU, bf16")):
        file = made(tmp_path, f"a{seed}", seed=seed) / "summary.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "hardware": hardware}))
        resealed(file.parent)
    assert sorted(line.seeds for panel in panels(tmp_path) for line in panel.lines) == [1, 2]


def test_a_degradation_that_follows_the_seed_is_not_mixed_with_one_that_is_fixed(tmp_path: Path) -> None:
    for seed in (0, 1, 2):
        made(tmp_path, f"fixed{seed}", [30.0 + seed], seed)
    for seed in (1, 2):
        made(tmp_path, f"own{seed}", [20.0 + seed], seed, science__task__seed=seed)
    made(tmp_path, "quirk", **by_pruner("imp", input_convs_stay_dense=True))
    (panel,) = panels(tmp_path, "audit")
    assert {line.name: round(line.spots[0].entry.mean, 3) for line in panel.lines if line.series == "IMP"} == {
        "IMP (task.seed=0)": 31.0,
        "IMP (task.seed=seed)": round((30.0 + 21 + 22) / 3, 3),
    }


def test_one_degraded_picture_is_compared_and_only_the_audit_shows_others(tmp_path: Path) -> None:
    """Noise of each seed stands in where there is nothing else."""
    for seed in (0, 1):
        made(tmp_path, f"fixed{seed}", [30.0 + seed], seed)
        made(tmp_path, f"snip{seed}", [25.0 + seed], seed, **by_pruner("snip"), science__task__seed=seed)
    made(tmp_path, "own1", [20.0], 1, science__task__seed=1)
    (panel,) = panels(tmp_path)
    assert [(line.name, line.spots[0].entry.mean) for line in panel.lines] == [("IMP", 30.5), ("SNIP", 25.5)]


def test_two_fixed_degradations_are_not_one_that_follows_the_seed(tmp_path: Path) -> None:
    for seed in (0, 1):
        for noise in (0, 1):
            made(tmp_path, f"s{seed}n{noise}", [30.0 + seed + 10 * noise], seed, science__task__seed=noise)
    (panel,) = panels(tmp_path)
    assert {line.name: line.spots[0].entry.mean for line in panel.lines} == {
        "IMP (task.seed=0)": 30.5,
        "IMP (task.seed=1)": 40.5,
    }


def test_a_line_is_pale_where_seeds_have_ended(tmp_path: Path) -> None:
    made(tmp_path, "a0", FOUR)
    made(tmp_path, "a1", FOUR[:2], 1, **by_pruner("imp", stop=2))
    found = lined(tmp_path)
    (axes,) = _figure(found, found.panels).axes
    pale, full = axes.get_lines()
    assert pale.get_alpha() and len(pale.get_xdata()) == 4
    assert list(np.isnan(np.asarray(full.get_ydata()))) == [False, False, True, True]
    assert "n=1 to 2, pale below 2" in str(full.get_label()).replace("\n", " ")


def test_a_ticket_alone_is_drawn_at_its_sparsity_and_a_dense_network_as_a_level(tmp_path: Path) -> None:
    made(tmp_path, "d")
    made(tmp_path, "c", science__task=CLASSIFY)
    made(tmp_path, "dense", [26.0], science__pruner=None)
    used(tmp_path, "own", "d", [25.0, 24.0])
    used(tmp_path, "other", "c", [23.0])
    found = lined(tmp_path, "fig6")
    (axes,) = _figure(found, found.panels).axes
    ends = {tuple(np.round(np.asarray(line.get_xdata(), float), 3)) for line in axes.get_lines()}
    assert ends == {(0.0, 1.0), (0.36, 0.488), (0.36,)}


def test_tickets_of_a_seed_each_are_averaged_and_named_by_where_they_were_found(tmp_path: Path) -> None:
    for seed in (0, 1):
        denoised = made(tmp_path, f"f{seed}", seed=seed)
        inpainted = made(tmp_path, f"g{seed}", seed=seed, science__task={"name": "inpaint", "keep": 0.5, "seed": 0})
        for found, score in ((denoised, 25.0), (inpainted, 27.0)):
            mask = {"mask": f"{found.name}{seed}", "weights": f"w{seed}", "init": "original"}
            path = f"/elsewhere/runs/{found.name}/tickets/round_02.safetensors"
            ticket = {"path": path, "round": None, "init": "original"}
            made(
                *(tmp_path, f"{found.name}on{seed}", [score + seed], seed),
                **{"science__pruner": None, "science__ticket": mask, "config__ticket": ticket, "config__start": 2},
            )
    (panel,) = panels(tmp_path, "fig5")
    assert [(line.name, line.spots[0].entry.mean, line.seeds) for line in panel.lines] == [
        ("found by denoise", 25.5, 2),
        ("found by inpaint", 27.5, 2),
    ]


CLASSIFY = {"name": "classify", "seed": 0}


def test_denoising_and_classification_each_have_dense_network_and_both_tickets(tmp_path: Path) -> None:
    """Other denoising, and tickets of other restorations, are Fig. 5's alone."""
    made(tmp_path, "d")
    made(tmp_path, "c", science__task=CLASSIFY)
    for name, task in (("denoise", {}), ("classify", {"science__task": CLASSIFY})):
        made(tmp_path, f"{name}_dense", [26.0], science__pruner=None, **task)
        used(tmp_path, f"{name}_d", "d", **task)
        used(tmp_path, f"{name}_c", "c", **task)
    noisier = {"science__task": {"name": "denoise", "sigma": 50, "seed": 0}}
    made(tmp_path, "noisier", [20.0], science__pruner=None, **noisier)
    used(tmp_path, "noisier_d", "d", **noisier)
    made(tmp_path, "i", science__task={"name": "inpaint", "keep": 0.5, "seed": 0})
    used(tmp_path, "denoise_i", "i")
    found = panels(tmp_path, "fig6")
    assert [panel.task for panel in found] == ["classify", "denoise"]
    for panel in found:
        assert [line.name for line in panel.lines] == ["dense", "found by denoise", "found by classify"]


def _truncated(run: Path) -> None:
    text = (run / "rounds.csv").read_text()
    (run / "rounds.csv").write_text(text[:-30])


def _without_a_round(run: Path) -> None:
    lines = (run / "rounds.csv").read_text().splitlines(keepends=True)
    (run / "rounds.csv").write_text("".join(lines[:-1]))


def _replaced(file: str, old: str, new: str) -> Any:
    def damage(run: Path) -> None:
        text = (run / file).read_text()
        assert old in text
        (run / file).write_text(text.replace(old, new))

    return damage


def _forged(part: str, name: str, item: Any) -> Any:
    """A summary of which one value was changed."""

    def damage(run: Path) -> None:
        summary = json.loads((run / "summary.json").read_text())
        summary[part][name] = item
        (run / "summary.json").write_text(json.dumps(summary))

    return damage


def _unfinished(run: Path) -> None:
    (run / "summary.json").unlink()


def _foreign(run: Path) -> None:
    for file in run.rglob("*"):
        file.is_file() and file.unlink()


DAMAGE = {
    "cut off": (_truncated, "cannot read the rounds"),
    "a round is missing": (_without_a_round, "has 3 rounds"),
    "no summary": (_unfinished, "not finished: it has no summary.json"),
    "NaN": (_replaced("rounds.csv", "30.5", "nan"), "psnr_best of round 1 is nan"),
    "infinite": (_replaced("rounds.csv", "30.5", "inf"), "psnr_best of round 1 is inf"),
    "no number": (_replaced("rounds.csv", "30.5", "thirty"), "cannot read the rounds"),
    "another end": (_replaced("rounds.csv", "0.488", "0.588"), "in summary.json"),
    "sparsity falls": (_replaced("rounds.csv", "0.36,", "0.1,"), "does not rise"),
    "older": (_replaced("summary.json", f'"format": {RUN_FORMAT}', '"format": 1'), "of run format 1"),
    "summary is no JSON": (_replaced("summary.json", "{", "["), "summary.json cannot be read"),
    "renamed": (_replaced("summary.json", '"run": "', '"run": "0'), "another run's"),
    "config is no YAML": (_replaced("config.yaml", "protocol:", "{protocol"), "config.yaml cannot be read"),
    "no ticket": (lambda run: (run / "tickets" / "round_02.safetensors").unlink(), "it has no tickets/round_02"),
    "foreign": (_foreign, "no run directory"),
    "another identity": (_forged("identity", "seed", 7), "its name was made from another identity"),
    "another seed": (_forged("configuration", "seed", 7), "seed="),
    "overrides are no YAML": (lambda run: (run / "overrides.yaml").write_text("{["), "overrides.yaml cannot be read"),
    "another run's settings": (_replaced("config.yaml", "name: imp", "name: snip"), "pruner.name is not the same in"),
    "no versions": (_replaced("summary.json", '"versions": {', '"versions": 1, "other": {'), "has no versions"),
    "a list": (lambda run: (run / "summary.json").write_text("[]"), "summary.json holds no summary"),
    "endless": (lambda run: (run / "summary.json").write_text("[" * 100_000), "summary.json cannot be read"),
    "huge": (_replaced("rounds.csv", ",29,", ",1e308,"), "is 1e+308"),
    "no sparsity": (_replaced("rounds.csv", "2,0.36,", "2,1.36,"), "is not between 0 and 1"),
    "no column": (_replaced("rounds.csv", "ssim_best", "ssim"), "it has no column ssim_best"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_runs_are_refused_and_change_no_mean(tmp_path: Path, kind: str) -> None:
    damage, why = DAMAGE[kind]
    made(tmp_path, "a0")
    made(tmp_path, "a1", [10 + score for score in FOUR], 1)
    before = panels(tmp_path)
    damage(made(tmp_path, "bad", FOUR, 2))
    (told,) = whys(tmp_path)
    assert why in told and "\n" not in told
    assert panels(tmp_path) == before and before[0].lines[0].seeds == 2


def test_a_directory_whose_name_is_no_text_can_be_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path, "a0")
    for name in (b"\xff\x1b[31m", b"two\nlines"):
        (tmp_path / "runs" / os.fsdecode(name)).mkdir()
    assert report.main(["all", "--from", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2 and all(line.isprintable() and "no run directory" in line for line in told)
    assert "two\\nlines: no run directory" in (tmp_path / "out" / "index.html").read_text()


def test_damaged_curves_leave_a_run_out_of_learning_curves_alone(tmp_path: Path) -> None:
    made(tmp_path, "a0")
    damaged = made(tmp_path, "a1", seed=1)
    (damaged / "curves.csv").write_text("round,step\n0,x\n")
    resealed(damaged)
    found = lined(tmp_path, "fig11")
    assert [one.path.name for one in found.refused] == [damaged.name] and found.panels[0].lines[0].seeds == 1
    assert panels(tmp_path)[0].lines[0].seeds == 2


@pytest.mark.parametrize(("gone", "why"), [(1, "ends round 3 at step 1 of 12"), (2, "has no step of round 3")])
def test_curves_without_their_end_are_refused(tmp_path: Path, gone: int, why: str) -> None:
    made(tmp_path, "a0")
    damaged = made(tmp_path, "a1", seed=1) / "curves.csv"
    damaged.write_text("".join(damaged.read_text().splitlines(keepends=True)[:-gone]))
    resealed(damaged.parent)
    found = lined(tmp_path, "fig11")
    assert [(one.exhibit, why in one.why) for one in found.refused] == [("fig11", True)]
    assert {line.seeds for panel in found.panels for line in panel.lines} == {1}


def test_learning_curves_say_whether_the_output_or_its_average_is_judged(tmp_path: Path) -> None:
    inpainted = made(tmp_path, "i", science__task={"name": "inpaint", "keep": 0.5, "seed": 0})
    _replaced("summary.json", '"picture": "average"', '"picture": "output"')(inpainted)
    resealed(inpainted)
    made(tmp_path, "d")
    found = lined(tmp_path, "fig11")
    units = {panel.task: found.exhibit.axes.y[panel.facet] for panel in found.panels if panel.facet != "SSIM"}
    assert units == {"denoise": "PSNR of the averaged output in dB", "inpaint": "PSNR of the output in dB"}
    assert all(unit in csv_of(found) and unit in markdown_of(found) for unit in units.values())


def test_the_csv_has_every_point_with_its_own_runs_and_the_table_says_what_it_leaves_out(tmp_path: Path) -> None:
    short = made(tmp_path, "short", FOUR[:2], 1, **by_pruner("imp", stop=2))
    whole = made(tmp_path, "whole")
    found = lined(tmp_path)
    cells = list(csv.DictReader(csv_of(found).splitlines()))
    assert [cell["column"][:5] for cell in cells] == ["0", "0.2", "0.36", "0.488"]
    assert [set(cell["runs"].split()) for cell in cells] == 2 * [{short.name, whole.name}] + 2 * [{whole.name}]
    assert "| sparsity | 0 | 0.2 | 0.36 |" in markdown_of(found)
    assert "The table shows 3 of 4 columns; the CSV has all." in markdown_of(found)


def recovered(output: Path, outliers: float) -> None:
    """A dense recovery of compressive sensing, and one by a generator's mask after round 1."""
    made(output, "found", FOUR[:2])
    task = {"name": "compressive_sensing", "outliers": outliers, "seed": 0}
    fit = {"objective": "median_of_means", "steps": 12}
    change = {"science__task": task, "science__fit": fit, "science__pruner": None}
    made(output, "dense", [0.1725], **change)
    path = f"/elsewhere/runs/{labelled(output, 'found').name}/tickets/round_01.safetensors"
    ticket = {"config__ticket": {"path": path, "round": None, "init": "original"}, "config__start": 1}
    made(output, "masked", [0.0844], **change, **ticket, science__ticket={"mask": "m"})


def test_the_papers_numbers_stand_beside_its_own_problem_and_a_dense_start_is_compared(tmp_path: Path) -> None:
    recovered(tmp_path / "own", 0.02)
    found = lined(tmp_path / "own", "table1")
    text = markdown_of(found)
    assert re.search(r"IMP, mask on pretrained weights: difference \| \+0.1000 \| \+0.0100 \|", text)
    recovered(tmp_path / "other", 0.05)
    found = lined(tmp_path / "other", "table1")
    text = markdown_of(found)
    assert ": the paper's" not in text and "The paper has no numbers of this problem" in text and not missing(found)


def test_dots_have_the_papers_values_beside_them(tmp_path: Path) -> None:
    made(tmp_path, "a", FOUR[:1])
    found = lined(tmp_path, "table3")
    (axes,) = _figure(found, found.panels).axes
    crosses = [list(line.get_xdata()) for line in axes.get_lines() if line.get_marker() == "x"]
    assert crosses == [[30.35]]


def test_runs_that_go_on_longer_are_of_one_line(tmp_path: Path) -> None:
    """The rounds before are the same, and count once; runs to an exact sparsity leave the ladder, and are Table 4's."""
    for seed in (0, 1):
        made(tmp_path, f"short{seed}", FOUR[:2], seed, **by_pruner("imp", rounds=1, empty_layers="stop"))
        made(tmp_path, f"long{seed}", FOUR, seed, **by_pruner("imp", empty_layers="keep_one"))
        made(tmp_path, f"snip{seed}", [30.0, 25.0], seed, **by_pruner("snip", rounds=1))
        made(tmp_path, f"to{seed}", [30.0, 24.0], seed, **by_pruner("snip", rounds=2, sparsity=0.2))
    (panel,) = panels(tmp_path)
    assert [(line.name, len(line.spots)) for line in panel.lines] == [("IMP", 4), ("SNIP", 2)]
    assert all(spot.entry.count == 2 for line in panel.lines for spot in line.spots)


def test_the_same_run_in_two_places_counts_once(tmp_path: Path) -> None:
    made(tmp_path, "a0")
    made(tmp_path / "again", "a0")
    gathered = gather([tmp_path])
    assert len(gathered.runs) == 1 and gathered.again == 1


def test_a_second_directory_of_a_run_with_other_numbers_is_refused(tmp_path: Path) -> None:
    """The name of a run tells neither its hardware nor its precision."""
    first = made(tmp_path, "a0")
    made(tmp_path / "again", "a0", [30.0, 30.5, 29.0, 20.1])
    gathered = gather([tmp_path])
    ((path, why),) = ((one.path.parent.parent, one.why) for one in gathered.refused)
    assert path == tmp_path / "again" and f"holds other numbers than {first}" in why
    assert len(gathered.runs) == 1 and gathered.again == 0


def test_means_over_runs_of_different_versions_say_so(tmp_path: Path) -> None:
    for seed, torch in enumerate(("2.4.0", "2.5.0", "2.5.0")):
        run = made(tmp_path, f"a{seed}", seed=seed)
        _replaced("summary.json", '"lipdip": "0.1.0"', f'"lipdip": "0.1.0", "torch": "{torch}"')(run)
        resealed(run)
    found = lined(tmp_path)
    told = "Runs of different versions are averaged: lipdip 0.1.0, torch 2.4.0; lipdip 0.1.0, torch 2.5.0."
    assert told in notes(found, found.panels[0])
    run = labelled(tmp_path, "a0")
    _replaced("summary.json", "2.4.0", "2.5.0")(run)
    resealed(run)
    found = lined(tmp_path)
    assert not any("versions" in note for note in notes(found, found.panels[0]))


def test_tickets_are_tested_against_the_dense_network_of_their_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def table(seeds: Sequence[int]) -> tuple[list[dict[str, str]], str]:
        for seed in seeds:  # dense networks differ far more between seeds than tickets from their own
            dense = 30.0 + seed
            made(tmp_path, f"a{seed}", [dense, dense - 0.01 * (seed % 2), dense - 0.3 - 0.01 * seed, dense + 0.5], seed)
        assert report.main(["table", "fig3", "--from", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
        cells = list(csv.DictReader((tmp_path / "out/fig3.csv").read_text().splitlines()))
        return [cell for cell in cells if cell["series"] == "IMP"], (tmp_path / "out/fig3.md").read_text()

    cells, text = table(range(3))
    assert {cell["verdict"] for cell in cells[1:]} == {"not tested"} and "not tested with fewer than 5 seeds" in text
    cells, text = table(range(3, 6))
    assert [cell["verdict"] for cell in cells] == ["", "matching", "not matching", "not tested"]  # after a failure
    gap = -0.005
    assert float(cells[1]["gap"]) == pytest.approx(gap) and gap - 0.1 < float(cells[1]["gap_lower"]) < gap
    assert "IMP: against dense" in text and "(not matching)" in text and "one-sided 95% lower bound" in text


def test_a_dense_network_that_does_not_overfit_is_said_not_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, word = made(tmp_path, "a0", [30.0, 29.0]), "overfitting regime"
    assert report.main(["table", "fig3", "--from", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    assert word not in (tmp_path / "out/fig3.md").read_text() + (tmp_path / "out/fig3.csv").read_text()
    rows = run / "rounds.csv"
    rows.write_text(table_of(RoundRow, [replace(row, steps=5) for row in read_rounds(run)]))  # whose best step is 5
    _replaced("summary.json", '"steps": 0', '"steps": 5')(run)
    resealed(run)
    assert report.main(["table", "fig3", "--from", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    assert report.main(["all", "--from", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    for file in ("fig3.md", "fig3.csv", "index.html"):
        assert word in (tmp_path / "out" / file).read_text().lower().replace("&#x27;", "'"), file


def test_a_table_stands_beside_the_paper(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in (0, 1):
        made(tmp_path, f"i{seed}", [31.06 + seed, 30.0], seed, **by_pruner("imp", sparsity=0.2))
        made(tmp_path, f"s{seed}", [30.0, 29.0], seed, **by_pruner("synflow", sparsity=0.2))
    out = tmp_path / "report"
    assert report.main(["table", "table4", "--from", str(tmp_path), "--out", str(out)]) == 0
    cells = list(csv.DictReader((out / "table4.csv").read_text().splitlines()))
    dense = next(cell for cell in cells if cell["series"] == "IMP" and cell["column"] == "0")
    assert (dense["mean"], dense["seeds"], dense["paper"], dense["difference"]) == ("31.56", "2", "31.06", "0.5")
    text = (out / "table4.md").read_text()
    assert "| IMP, n=2 | 31.56 ± 0.71 |" in text and "+0.50" in text and "not directly comparable" in text
    assert "nothing after sparsity 0.200: SynFlow, IMP" in text and "experiment=table4" in text
    assert "2 of 3 seeds" in text


def pictured(output: Path, picture: str, scores: Sequence[float], seed: int = 0, **change: Any) -> Path:
    """A run of one picture, which ships with lipdip unless the configuration names a file."""
    change = {**change, "science__image__0__sha256": picture * 64}
    size = change.get("config__image", {}).get("size", "")
    run = made(output, f"{picture}s{seed}{size}", scores, seed, **change)
    file = run / "summary.json"
    file.write_text(file.read_text().replace('"picture": "bird"', f'"picture": "{picture}"'))
    return resealed(run)


@pytest.mark.parametrize(
    ("pictures", "mean", "count", "why"),
    [
        (("ABC", "ABD"), 20.0, 1, "seed 1 is left out, because it lacks C 32x32"),
        (("AB", "A"), 15.0, 1, "seed 1 is left out, because it lacks B 32x32"),
        (("ABCD", "AB", "AB"), 15.0, 3, "left out, because other seeds lack them: C 32x32, D 32x32"),
    ],
)
def test_means_over_pictures_are_over_the_same_ones_in_every_seed(
    tmp_path: Path, pictures: Sequence[str], mean: float, count: int, why: str
) -> None:
    for seed, names in enumerate(pictures):
        for name in names:
            pictured(tmp_path, name, [{"A": 10.0, "B": 20.0, "C": 30.0, "D": 90.0}[name]], seed)
    found = lined(tmp_path, "table5")
    (((spot,),),) = (tuple(line.spots for line in panel.lines) for panel in found.panels)
    assert (spot.entry.mean, spot.entry.count) == (mean, count)
    assert why in missing(found)[0]


def test_runs_that_are_averaged_with_more_seeds_make_no_line_of_their_own(tmp_path: Path) -> None:
    """Where the noise follows the seed there is one picture only, so that but the first seed's mean would be left."""
    for seed in (0, 1):
        for name in ("A", "B"):
            pictured(tmp_path, name, [10.0 + seed], seed)
    pictured(tmp_path, "A", [90.0], 1, science__task__seed=1)
    ((line,),) = (panel.lines for panel in panels(tmp_path, "table5"))
    assert line.name == "IMP" and line.spots[0].entry.mean == 10.5


def test_pictures_are_pooled_whatever_their_shape_but_not_at_several_sizes(tmp_path: Path) -> None:
    """Set12 has pictures of 256 and of 512 pixels; a picture brought to 32 and to 64 pixels is another task each."""
    for size, score in ((32, 30.0), (64, 20.0), (None, 10.0)):
        config = {"size": size or "auto", "pictures": {}}
        for number, name in enumerate(("A", "B")):
            shape = [3, size or 256, size or 256 * (number + 1)]
            change = {"science__image__0__shape": shape, "config__image": config}
            pictured(tmp_path, name, [score + number], **change)
    found = panels(tmp_path, "table5")
    assert [(panel.lines[0].spots[0].entry.mean, panel.lines[0].pictures) for panel in found] == [
        (10.5, ("A 256x256", "B 256x512")),
        (30.5, ("A 32x32", "B 32x32")),
        (20.5, ("A 64x64", "B 64x64")),
    ]


def test_each_run_lies_on_one_line_whole(tmp_path: Path) -> None:
    """Two runs of one seed whose numbers differ are two lines, also where one of them goes on further."""
    made(tmp_path, "a", [30.0, 29.0])
    made(tmp_path, "b", [30.1, 29.1, 28.1, 27.1], **by_pruner("imp", rounds=4))
    (panel,) = panels(tmp_path)
    assert {line.name: [spot.entry.mean for spot in line.spots] for line in panel.lines} == {
        "IMP (again, 1)": [30.0, 29.0],
        "IMP": [30.1, 29.1, 28.1, 27.1],
    }


PUBLISHED = {
    **{"config__protocol": {"name": "paper"}, "science__image__0__shape": [3, 512, 512]},
    "science__model": {"_target_": "lipdip.networks.Hourglass", "channels": 128, "scales": 5},
    "science__fit": {"steps": 3000, "lr": 0.01, "weight_noise": 0, "code": "fixed", "reg_noise_std": 1 / 30},
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, "Ours have that setting."),
        ({"science__model__channels": 4}, "Ours differ (model.channels=4): not directly comparable."),
        ({"science__fit__lr": 0.1}, "Ours differ (fit.lr=0.1): not directly comparable."),
        ({"science__task__sigma": 50}, "Ours differ (task.sigma=50): not directly comparable."),
        ({"science__pruner__rate": 0.1}, "Ours differ (pruner.rate=0.1): not directly comparable."),
        ({"science__image__0__shape": [3, 32, 32]}, "Ours differ (F16_GT 32x32): not directly comparable."),
    ],
)
def test_the_papers_setting_is_more_than_the_protocols_name(tmp_path: Path, change: Any, told: str) -> None:
    """A protocol's settings can be changed by hand."""
    for name in ("imp", "synflow"):
        own = {**PUBLISHED, **by_pruner(name, sparsity=0.36), **change}
        file = made(tmp_path, name, FOUR[:3], **json.loads(json.dumps(own))) / "summary.json"
        file.write_text(file.read_text().replace('"picture": "bird"', '"picture": "F16_GT"'))
        resealed(file.parent)
    found = lined(tmp_path, "table4")
    *_, note = notes(found, found.panels[0])
    assert note.endswith(told)


def test_a_set_of_pictures_is_averaged_within_each_seed_first(tmp_path: Path) -> None:
    """And only where all of its pictures are: one goes on for a round more."""
    for seed in (0, 1):
        for picture, score in (("01", 30.0), ("02", 34.0)):
            name, read = f"p{picture}s{seed}", {"p": {"path": f"data/set12/{picture}.png"}}
            scores = [score + seed, score + seed - 1][: 2 if picture == "01" else 1]
            run = made(tmp_path, name, scores, seed, config__image={"pictures": read})
            file = run / "summary.json"
            file.write_text(file.read_text().replace('"picture": "bird"', f'"picture": "set12_{picture}"'))
            resealed(run)
    (panel,) = panels(tmp_path, "table5")
    ((spot,),) = (line.spots for line in panel.lines)
    assert (spot.entry.mean, spot.entry.count) == (32.5, 2)
    assert spot.entry.spread == pytest.approx(statistics.stdev([32.0, 33.0]))
    (lacks,) = missing(lined(tmp_path, "table5"))
    assert "2 of 12 pictures" in lacks and panel.facet == "set12 denoise"


def test_how_far_the_ladder_would_have_to_go_is_told(tmp_path: Path) -> None:
    made(tmp_path, "a", FOUR[:2])
    assert "nothing after sparsity 0.200 (needs pruner.rounds=16): IMP" in missing(lined(tmp_path))[0]


def test_a_ladder_of_36_percent_lacks_no_sparsity_that_it_passes_by(tmp_path: Path) -> None:
    run = made(tmp_path, "a", [30.0] * 9, **by_pruner("random", listed_twice=True))
    lines = [line.split(",") for line in (run / "rounds.csv").read_text().splitlines()]
    for number, line in enumerate(lines[1:]):
        line[1] = str(1 - 0.64**number)
    (run / "rounds.csv").write_text("".join(f"{','.join(line)}\n" for line in lines))
    summary = json.loads((run / "summary.json").read_text())
    summary["last"]["sparsity"] = 1 - 0.64**8
    (run / "summary.json").write_text(json.dumps(summary))
    resealed(run)
    (told,) = missing(lined(tmp_path, "audit"))
    assert "nothing" not in told


def test_each_panel_has_the_command_that_makes_what_it_lacks(tmp_path: Path) -> None:
    """The words that all its runs were given: not what the exhibit goes over, and not of one run alone."""
    for number, name in enumerate(("astronaut", "a picture.png")):
        for seed, pruner in ((0, "imp"), (1, "imp"), (0, "snip")):
            mine = ["experiment=table3", f"image={name}", f"pruner={pruner}", f"seed={seed}", "fit.steps=20"]
            mine += ["fit.lr=0.02"] if pruner == "snip" else []
            pictured(tmp_path, "AB"[number], FOUR, seed, **by_pruner(pruner), overrides__words=mine)
    one, other = lacking(lined(tmp_path))
    command = "python -m lipdip.run -m experiment=fig3 'seed=range(0,10)'"
    assert one.command == f"{command} image=astronaut fit.steps=20 pruner.rounds=16"
    assert other.command == f"{command} 'image=a picture.png' fit.steps=20 pruner.rounds=16"


def test_without_the_words_of_a_run_the_command_is_the_experiments(tmp_path: Path) -> None:
    made(tmp_path, "a", overrides__words=["image=astronaut"])
    made(tmp_path, "b", seed=1)
    for lack in lacking(lined(tmp_path, "fig11")):
        assert lack.command == f"{named('fig11').commands} pruner.rounds=3"


def test_a_command_fixes_nothing_that_its_experiment_goes_over(tmp_path: Path) -> None:
    words = ["experiment=fig5", "task=denoise", "pruner.rounds=8", "ticket.path=/there", "image=astronaut"]
    made(tmp_path, "d", overrides__words=words)
    made(tmp_path, "i", science__task={"name": "inpaint", "keep": 0.5, "seed": 0})
    used(tmp_path, "own", "d", overrides__words=words)
    used(tmp_path, "other", "i", overrides__words=words)
    (lack,) = lacking(lined(tmp_path, "fig5"))
    assert lack.command == "python experiments/fig5.py 'seed=range(0,3)' image=astronaut"


def test_a_run_of_an_earlier_format_is_named_as_such(tmp_path: Path) -> None:
    made(tmp_path, "a")
    old = made(tmp_path, "b", seed=1)
    summary = json.loads((old / "summary.json").read_text())
    summary["configuration"]["format"] = RUN_FORMAT - 1
    del summary["identity"]
    (old / "summary.json").write_text(json.dumps(summary))
    (why,) = whys(tmp_path)
    assert f"of run format {RUN_FORMAT - 1}" in why and "lipdip 0.1.0" in why


def test_a_new_exhibit_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fig99.py").write_text(
        "from lipdip.reports.exhibit import Exhibit, Whole, over_rounds\n"
        "from lipdip.reports.selectors import by, pruner\n"
        "FIG99 = Exhibit(name='fig99', title='New', says='', wants=by('IMP'), points=over_rounds(pruner),\n"
        "    whole=Whole(series=('IMP',)))\n"
    )
    monkeypatch.setattr(exhibits, "__path__", [*exhibits.__path__, str(tmp_path)])
    assert {one.name for one in declared()} == {"fig99", *(one.name for one in (*DRAWN, *NOT_DRAWN))}


def test_exhibits_are_found_where_they_are_declared() -> None:
    """By the number in their names; tables and what has none where they say."""
    names = [exhibit.name for exhibit in DRAWN]
    assert names[:7] == ["fig2", "fig3", "fig4", "fig5", "fig6", "fig7", "table1"] and names[-1] == "audit"
    assert [name for name in names if name.startswith("table")] == [f"table{number}" for number in range(1, 6)]
    assert names.index("fig8") + 1 == names.index("table2") and names.index("table5") + 1 == names.index("fig17")


def test_sparsities_that_are_nearly_equal_share_a_column(tmp_path: Path) -> None:
    """Networks round the number of weights to prune differently; places of one line never share a column."""
    made(tmp_path, "d")
    made(tmp_path, "c", science__task=CLASSIFY)
    for start, name in ((2, "d"), (2.01, "c")):
        used(tmp_path, f"near_{name}", name, config__start=start)
    for start, name in ((20, "d"), (20.1, "c")):
        used(tmp_path, f"far_{name}", name, [24.0, 23.0], science__fit__steps=99, config__start=start)
    found = lined(tmp_path, "fig6")
    near, far = ([column.x for column in columns(found, panel)] for panel in found.panels)
    assert near == [0.361] and far == [0.989, 0.991]


def test_nothing_is_missing_between_tickets_of_any_sparsity(tmp_path: Path) -> None:
    """Where an exhibit names no sparsities, none is wanted but those that there are."""
    made(tmp_path, "d")
    made(tmp_path, "c", science__task=CLASSIFY)
    used(tmp_path, "own", "d", [25.0, 24.0])
    used(tmp_path, "other", "c", config__start=2.5)
    assert "missing" not in markdown_of(lined(tmp_path, "fig6")).partition("## Missing")[0]


def test_exact_targets_of_several_runs_make_one_line(tmp_path: Path) -> None:
    for target in (0.2, 0.4):
        pruner = {**PRUNER, "name": "synflow", "sparsity": target}
        rounds = [30.0, 29.0] if target == 0.2 else [30.0, 29.0, 28.0]
        made(tmp_path, f"s{target}", rounds, science__pruner=pruner)
    ((line,),) = (panel.lines for panel in panels(tmp_path, "table4"))
    assert [spot.entry.mean for spot in line.spots] == [30.0, 29.0, 28.0] and line.seeds == 1


def test_scores_of_fits_to_the_clean_picture_are_no_restorations(tmp_path: Path) -> None:
    """Masks found on it count where they are fitted to the degraded picture again."""
    quirks = {"target": "clean", "input_convs_stay_dense": True}
    made(tmp_path, "fair")
    found = made(
        *(tmp_path, "found", [90.0, 80.0]),
        **{"science__pruner": {**PRUNER, "name": "imp", **quirks}, "science__fit__code": "resampled"},
    )
    again = {**PRUNER, "name": "ticket", "input_convs_stay_dense": True, "ticket": ["mask"]}
    made(
        *(tmp_path, "again", [29.0, 28.0]),
        **{
            "science__pruner": again,
            "science__fit__code": "resampled",
            "config__pruner": {**again, "ticket": str(found)},
        },
    )
    (panel,) = panels(tmp_path, "audit")
    assert {line.name: line.spots[0].entry.mean for line in panel.lines} == {"IMP": 30.0, "IMP, legacy": 29.0}


@pytest.mark.parametrize(("noise", "legacy"), [(1, True), (0, False)])
def test_the_public_scripts_draw_the_noise_by_the_seed(tmp_path: Path, noise: int, legacy: bool) -> None:
    quirks = {"listed_twice": True, "input_convs_stay_dense": True}
    change = {**by_pruner("random", **quirks), "science__fit__code": "resampled", "science__task__seed": noise}
    made(tmp_path, "a", seed=1, **change)
    ((line,),) = (panel.lines for panel in panels(tmp_path, "audit"))
    assert (line.name == "random, legacy") is legacy


def test_the_list_tells_what_is_missing_and_how_to_make_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path, "a0")
    unfinished = made(tmp_path, "b0", seed=1)
    _unfinished(unfinished)
    assert report.main(["list", "--from", str(tmp_path), "--all"]) == 0
    printed = capsys.readouterr()
    for exhibit in DRAWN:
        assert exhibit.name in printed.out
    for other in NOT_DRAWN:
        assert f"{other.name:<8}" in printed.out
    assert "fig3     Finding tickets: PSNR over sparsity: 1 run, 1 seed, 1 panel, 4 s of fitting" in printed.out
    assert "no random, SNIP" in printed.out and "1 of 10 seeds: IMP" in printed.out
    assert "python -m lipdip.run -m experiment=fig3" in printed.out
    assert f"{unfinished}: not finished" in printed.err


def test_every_experiment_named_is_there() -> None:
    root = Path(__file__).parents[1]
    there = {path.stem for path in (root / "conf" / "experiment").glob("*.yaml")}
    assert {exhibit.making.experiment or exhibit.name for exhibit in DRAWN} <= there
    scripts = {exhibit.commands.split()[1] for exhibit in DRAWN if exhibit.making.two_stage}
    assert {"experiments/fig5.py", "experiments/fig12.py", "experiments/table1.py"} <= scripts
    assert all((root / script).is_file() for script in scripts)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("fig3", "python -m lipdip.run -m experiment=fig3 'seed=range(0,10)'"),
        ("fig5", "python experiments/fig5.py 'seed=range(0,3)'"),
        ("fig10", "python experiments/fig10.py"),
        ("fig2", "python -m lipdip.run -m experiment=fig3"),
        ("fig8", "python experiments/table1.py"),
        ("fig12", "python experiments/fig12.py"),
        ("fig19", "python -m lipdip.run -m experiment=fig19"),
    ],
)
def test_the_command_told_makes_what_is_missing(name: str, command: str) -> None:
    assert named(name).commands == command


def test_exhibits_come_in_the_order_of_the_paper() -> None:
    figures = [int(exhibit.name.removeprefix("fig")) for exhibit in DRAWN if exhibit.name.startswith("fig")]
    assert figures == list(range(2, 20))


def test_the_page_needs_nothing_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = made(tmp_path, "a0")
    made(tmp_path, "s0", science__pruner={**PRUNER, "name": "synflow"})
    damaged = made(tmp_path, "b0", seed=1)
    _replaced("config.yaml", "protocol:", "{<b>&")(damaged)
    out = tmp_path / "report"
    assert report.main(["all", "--from", str(tmp_path), "--out", str(out)]) == 0
    page = (out / "index.html").read_text()
    assert not re.search(r"https?://|<script|<link|@import|url\(", page)
    assert all(source.startswith("data:image/png;base64,") for source in re.findall(r'src="([^"]{40})', page))
    anchors = re.findall(r'href="([^"]+)"', page)
    assert anchors and all(anchor.startswith("#") and f'id="{anchor[1:]}"' in page for anchor in anchors)
    for told in ("32x32: bird", "0.1.0", "CPU, 2 threads", "prefers-color-scheme: dark", f"{damaged.name}: damaged"):
        assert told in page
    assert "<b>" not in page
    for name in ("fig3.png", "fig3.svg", "fig3.csv", "fig3.md", "fig2.png", "fig2.svg", "fig17.png"):
        assert (out / name).stat().st_size > 0
    assert 'id="fig2"' in page and f"Runs {whole.name}, on CPU, 2 threads." in page and not (out / "fig2.csv").exists()
    first = (out / "fig3.svg").read_bytes(), (out / "fig2.svg").read_bytes(), page
    assert report.main(["all", "--from", str(tmp_path), "--out", str(out)]) == 0
    again = (out / "fig3.svg").read_bytes(), (out / "fig2.svg").read_bytes(), (out / "index.html").read_text()
    assert again == first


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["table", "fig99"], "there is no exhibit 'fig99'; there are fig2, fig3, "),
        (["figure", "fig1"], "fig1 is not drawn here: a drawing, with nothing to measure"),
        (["table", "fig2"], "fig2 has no table: it is pictures, and report figure fig2 draws them"),
        (["figure", "fig18"], "no run belongs to fig18 yet: python -m lipdip.run -m experiment=fig18"),
        (["table", "table1"], "no run belongs to table1 yet: python experiments/table1.py 'seed=range(0,3)'"),
        (["draw"], "invalid choice: 'draw'"),
    ],
)
def test_what_cannot_be_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    made(tmp_path, "a0")
    where = ["--from", str(tmp_path), "--out", str(tmp_path / "out")] if len(arguments) > 1 else []
    assert report.main([*arguments, *where]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1 and told[0].startswith("lipdip: ") and line in told[0]


@pytest.mark.parametrize("command", [["list"], ["all"], ["table", "fig3"]])
def test_an_empty_directory_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], command: list[str]) -> None:
    (tmp_path / "runs").mkdir()
    for where, why in ((tmp_path, "there are no runs in"), (tmp_path / "nowhere", "there is no directory")):
        assert report.main([*command, "--from", str(where)]) == 2
        (told,) = capsys.readouterr().err.splitlines()
        assert told.startswith(f"lipdip: {why} {where}; python -m lipdip.run makes ")


def test_pictures_in_a_row_are_of_runs_that_differ_in_the_pruner_alone(tmp_path: Path) -> None:
    for name in ("imp", "snip", "random"):
        made(tmp_path, name, **by_pruner(name))
        made(tmp_path, f"{name}s", **by_pruner(name), science__fit__steps=99)
    made(tmp_path, "short", FOUR[:3], **by_pruner("imp", rounds=2))
    made(tmp_path, "slow", **by_pruner("imp", rate=0.1))
    made(tmp_path, "rewound", **by_pruner("imp", rewind=0.05))
    shown = [(labels(grid.runs), grid.name.partition("; ")[2]) for grid in hung(tmp_path).panels]
    assert shown == [
        ({"short"}, ""),
        ({"slow"}, "fit.steps=12, pruner.rate=0.1"),
        ({"imp", "snip", "random"}, "fit.steps=12, pruner.rate=0.2"),
        ({"imps", "snips", "randoms"}, "fit.steps=99, pruner.rate=0.2"),
    ]
    _, _, grid, _ = hung(tmp_path).panels
    assert grid.series == ("clean", "degraded", "dense", "IMP, most sparse that matches", "IMP", "SNIP", "random")
    told = {
        series: (picture.shot.score, round(picture.shot.sparsity, 3)) for (series, _), picture in grid.pictures.items()
    }
    assert told["dense"] == ("30.00 dB", 0) and told["IMP"] == ("20.00 dB", 0.488)
    assert told["IMP, most sparse that matches"] == ("30.50 dB", 0.2)
    assert any("no SNIP, random" in line for line in missing(hung(tmp_path)))


def test_spectra_are_compared_at_one_sparsity(tmp_path: Path) -> None:
    made(tmp_path, "imp")
    made(tmp_path, "random", **by_pruner("random"))
    made(tmp_path, "ended", FOUR[:3], **by_pruner("snip"))
    (grid,) = hung(tmp_path, "fig19").panels
    assert labels(grid.runs) == {"imp", "random"} and "sparsity 0.488" in grid.name
    out = tmp_path / "report"
    assert report.main(["table", "fig19", "--from", str(tmp_path), "--out", str(out)]) == 0
    rows = list(csv.DictReader((out / "fig19.csv").read_text().splitlines()))
    assert {row["series"] for row in rows} == {"clean", "dense", "IMP", "random"}
    assert len(rows) == 4 * 17 and max(float(row["cycles_per_pixel"]) for row in rows) == 0.5


def _no_picture(file: Path) -> None:
    file.unlink()


def _half(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:200])


def _other_size(file: Path) -> None:
    Image.new("RGB", (8, 8)).save(file)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (_no_picture, "there is no picture restored_last"),
        (_half, "cannot read the picture restored_last"),
        (lambda file: file.write_bytes(b""), "is not in a format that can be read"),
        (_other_size, "images/restored_last.png is 8x8"),
    ],
)
def test_a_run_with_a_damaged_picture_is_told_and_left_out(tmp_path: Path, damage: Any, why: str) -> None:
    """The other seed, which has all, stands in for it; the run's numbers are as they were."""
    for seed in (0, 1):
        made(tmp_path, f"imp{seed}", seed=seed)
        damaged = made(tmp_path, f"snip{1 - seed}", seed=1 - seed, **by_pruner("snip"))
    assert [grid.seed for grid in hung(tmp_path).panels] == [0]
    damage(damaged / "images" / "restored_last.png")
    found = hung(tmp_path)
    ((path, told),) = ((one.path.name, one.why) for one in found.refused)
    assert path == damaged.name and why in told and "\n" not in told
    assert [grid.seed for grid in found.panels] == [1] and len(panels(tmp_path)[0].runs) == 4


def test_a_run_that_one_exhibit_cannot_show_is_said_to_be_unused_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = made(tmp_path, "a0")
    (run / "images" / "clean.png").write_bytes(b"")
    (run / "curves.csv").write_text("round,step\n0,x\n")
    resealed(run)
    (whole := made(tmp_path, "b0", seed=1)).joinpath("summary.json").unlink()
    for arguments in (["list"], ["all", "--out", str(tmp_path / "out")]):
        assert report.main([*arguments, "--from", str(tmp_path)]) == 0
        whole_line, *lines = capsys.readouterr().err.splitlines()
        assert whole_line.startswith(f"lipdip: not used: {whole}: not finished")
        assert {line.partition(f": {run}: ")[0] for line in lines} == {
            "lipdip: not used in fig2, fig17",
            "lipdip: not used in fig11",
        }
    assert f"not used in fig11: {run}: " in (tmp_path / "out" / "index.html").read_text()


def test_pictures_while_the_network_learns_stand_by_steps_and_gaps_are_told(tmp_path: Path) -> None:
    found = made(tmp_path, "found")
    ticket = {"path": f"{found}/tickets/round_02.safetensors", "round": None, "init": "original"}
    for steps in (100, 200, 1000):
        made(tmp_path, f"dense{steps}", [20.0], science__pruner=None, science__fit__steps=steps)
        mask = {"mask": "m", "weights": "w", "init": "original"}
        change = {"science__ticket": mask, "config__ticket": ticket, "config__start": 2}
        if steps != 200:
            made(tmp_path, f"own{steps}", [21.0], science__pruner=None, science__fit__steps=steps, **change)
    made(tmp_path, "seed1", [20.0], 1, science__pruner=None, science__fit__steps=100)
    (grid,) = hung(tmp_path, "fig12").panels
    assert grid.places == ("100 steps", "200 steps", "1,000 steps") and grid.seed == 0
    assert grid.series == ("dense", "IMP's ticket, sparsity 0.360")
    assert {picture.run.at("fit.steps") for (_, place), picture in grid.pictures.items() if place == "1,000 steps"} == {
        1000
    }
    (told,) = missing(hung(tmp_path, "fig12"))
    assert told.endswith("IMP's ticket, sparsity 0.360 has none of 200 steps; 3 of 4 numbers of steps")
    out = tmp_path / "report"
    assert report.main(["figure", "fig12", "--from", str(tmp_path), "--out", str(out)]) == 0
    assert (out / "fig12.png").stat().st_size > 0


def test_where_the_loss_rises_is_where_the_rule_would_stop(tmp_path: Path) -> None:
    run = made(tmp_path, "a0")
    for text, other in ((",0.3,1,", ",0.6,1,"), (",0.2,1,", ",0.7,1,")):
        _replaced("rounds.csv", text, other)(run)
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps({**summary, "last": {**summary["last"], "loss": 0.7}}))
    resealed(run)
    found = lined(tmp_path, "fig13")
    places = marked(found, found.panels[0])
    assert {name: [(seed, round(x, 3)) for seed, x in where] for name, where in places.items()} == {
        "the loss rose 2 times in a row": [(0, 0.488)]
    }


def test_a_figure_of_layers_counts_in_whole_numbers_and_its_legend_covers_nothing(tmp_path: Path) -> None:
    run = made(tmp_path, "a")
    (run / "layers.csv").write_text("round,layer,density\n" + "".join(f"3,l{n},0.5\n" for n in range(3)))
    resealed(run)
    found = lined(tmp_path, "fig7")
    figure = _figure(found, found.panels)
    (axes,) = figure.axes
    figure.draw_without_rendering()
    assert all(tick == int(tick) for tick in axes.get_xticks())
    legend = axes.get_legend()
    assert legend is not None and legend.get_window_extent().y1 < axes.get_window_extent().y0


def test_tickets_of_sgld_stand_beside_the_level_of_the_dense_network(tmp_path: Path) -> None:
    for seed in (0, 1):
        made(tmp_path, f"a{seed}", [30.0 + seed, 31.0], seed, science__fit__weight_noise=0.01)
    (panel,) = panels(tmp_path, "fig16")
    assert [(line.name, len(line.spots), line.spots[0].entry.mean) for line in panel.lines] == [
        ("dense", 1, 30.5),
        ("IMP", 2, 30.5),
    ]


def test_two_seeds_from_the_command_line_to_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in (0, 1):
        for pruner in ("imp", "random"):
            words = [*TINY, "image=astronaut", "task=denoise", f"pruner={pruner}", f"seed={seed}"]
            run(compose(*words, f"paths.output_dir={tmp_path}"), Console(quiet=True))
    places = ["--from", str(tmp_path), "--out", str(tmp_path / "report")]
    assert all(report.main([*words, *places]) == 0 for words in (["table", "fig3"], ["figure", "fig3"], ["all"]))
    assert report.main(["list", "--from", str(tmp_path)]) == 0
    printed = capsys.readouterr()
    assert not printed.err and "4 runs, 2 seeds, 1 panel" in printed.out
    assert "image=astronaut task=denoise" in printed.out  # in the command for what is missing
    (panel,) = panels(tmp_path)
    assert [(line.name, line.seeds, len(line.spots)) for line in panel.lines] == [("IMP", 2, 4), ("random", 2, 4)]
    assert {"fig2.png", "fig3.png", "fig3.csv", "fig11.svg", "index.html"} <= {
        file.name for file in (tmp_path / "report").iterdir()
    }
