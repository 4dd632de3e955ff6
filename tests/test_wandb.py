"""What W&B and TensorBoard are told, read back from their files; nothing here needs a network or an account."""

import importlib.util
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
import types
from collections import Counter
from pathlib import Path

import pytest
import torch
from rich.console import Console

from lipdip.cli.sweeps.sweep_cell import SweepCell, SweepDirectory
from lipdip.core.errors import UserError
from lipdip.fit.autosave import Stopped
from lipdip.fit.log_rounds import LogRounds
from lipdip.fit.loggers import tensorboard, wandb
from lipdip.fit.naming import Sweep, cell, job, named
from lipdip.fit.record import Record
from lipdip.fit.wandb_account import logged_in
from lipdip.runs.directory import read_rounds
from lipdip.tickets.control import control
from lipdip.tickets.mask import Mask
from lipdip.tickets.ticket_file import Ticket

from .conftest import TINY

SMALL = (*TINY, "trainer=cpu", "pruner.rounds=2")
BLOCK = 32768


def environment(home):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    return {**clean, "HOME": str(home), "OMP_NUM_THREADS": "1"}


def command(output, *words):
    return [sys.executable, "-m", "lipdip.run", *words, "logger=wandb", f"paths.output_dir={output}"]


def records(file):
    """The records of an offline ``.wandb`` file: blocks of 32768 bytes, each part with a head of 7 bytes."""
    from wandb.proto import wandb_internal_pb2

    content, place, whole = file.read_bytes(), 7, b""
    while place + 7 <= len(content):
        left = BLOCK - place % BLOCK
        if left < 7:
            place += left
            continue
        _, size, kind = struct.unpack("<IHB", content[place : place + 7])
        part = content[place + 7 : place + 7 + size]
        whole = part if kind in (1, 2) else whole + part  # 1 whole, 2 first, 3 middle, 4 last
        place += 7 + size
        if kind in (1, 4):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(whole)
            yield record


class Told:
    """What the offline files of one run say."""

    def __init__(self, output, run):
        self.files = sorted((output / "wandb").glob(f"offline-run-*-{run}/run-{run}.wandb"))
        every = [record for file in self.files for record in records(file)]
        kinds = {kind: [getattr(r, kind) for r in every if r.WhichOneof("record_type") == kind] for kind in KINDS}
        self.runs, self.artifacts, self.exits = kinds["run"], kinds["artifact"], kinds["exit"]
        self.axes = {metric.glob_name or metric.name: metric.step_metric for metric in kinds["metric"]}
        self.lines = [
            {(item.key or "/".join(item.nested_key)): json.loads(item.value_json) for item in line.item}
            for line in kinds["history"]
        ]

    def of(self, name):
        return [line[name] for line in self.lines if name in line]

    @property
    def tickets(self):
        return [artifact for artifact in self.artifacts if artifact.type == "ticket"]


KINDS = ("run", "metric", "history", "artifact", "exit")


def runs_in(output):
    return sorted(path.parent for path in output.glob("runs/*/summary.json"))


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """A sweep of two seeds where nobody is logged in."""
    output = tmp_path_factory.mktemp("swept")
    words = ("-m", *SMALL, "seed=0,1", "image=[astronaut,coffee]")
    done = subprocess.run(command(output, *words), capture_output=True, text=True, timeout=240, env=environment(output))
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    return output


def test_each_cell_of_a_sweep_is_a_run_with_a_name_in_the_sweeps_group(swept):
    (plan,) = (path.name for path in (swept / "sweeps").iterdir())
    names = set()
    for run in runs_in(swept):
        told = Told(swept, run.name)
        (start,) = told.runs
        assert (start.run_id, start.run_group, start.job_type) == (run.name, plan, "find")
        config = {update.key: json.loads(update.value_json) for update in start.config.update}
        assert config["cell_pruner"] == "imp" and config["fit"]["steps"] == 12 and "paths" not in config
        assert [one.exit_code for one in told.exits] == [0]
        names.add(start.display_name)
    assert names == {f"denoise, astronaut + coffee, imp, sigma=25, seed {seed}" for seed in (0, 1)}
    logs = [log.read_text() for log in swept.glob("sweeps/*/*/logs/*.txt")]
    assert all(log.count("W&B: nobody is logged in") == 1 for log in logs) and len(logs) == 2


def test_scores_layers_and_pictures_are_over_sparsity_and_curves_over_steps(swept):
    for run in runs_in(swept):
        told, rows = Told(swept, run.name), read_rounds(run)
        assert told.axes["curve/*"] == "curve/step"
        for scores in ("round/*", "picture/*", "pictures/*", "density/*", "dead_channels/*"):
            assert told.axes[scores] == "round/sparsity"
        lines = [line for line in told.lines if "round/psnr_best" in line]
        assert [line["round/sparsity"] for line in lines] == pytest.approx([row.sparsity for row in rows])
        assert [line["round/psnr_best"] for line in lines] == pytest.approx([row.psnr_best for row in rows])
        table = [row.split(",") for row in (run / "layers.csv").read_text().splitlines()]
        at = table[0].index("density")
        for line in lines:
            own = {f"density/{row[1]}": float(row[at]) for row in table[1:] if float(row[0]) == line["round/round"]}
            assert own and {name: line[name] for name in own} == pytest.approx(own)
            assert {"picture/coffee/psnr_best", "pictures/astronaut/restored/path"} <= line.keys()
        for number in range(len(rows)):
            curve = [line for line in told.lines if f"curve/round_{number:02d}/coffee/psnr" in line]
            assert [line["curve/step"] for line in curve] == sorted({line["curve/step"] for line in curve})
            assert curve and max(line["curve/step"] for line in curve) <= 12
        assert len(told.of("pictures/comparison/path")) == 1
        steps = told.of("_step")
        assert steps == sorted(set(steps))


def test_each_rounds_ticket_is_an_artifact(swept):
    for run in runs_in(swept):
        rows, tickets = read_rounds(run), Told(swept, run.name).tickets
        assert len(tickets) == len(rows)
        for row, artifact in zip(rows, tickets, strict=True):
            file = f"round_{row.round:02d}.safetensors"
            assert artifact.name == f"ticket-{run.name}"
            (content,) = artifact.manifest.contents
            assert (content.path, content.size) == (file, (run / "tickets" / file).stat().st_size)
            assert ("matching" in artifact.aliases) == bool(row.matching and row.sparsity > 0)
            assert f"round_{row.round:02d}" in artifact.aliases
            assert json.loads(artifact.metadata)["sparsity"] == pytest.approx(row.sparsity)


@pytest.fixture(scope="module")
def recovered(tmp_path_factory):
    """Two pictures recovered by a pretrained generator."""
    output = tmp_path_factory.mktemp("recovered")
    words = ("task=gan_inpaint", "image=[clothes/00,clothes/01]", "fit.steps=4", "fit.record_every=2", "trainer=cpu")
    done = subprocess.run(command(output, *words), capture_output=True, text=True, env=environment(output))
    assert done.returncode == 0 and "Traceback" not in done.stderr, done.stderr
    return output


# What the dashboard draws nothing of: counts, times, an oracle's steps, scores beside the one that is drawn.
UNDRAWN = (
    *("round", "sparsity", "kept_weights", "loss", "seconds", "matching", "dead_channels", "parameters_kept", "flops"),
    *("flops_kept", "measurements", "weights_per_pixel", "psnr_best_step", "psnr_last", "psnr_stop", "psnr_stop_gap"),
    *("stop_step", "restart", "objective"),
)


@pytest.mark.parametrize(("runs", "kinds"), [("swept", ("", "several")), ("recovered", ("recover",))])
def test_what_the_dashboard_shows_is_logged_and_what_is_logged_is_shown(runs, kinds, request):
    dashboard, output = _dashboard(), request.getfixturevalue(runs)
    told = Told(output, runs_in(output)[0].name)
    keys = {key.removesuffix("/path") for line in told.lines for key in line}
    config = {update.key for update in told.runs[0].config.update}
    panels = [panel for section in dashboard.specification() for panel in section.panels]
    assert all(panel.x is None or panel.x in keys for panel in panels)
    assert all(panel.by is None or panel.by in config for panel in panels)
    shown = {panel: {key for key in keys if key in panel.y or re.search(panel.regex or "^$", key)} for panel in panels}
    assert all(shown[panel] for panel in panels if panel.only in kinds)
    assert sum(panel.only in kinds for panel in panels) > 3
    drawn = {key for found in shown.values() for key in found}
    scores = [key for key in keys - drawn if re.match("(curve|round|picture|density|dead_channels)/", key)]
    extra = {"psnr_ema", "psnr_best", "ssim", "ssim_best"}  # of a curve or of a picture: another of it is drawn
    alone = {key for key in scores if key.rpartition("/")[2] not in UNDRAWN} - {"curve/step"}
    assert {key for key in alone if key.startswith("round/") or key.rpartition("/")[2] not in extra} == set()
    assert "pictures/comparison" in drawn


def test_killed_it_goes_on_in_the_same_run_and_logs_no_round_twice(tmp_path):
    words = (*SMALL, "fit.steps=150", "trainer.chunk_seconds=0.02", "trainer.save_seconds=0", "logger.mode=offline")
    started = subprocess.Popen(command(tmp_path, *words), stdout=subprocess.DEVNULL, env=environment(tmp_path))
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("runs/*/logged.json")) and time.monotonic() < deadline:
        assert started.poll() is None
        time.sleep(0.01)
    started.kill()
    started.wait()
    assert not runs_in(tmp_path)
    time.sleep(1.5)  # W&B's own process ends after ours; its directories are named by the second
    done = subprocess.run(command(tmp_path, *words), capture_output=True, text=True, env=environment(tmp_path))
    assert done.returncode == 0 and "nobody is logged in" not in done.stdout, done.stderr
    (run,) = runs_in(tmp_path)
    told = Told(tmp_path, run.name)
    assert len(told.files) == 2
    assert {(one.run_id, one.run_group, one.display_name) for one in told.runs} == {
        (run.name, "", "denoise, astronaut, imp, sigma=25, seed 0")
    }
    assert told.of("round/round") == [row.round for row in read_rounds(run)]
    steps = told.of("_step")
    assert steps == sorted(set(steps))
    assert len(told.tickets) == len(read_rounds(run))


@pytest.fixture
def nobody(tmp_path, monkeypatch):
    """A machine where nobody is logged in."""
    for name in [name for name in os.environ if name.startswith("WANDB")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


KEY = 40 * "a"


def test_who_is_logged_in_through_netrc_is_found_below_either_name_of_the_server(nobody, tmp_path):
    from wandb import Settings

    for host in (Settings().base_url.removeprefix("https://"), "api.wandb.ai"):
        (tmp_path / "netrc").write_text(f"machine other.example login user password {KEY}\n")
        assert not logged_in()
        (tmp_path / "netrc").write_text(f"machine {host} login user password {KEY}\n")
        assert logged_in()


def test_a_netrc_that_others_may_read_and_a_server_of_ones_own_are_as_wandb_reads_them(nobody, tmp_path, monkeypatch):
    monkeypatch.delenv("NETRC")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text(f"machine wandb.example login user password {KEY}\n")
    (tmp_path / ".netrc").chmod(0o644)
    assert not logged_in()
    settings = tmp_path / ".config" / "wandb" / "settings"
    settings.parent.mkdir(parents=True)
    settings.write_text("[default]\nbase_url = https://wandb.example\n")
    assert logged_in()
    monkeypatch.setenv("WANDB_BASE_URL", "https://other.example")
    assert not logged_in()


UNREACHABLE = """
import io, os, sys
from pathlib import Path
from rich.console import Console
from lipdip.core.errors import UserError
from lipdip.fit.loggers import wandb
output, said = Path(sys.argv[1]), io.StringIO()
os.environ |= {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_API_KEY": 40 * "a", "WANDB_INIT_TIMEOUT": "1"}
try:
    wandb("abc", output, Console(file=said), "lipdip", mode="online").experiment
except UserError as error:
    print(error)
print(*(path.name for path in output.glob("wandb/*run-*")))
for key in (40 * "a", "short"):
    os.environ["WANDB_API_KEY"] = key
    logger = wandb("abc", output, Console(file=said), "lipdip")
    print(logger.experiment.settings.mode)
    logger.finalize("success")
print(said.getvalue(), end="")
"""


def test_a_server_that_cannot_be_reached_or_a_key_that_is_none_keeps_the_run_offline(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", UNREACHABLE, str(tmp_path)], capture_output=True, text=True, env=environment(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    online, left, first, second, *said = done.stdout.splitlines()
    assert re.match(r"W&B cannot be used: .*; logger\.mode=offline keeps the run here$", online) and left == ""
    assert first == second == "offline"
    assert len(said) == 2 and all("this run is kept offline; wandb sync sends it later" in line for line in said)
    assert "40+ characters" in said[1]
    assert all(path.name.startswith("offline") for path in tmp_path.glob("wandb/*run-*"))


def test_wandb_that_is_not_there_or_is_broken_is_one_line(nobody, tmp_path, monkeypatch):
    for there in (None, types.ModuleType("wandb")):
        monkeypatch.setitem(sys.modules, "wandb", there)
        with pytest.raises(UserError, match=r"^logger=wandb needs W&B: pip install --upgrade wandb \(.*\)$"):
            wandb("abc", tmp_path, Console(file=io.StringIO()), "lipdip")


def test_tensorboard_that_is_not_there_or_is_broken_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match=r'^logger=tensorboard needs TensorBoard: pip install "lipdip\[tensorboard\]"'):
        tensorboard("abc", tmp_path, Console(file=io.StringIO()))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", types.ModuleType("broken"))
    with pytest.raises(UserError, match=r"TensorBoard: pip install .* \(cannot import name 'SummaryWriter'"):
        tensorboard("abc", tmp_path, Console(file=io.StringIO()))


def test_wandb_s_own_mode_is_one_that_it_knows_and_disabled_logs_nothing(nobody, tiny, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "cloud")
    with pytest.raises(UserError, match=r"^WANDB_MODE must be online, offline or disabled, not 'cloud'$"):
        tiny("logger=wandb")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    run, out = tiny("logger=wandb", "pruner=none")
    assert "W&B is disabled (WANDB_MODE), so nothing is logged" in out and not (run / "logged.json").exists()


@pytest.mark.parametrize("both", ["wandb,tensorboard", "tensorboard,wandb", "wandb,csv"])
def test_two_loggers_are_refused(nobody, tiny, both):
    with pytest.raises(UserError, match=f"^one logger a run, not {' and '.join(sorted(both.split(',')))}"):
        tiny(f"logger=[{both}]")


def test_online_needs_an_account_and_a_mode_has_to_be_one(nobody, tmp_path, tiny):
    with pytest.raises(UserError, match=r"logger\.mode=online needs an account: wandb login"):
        wandb("abc", tmp_path, Console(file=io.StringIO()), "lipdip", mode="online")
    with pytest.raises(UserError, match=r"^logger\.mode must be one of auto, online, offline, not 'cloud'$"):
        tiny("logger=wandb", "logger.mode=cloud")


def _config(**changed):
    config = {
        "task": {"name": "super_resolution"},
        "image": {"pictures": {"baby": {"path": "set5/baby.png"}}, "content": "picture"},
        "dataset": {"_target_": "lipdip.pictures.datasets.fashion_mnist"},
        "pruner": {"name": "none", "scorer": None},
        "ticket": {"path": None, "init": "original"},
        "seed": 3,
    }
    return config | changed


def test_cells_are_told_in_words():
    assert named(cell(_config())) == "super resolution, baby, dense, seed 3"
    assert job(_config()) == "dense"
    used = _config(ticket={"path": "round_03.safetensors", "init": "original"})
    assert (cell(used)["pruner"], job(used)) == ("ticket", "use")
    found = _config(ticket={"path": "t", "init": "original"}, pruner={"name": "snip", "scorer": {}})
    assert (cell(found)["pruner"], job(found)) == ("snip from a ticket", "find")
    assert cell(_config(task={"name": "classify"}))["picture"] == "fashion mnist"
    given = {"pictures": {"file": {"path": ["/x/a.png", "b.png"]}}, "content": "noise"}
    assert cell(_config(image=given))["picture"] == "a + b (noise)"
    many = {"pictures": {str(number): {} for number in range(5)}, "content": "picture"}
    assert cell(_config(image=many))["picture"] == "5 pictures"


def test_a_control_is_not_called_a_ticket(tmp_path):
    mask = Mask({"weight": torch.ones(2, 2, dtype=torch.bool)})
    made = Ticket(mask, {}, {"seed": 0, "stream": "init", "rewind_step": 0, "tensors": {}}, {"seed": 0}, {})
    file = tmp_path / "random.safetensors"
    file.write_bytes(control(made, "random", 0).to_bytes())
    assert cell(_config(ticket={"path": str(file), "init": "original"}))["pruner"] == "random control"
    file.write_bytes(control(made, "layerwise", 0).to_bytes())
    assert cell(_config(ticket={"path": str(file), "init": "original"}))["pruner"] == "layerwise control"
    file.write_bytes(made.to_bytes())
    assert cell(_config(ticket={"path": str(file), "init": "original"}))["pruner"] == "ticket"
    assert cell(_config(ticket={"path": str(file), "init": "reinit"}))["pruner"] == "reinit control"


def test_a_run_is_named_by_what_its_degradation_and_its_sweep_vary(tmp_path):
    noisy = _config(task={"name": "denoise", "sigma": 15}, fit={"code": "resampled", "lr": 0.01})
    assert named(cell(noisy)) == "denoise, baby, dense, sigma=15, fit.code=resampled, seed 3"
    assert cell(noisy | {"protocol": {"name": "paper"}})["setting"].endswith(", protocol=paper")
    directory = SweepDirectory(tmp_path / "sweeps" / "0123456789ab" / "here-1")
    directory.begin([("fit.lr=0.1", "seed=0", "+a=1"), ("fit.lr=0.01", "seed=1", "+a=1")])
    sweep = directory.sweep_of(directory.planned()[0])
    assert sweep == Sweep("0123456789ab", ("fit.lr", "seed"))
    assert cell(noisy, sweep.varied)["setting"] == "sigma=15, fit.code=resampled, fit.lr=0.01"


def test_an_experiments_sweep_is_a_group_of_its_name(tmp_path):
    directory = SweepDirectory(tmp_path / "sweeps" / "0123456789ab" / "here-1")
    directory.begin([("experiment=fig3", "seed=0")])
    assert directory.sweep_of(SweepCell(0, ("experiment=fig3", "seed=0"))).name == "fig3"
    assert directory.sweep_of(SweepCell(0, ("seed=0",))).name == "0123456789ab"


def test_a_run_by_itself_has_no_group_whatever_an_earlier_sweep_left(tmp_path):
    stale = SweepDirectory(tmp_path / "sweeps" / "0123456789ab" / "here-1")
    stale.write(SweepCell(0, ("experiment=fig3",), "running"))
    logger = wandb("abc", tmp_path, Console(file=io.StringIO()), "lipdip", mode="offline")
    started = logger.experiment
    logger.finalize("success")
    assert not started.group


def test_tensorboard_has_curves_over_steps_scores_over_rounds_and_pictures(tiny, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run, _ = tiny("logger=tensorboard")
    events, rows = EventAccumulator(str(tmp_path / "tensorboard" / run.name)).Reload(), read_rounds(run)
    numbers = [row.round for row in rows]
    assert [event.step for event in events.Scalars("round/psnr_best")] == numbers
    sparsity = [event.value for event in events.Scalars("round/sparsity")]
    assert sparsity == pytest.approx([row.sparsity for row in rows])
    assert max(event.step for event in events.Scalars("curve/round_02/psnr")) <= 12
    assert [event.step for event in events.Images("pictures/restored")] == numbers
    assert len(events.Images("pictures/comparison")) == 1
    assert any(tag.startswith("density/") for tag in events.Tags()["scalars"])


def test_rounds_from_before_the_logger_are_told_to_it(tiny, tmp_path, monkeypatch):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    words = ("image=[astronaut,coffee]", "logger=tensorboard")
    whole, _ = tiny(*words, output_dir=tmp_path / "whole")
    record = Record.on_train_epoch_end

    def stop(self, *arguments):
        record(self, *arguments)
        os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(Record, "on_train_epoch_end", stop)
        with pytest.raises(Stopped):
            tiny(words[0])
    run, _ = tiny(*words)
    assert json.loads((run / "logged.json").read_text()) == json.loads((whole / "logged.json").read_text())
    late, usual = (
        EventAccumulator(str(directory.parents[1] / "tensorboard" / run.name)).Reload() for directory in (run, whole)
    )
    assert late.Tags()["scalars"] == usual.Tags()["scalars"]
    for name in ("round/psnr_best", "curve/round_00/coffee/psnr", "picture/coffee/loss"):
        assert [(e.step, e.value) for e in late.Scalars(name)] == [(e.step, e.value) for e in usual.Scalars(name)]


def test_what_comes_too_late_for_the_logger_is_said(tiny, monkeypatch):
    record, logged = Record.on_train_epoch_end, LogRounds._ends
    numbers = iter(range(9))

    def stop(self, *arguments):
        record(self, *arguments)
        if next(numbers) == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patched:
        patched.setattr(Record, "on_train_epoch_end", stop)
        patched.setattr(LogRounds, "_ends", lambda self, trainer, part: part[-1] == "0" or logged(self, trainer, part))
        with pytest.raises(Stopped):
            tiny("logger=tensorboard")
    assert "note: the logger was off in round 0, which it cannot be told now" in tiny("logger=tensorboard")[1]


def _dashboard():
    file = Path(__file__).parents[1] / "experiments" / "dashboard.py"
    spec = importlib.util.spec_from_file_location("dashboard", file)
    module = importlib.util.module_from_spec(spec)
    sys.modules["dashboard"] = module
    spec.loader.exec_module(module)
    return module


def test_the_dashboards_specification_is_plain_json_with_the_three_groupings(capsys):
    dashboard = _dashboard()
    dashboard.main(["show"])
    sections = json.loads(capsys.readouterr().out)
    by = {panel["by"] for section in sections for panel in section["panels"]}
    assert {"cell_pruner", "cell_picture", "cell_seed"} <= by
    assert Counter(section["name"] for section in sections).most_common(1)[0][1] == 1


def test_saving_the_dashboard_needs_an_account_and_says_so_in_one_line(nobody, capsys):
    with pytest.raises(SystemExit) as ended:
        _dashboard().main(["save", "somebody"])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and said.count("\n") == 1 and "wandb login" in said


def test_a_workspace_that_cannot_be_saved_is_one_line(nobody, capsys, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    dashboard = _dashboard()
    monkeypatch.setattr(dashboard, "workspace", _refused)
    with pytest.raises(SystemExit) as ended:
        dashboard.main(["save", "somebody"])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and said == "the workspace was not saved: the key is refused, permission denied\n"


def _refused(*_):
    from wandb.errors import CommError

    raise CommError("the key is refused,\n permission denied\n")


def test_wandbs_own_library_takes_the_specification(nobody):
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(Path(__file__).parents[1] / "experiments")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    specification = json.loads(done.stdout)
    assert {"round/sparsity", "curve/step", "round/psnr_best"} <= set(re.findall(r'"([a-z]+/[a-z_]+)"', done.stdout))
    assert len(specification["section"]["panelBankConfig"]["sections"]) >= 6


BUILD = """
import sys
sys.path.insert(0, sys.argv[1])
import dashboard
workspace = dashboard.workspace(dashboard.specification(), "somebody", "lipdip")
print(workspace._to_model().spec.model_dump_json(by_alias=True, exclude_none=True))
"""
