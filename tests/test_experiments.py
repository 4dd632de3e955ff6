"""Every experiment's grid composes at both scales and can be run at the small one; the scripts find its runs."""

import importlib.util
import io
import os
import subprocess
import sys
from pathlib import Path

import hydra
import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf
from rich.console import Console

from lipdip.command import compose, config_dir
from lipdip.configuration.assemble import assemble
from lipdip.core.records import read_rounds
from lipdip.run import run

from .test_conf import GROUPS

ROOT = Path(__file__).parents[1]
RUNS = {  # of each exhibit at scale=cpu and at scale=paper, for one seed
    **{"fig3": (9, 9), "fig4": (3, 2), "fig5": (3, 3), "fig6": (2, 4), "fig7": (3, 3), "fig9": (4, 4)},
    **{"fig10": (3, 3), "fig11": (3, 3), "fig12": (1, 1), "fig13": (3, 6), "fig14": (5, 5), "fig15": (6, 8)},
    **{"fig16": (3, 3), "fig18": (3, 3), "fig19": (3, 3)},
    **{"table1": (2, 2), "table2": (6, 6), "table3": (1, 1), "table4": (14, 14), "table5": (8, 24), "audit": (14, 14)},
}
SCALES = ("cpu", "paper")
EACH = pytest.mark.parametrize("exhibit", RUNS)
SMALLEST = ("fit.steps=3", "pruner.rounds=1", "trainer=cpu")
NETWORK = ("image.size=32", "model.channels=4", "model.scales=2")
GAN = ("fit.batch=4", "fit.judged=3", "fit.judging_steps=3")


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


def script(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "experiments" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def place(*overrides):
    """Where a command's run directory lies."""
    cfg = compose(*overrides)
    return Path(cfg.paths.output_dir) / "runs" / assemble(cfg).name


def data(exhibit, clothes):
    return (f"dataset.path={clothes}",) if exhibit == "table1" else ()


def test_the_exhibits_are_these():
    assert set(GROUPS["experiment"]) == set(RUNS) and set(GROUPS["scale"]) == set(SCALES)


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
    (row,) = (line for line in lines if line.startswith("|") and f"-m experiment={exhibit}`" in line)
    assert row.split("|")[3].strip() == str(count)


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


@pytest.mark.parametrize(
    ("exhibit", "cell", "found"),
    [
        *[("fig4", 1, "three pictures, one code, a head each"), ("fig5", 1, "found by inpaint")],
        *[("fig6", 1, "found on digits"), ("fig14", 1, "found on coffee")],
        ("fig14", 4, "three pictures, a code each"),
    ],
)
def test_the_script_of_transfer_finds_the_runs(exhibit, cell, found):
    module = script("ticket_transfer")
    imp = ("pruner=imp", f"pruner.rounds={module.ROUND}", f"paths.output_dir={module._output('cpu')}")
    assert place(*cells(f"experiment={exhibit}")[cell]) == place(*module.settings(module.FOUND[found], "cpu"), *imp)


def test_the_other_scripts_find_the_runs(clothes):
    why, generators, own = script("why_tickets"), script("generator_tickets"), data("table1", clothes)
    found, wanted = cells("experiment=fig7"), why.finding("cpu").values()
    assert [place(*cell) for cell in found] == [place(*command) for command in wanted]
    for other in ("fig10", "fig18", "fig19"):
        assert [cell[:-1] for cell in cells(f"experiment={other}")] == [cell[:-1] for cell in found]
    assert place(*cells("experiment=table1")[1], *own) == place(*generators.tuning("random", 0, "cpu"), *own)


@pytest.mark.parametrize(
    ("own", "cell"),
    [
        ("experiment=fig15 pruner=random", "random"),
        ("experiment=audit pruner=imp", "imp"),
        ("experiment=audit pruner=imp quirk=clean", "found on clean"),
        ("experiment=audit pruner=imp quirk=all", "found by legacy"),
        ("experiment=audit pruner=random quirk=twice", "random, 36% a round (3)"),
        ("experiment=audit pruner=random quirk=all", "random, legacy (2, 3, 4, 6)"),
    ],
)
def test_the_script_of_pruners_finds_the_runs(own, cell):
    assert place(*own.split(), "seed=1") == place(*script("pruner_comparison").overrides(cell, 1, "cpu"))


def test_all_quirks_together_are_the_legacy_protocol():
    common = ("pruner.empty_layers=keep_one", "paths.output_dir=outputs/pruner_comparison_cpu", "seed=2")
    for pruner in ("imp", "random"):
        legacy = place("protocol=legacy", "scale=cpu", f"pruner={pruner}", *common)
        assert place("experiment=audit", "quirk=all", f"pruner={pruner}", "seed=2") == legacy


def test_the_deep_decoder_is_not_pruned():
    decoder, hourglass = (compose("experiment=table2", f"model={name}") for name in ("deep_decoder", "hourglass"))
    assert len(assemble(decoder).pruning.ladder) == 1 and len(assemble(hourglass).pruning.ladder) == 11


@pytest.mark.slow
@EACH
def test_a_cell_runs(exhibit, clothes, tmp_path):
    small = [*SMALLEST, *(GAN if exhibit == "table1" else NETWORK), f"paths.output_dir={tmp_path}"]
    small += ["fit.burn_in=1"] * (exhibit == "fig16")
    cfg = compose(*cells(f"experiment={exhibit}")[0], *data(exhibit, clothes), *small)
    path = run(cfg, Console(file=io.StringIO()))
    assert len(read_rounds(path)) >= 2 and (path / "summary.json").exists()


@pytest.mark.slow
def test_a_figure_is_one_command(tmp_path):
    given = ["experiment=fig3", "image=astronaut", "seed=range(0,2)", *SMALLEST, *NETWORK]
    done = subprocess.run(
        [sys.executable, "-m", "lipdip.run", "-m", *given, f"paths.output_dir={tmp_path}"],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    assert len([path for path in (tmp_path / "runs").iterdir() if (path / "summary.json").exists()]) == 6
