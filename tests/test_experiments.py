"""Every experiment's grid composes at both scales; the file of every exhibit runs whole, and draws it."""

import ast
import importlib
import os
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import hydra
import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from lipdip.cli.compose import compose, config_dir
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.reports.commands import remedy
from lipdip.reports.exhibits.everything import named
from lipdip.reports.filled import filled
from lipdip.reports.finished_run import FinishedRun
from lipdip.reports.gather import gather
from lipdip.reports.missing import missing

ROOT = Path(__file__).parents[1]
RUNS = {  # of each exhibit at scale=cpu and at scale=paper, for one seed
    **{"fig3": (9, 9), "fig4": (3, 2), "fig5": (3, 3), "fig6": (2, 4), "fig7": (3, 3), "fig9": (4, 4)},
    **{"fig10": (3, 3), "fig11": (3, 3), "fig12": (1, 1), "fig13": (3, 6), "fig14": (5, 5), "fig15": (6, 8)},
    **{"fig16": (3, 3), "fig18": (3, 3), "fig19": (3, 3)},
    **{"table1": (2, 2), "table2": (6, 6), "table3": (1, 1), "table4": (14, 14), "table5": (8, 24), "audit": (14, 14)},
}
SCALES = ("cpu", "paper")
EACH = pytest.mark.parametrize("exhibit", RUNS)
FILES = {path.stem: path for path in sorted((ROOT / "experiments").glob("*.py"))}
BEYOND = {
    "pruners": "pruners.md",
    "overlap": "finding.md",
    "outliers": "outliers.md",
}  # the paper, and what each writes
HELPERS = {"study", "dashboard"}
SMALLEST = ("seed=0", "trainer=cpu", "image.size=32", "model.channels=4", "model.scales=2", "pruner.rounds=2")
STEPS = "protocol.steps=20"
GAN = ("seed=0", "trainer=cpu", "pruner.rounds=1", "fit.steps=2", "fit.batch=4", "fit.judged=3", "fit.judging_steps=2")
RECOVERY = ("then.image=clothes/00", "then.fit.steps=2", "then.fit.restarts=1", "then.fit.record_every=1")
OWN = {  # what the smallest run of a file has instead of, or beside, the others'
    **dict.fromkeys(("table1", "outliers"), (*GAN, *RECOVERY)),
    **dict.fromkeys(("fig3", "fig13", "fig15", "audit"), (*SMALLEST, STEPS, "image=astronaut")),
    **dict.fromkeys(("fig14", "table5"), (*SMALLEST, STEPS, "image=astronaut,coffee")),
    **dict.fromkeys(("fig6", "overlap"), (*SMALLEST, STEPS, "protocol.classify.epochs=1")),
    "fig16": (*SMALLEST, "image=astronaut", "fit.steps=6", "fit.burn_in=1"),
    "table4": (*SMALLEST, STEPS, "pruner.sparsity=0.2,0.5"),
    "pruners": (*SMALLEST, STEPS, "protocol.oes_steps=4"),
}


def params(*given):
    """What Hydra's sweeper is handed beside a command line."""
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(config_dir()), version_base="1.3"):
        cfg = hydra.compose("run", list(given), return_hydra_config=True)
    return cfg.hydra.sweeper.params or {}


def cells(*given):
    """The overrides of each run that a multirun with this command line has, as Hydra's sweeper makes them."""
    swept = [f"{name}={value}" for name, value in params(*given).items()]
    overrides = OverridesParser.create().parse_overrides([*swept, *given])
    (cells,) = BasicSweeper.split_arguments(overrides, None)
    return cells


@pytest.fixture
def script(monkeypatch, capfd, tmp_path):
    """Does an exhibit's file in an empty directory: its exit code, and all that it printed."""

    def do(name, *words):
        monkeypatch.chdir(tmp_path)
        monkeypatch.syspath_prepend(ROOT / "experiments")
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *words])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(FILES[name]), run_name="__main__")
        return ended.value.code, "".join(capfd.readouterr())

    return do


@pytest.fixture
def study(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "experiments")
    return importlib.import_module("study")


def place(*overrides):
    """Where a command's run directory lies."""
    cfg = compose(*overrides)
    return Path(cfg.paths.output_dir) / "runs" / assemble(cfg).name


def data(exhibit, clothes):
    return (f"dataset.path={clothes}",) if exhibit == "table1" else ()


def test_the_exhibits_are_these():
    there = {group: {file.stem for file in (config_dir() / group).glob("*.yaml")} for group in ("experiment", "scale")}
    assert there == {"experiment": set(RUNS), "scale": set(SCALES)}


def test_without_an_experiment_nothing_changes():
    cfg = compose()
    assert not {"grid", "scale", "experiment"} & set(cfg) and cfg.protocol.name == "quick"
    assert not params() and not params("scale=paper")
    assert compose("scale=paper").protocol == compose("protocol=paper").protocol


@EACH
def test_a_grid_composes_at_both_scales(exhibit, clothes):
    small, large = cells(f"experiment={exhibit}"), cells(f"experiment={exhibit}", "scale=paper")
    assert tuple(len(set(map(tuple, found))) for found in (small, large)) == RUNS[exhibit] == (len(small), len(large))
    for cell in {tuple(small[0]), tuple(small[-1])}:
        cfg = compose(*cell, *data(exhibit, clothes))
        assert (cfg.scale, cfg.protocol.name) == ("cpu", "quick")
        assemble(cfg)
    cfg = compose(*large[-1])
    assert (cfg.scale, cfg.protocol.name) == ("paper", "paper") and OmegaConf.to_container(cfg, resolve=True)


@EACH
def test_the_number_of_runs_is_told(exhibit):
    count, _ = RUNS[exhibit]
    package, told, *_ = (config_dir() / "experiment" / f"{exhibit}.yaml").read_text().splitlines()
    assert package == "# @package _global_" and f" {count} run{'s' if count > 1 else ''}; " in told
    lines = (ROOT / "docs" / "experiments.md").read_text().splitlines()
    (row,) = (line for line in lines if line.startswith("|") and f"`python experiments/{exhibit}.py`" in line)
    assert row.split("|")[3].split(" + ")[0].strip() == str(count)


def test_the_command_line_wins():
    found = cells("experiment=fig3", "image=coffee", "seed=3")
    assert len(found) == 3 and all({"image=coffee", "seed=3"} <= set(cell) for cell in found)
    cfg = compose(*found[0], "pruner.empty_layers=stop", "fit.steps=7", "model.channels=8", "task=inpaint")
    assert list(cfg.image.pictures) == ["coffee"] and cfg.seed == 3 and cfg.pruner.empty_layers == "stop"
    assert (cfg.fit.steps, cfg.model.channels, cfg.task.name) == (7, 8, "inpaint")
    assert compose("experiment=fig16", "fit=adam").fit.weight_noise == 0
    assert compose("experiment=fig7", "paths.output_dir=elsewhere").paths.output_dir == "elsewhere"
    assert {c for cell in cells("experiment=fig16", "fit.steps=9") for c in cell if "steps" in c} == {"fit.steps=9"}


def test_the_small_scale_is_laid_over_any_protocol():
    legacy = compose("protocol=legacy", "scale=cpu")
    assert legacy.fit.code == "resampled" and (legacy.fit.steps, legacy.model.channels) == (800, 16)
    assert compose("protocol=legacy", "scale=paper").protocol.name == "legacy"


def test_every_experiment_has_its_file_and_the_other_way_round():
    assert set(FILES) - set(BEYOND) - HELPERS == set(RUNS)


@pytest.mark.parametrize("name", [name for name in FILES if name not in HELPERS])
def test_a_file_says_its_command(name):
    told = ast.get_docstring(ast.parse(FILES[name].read_text()))
    assert f"python experiments/{name}.py" in map(str.strip, told.splitlines())
    assert f"`python experiments/{name}.py`" in (ROOT / "docs" / "experiments.md").read_text()


@pytest.mark.parametrize("pruner", ["imp", "random"])
def test_all_quirks_together_are_the_legacy_protocol(pruner):
    legacy = place("protocol=legacy", "scale=cpu", f"pruner={pruner}", "pruner.empty_layers=keep_one", "seed=2")
    assert place("experiment=audit", "quirk=all", f"pruner={pruner}", "seed=2").name == legacy.name


def test_the_figures_of_one_ladder_share_its_runs():
    found = cells("experiment=fig7")
    for other in ("fig10", "fig18", "fig19"):
        assert [cell[:-1] for cell in cells(f"experiment={other}")] == [cell[:-1] for cell in found]
    both = [place(f"experiment={name}", "image=astronaut", "pruner=imp", "seed=1") for name in ("fig15", "audit")]
    assert both[0] == both[1]
    fifth, sixth, other = (
        place(f"experiment={name}", "task=denoise", "pruner.rounds=8") for name in ("fig5", "fig6", "fig14")
    )
    assert fifth == sixth == other


@pytest.mark.parametrize(
    "words",
    [
        ("experiment=fig3", "image=coffee", "seed=0,1"),
        ("experiment=fig4", "scale=paper", "seed=range(0,2)"),
        ("experiment=table4", "pruner.sparsity=0.5", "paths.output_dir='a b,c'", "seed=2"),
        ("task=gan_inpaint", "task.seed=${seed}", "seed=0,1", "seed=3"),
    ],
)
def test_a_script_does_the_runs_of_the_sweep(study, words):
    """In the order of Hydra's own sweeper; each composes its own interpolations."""
    swept = [f"{name}={value}" for name, value in params(*(word for word in words if "seed" not in word)).items()]
    (wanted,) = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides([*swept, *words]), None)
    assert [set(cell) for cell in study.cells(words)] == [set(cell) for cell in wanted]


def test_a_cell_takes_a_setting_from_its_own_seed(study):
    found = study.cells(["task.seed=${seed}", "seed=1,2"])
    assert [compose(*cell).task.seed for cell in found] == [1, 2]


def test_what_a_run_hands_on_is_its_path_its_seed_and_its_picture(study):
    run = study.Found(Path("/a b/runs/1"), ("experiment=fig7", "seed=1", "image=[a,b]", "pruner=imp"))
    (cell,) = study.cells(["seed=0,1,2", "image=c", "pruner=none", *run.hand_on("ticket.path", run.directory)])
    assert set(cell) >= {"seed=1", "pruner=none"} and "image=[a,b]" in cell
    assert compose(*(word for word in cell if not word.startswith("image="))).ticket.path == "/a b/runs/1"


@pytest.mark.parametrize(
    ("exhibit", "own"),
    [
        ("fig3", ("task=inpaint", "image=camera", "scale=cpu")),
        ("fig3", ("image=set12/03", "scale=cpu", "image.size=32", "model.channels=4", "protocol.steps=20")),
        ("fig3", ("image=file", "image.path='a picture.png'", "task.sigma=10", "fit.ema=0.9", "scale=cpu")),
        ("fig3", ("experiment=table3", "image=set5/bird", "scale=paper", "fit.steps=7", "seed=1")),
        ("fig7", ("task=super_resolution", "task.factor=2", "scale=cpu", "task.seed=3")),
        ("fig9", ("experiment=fig9", "image=coffee")),
        ("fig16", ("experiment=fig16", "image=coffee", "fit.steps=400", "fit.burn_in=280")),
        ("table2", ("task=inpaint", "image=chelsea", "scale=cpu", "image.size=null")),
    ],
)
def test_the_command_for_a_panel_has_the_settings_of_its_runs(exhibit, own):
    """Whatever experiment they came from: one of its cells is their setting, with as many rounds as are missing."""
    run = FinishedRun(Path("outputs/runs/0"), {"configuration": {}}, {}, (), own)
    words = shlex.split(remedy(named(exhibit), [run], 16))
    of_seed = [word for word in words[words.index("-m", 3) + 1 :] if not word.startswith("seed=")]
    mine = [word for word in own if not word.startswith(("seed=", "experiment="))]
    wanted = comparable(f"experiment={exhibit}", *mine, "pruner.rounds=16")
    assert wanted in [comparable(*cell) for cell in cells(*of_seed)]


def comparable(*given):
    """What decides a run's numbers, before any picture is read."""
    config = OmegaConf.to_container(compose(*given), resolve=True)
    return {name: config[name] for name in ("seed", "image", "task", "fit", "model", "pruner")}


def test_the_deep_decoder_is_not_pruned():
    decoder, hourglass = (compose("experiment=table2", f"model={name}") for name in ("deep_decoder", "hourglass"))
    assert len(assemble(decoder).kept) == 1 and len(assemble(hourglass).kept) == 11


def whole(name, script, tmp_path, clothes):
    """A file at its smallest, from its sweep to its pictures."""
    data = (f"dataset.path={clothes}",) if name in ("table1", "outliers") else ()
    code, printed = script(name, *OWN.get(name, (*SMALLEST, STEPS)), *data)
    assert code == 0, printed
    written = BEYOND.get(name, f"{name}.png")
    assert (tmp_path / "report" / written).stat().st_size > 0 and f"report/{written}" in printed
    assert name in BEYOND or not lacks(name, tmp_path / "outputs")


def lacks(name, output):
    """What an exhibit lacks that one seed, two rounds and few pictures can give."""
    shown = filled(named(name), gather([output]).runs)
    told = missing(shown)
    for panel in shown.panels:
        told = [part for line in told for part in line.removeprefix(f"{panel.name}: ").split("; ")]
    beyond = re.compile(r"\d+ of \d+ (seeds|pictures)|.* has \d+ of \d+ pictures|nothing (after|at) ")
    return [part for part in told if not beyond.match(part)]


def done(path):
    """When each finished run was finished."""
    return {run: run.stat().st_mtime_ns for run in path.glob("outputs/**/runs/*/summary.json")}


def test_a_file_runs_whole_and_its_ticket_is_used(script, tmp_path, clothes):
    whole("fig12", script, tmp_path, clothes)
    assert len(done(tmp_path)) == 1 + 4 * 2


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["pruner.round=2"], "did you mean pruner.rounds?"),
        (["scale=large"], "there is no scale=large"),
        (["jobs=many"], "jobs must be a number"),
        (["paper"], "NAME=VALUE"),
        (["=3"], "NAME=VALUE"),
        (["seed=x"], "seeds are whole numbers"),
        (["hydra/launcher=ray"], "jobs=N"),
    ],
)
def test_what_cannot_be_is_one_line(script, tmp_path, words, why):
    code, printed = script("fig9", *words)
    told = [line for line in printed.splitlines() if line.startswith("lipdip: ")]
    assert code == 2 and len(told) == 1 and why in told[0] and "Traceback" not in printed
    assert not done(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FILES if name not in HELPERS | {"fig12"}])
def test_a_file_runs_whole(name, script, tmp_path, clothes):
    whole(name, script, tmp_path, clothes)


@pytest.mark.slow
def test_what_is_done_is_found(script, tmp_path, clothes):
    whole("fig5", script, tmp_path, clothes)
    before = done(tmp_path)
    whole("fig5", script, tmp_path, clothes)
    assert before and before == done(tmp_path)


@pytest.mark.slow
def test_a_cell_that_fails_stops_no_other(script, tmp_path):
    code, printed = script("fig15", *SMALLEST, STEPS, "image=astronaut,dip/F16_GT")
    assert code == 2 and "FAILED" in printed and "Traceback" not in printed
    assert (tmp_path / "report" / "fig15.png").exists()


@pytest.mark.slow
def test_a_file_is_one_command_with_several_jobs(tmp_path):
    told = subprocess.run(
        [sys.executable, str(FILES["fig15"]), *SMALLEST, STEPS, "image=astronaut", "jobs=2"],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert told.returncode == 0 and not told.stderr, told.stderr
    assert len(done(tmp_path)) == 4 and (tmp_path / "report" / "fig15.png").exists()
