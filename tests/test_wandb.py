"""What W&B, TensorBoard and other loggers get, read back from their files; needs neither a network nor an account."""

import csv
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
import yaml
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import run as do_run
from lipdip.cli.sweeps.sweep_cell import SweepCell, SweepDirectory
from lipdip.core.errors import UserError
from lipdip.fit.autosave import Stopped
from lipdip.fit.loggers import TensorBoard, make_loggers
from lipdip.fit.naming import Sweep, display_name, labels
from lipdip.fit.record import Record
from lipdip.fit.wandb_logger import Wandb, logged_in
from lipdip.tasks import read_rounds

from .conftest import TINY

OFFLINE = ("logger=[wandb,tensorboard]", "logger.wandb.mode=offline")
LOGGED = (*TINY, *OFFLINE, "trainer=cpu", "pruner.rounds=2")
BLOCK = 32768
CSV = "lightning.pytorch.loggers.CSVLogger"


def environment(home):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    return {**clean, "HOME": str(home), "OMP_NUM_THREADS": "1"}


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


class Sent:
    """What the offline files of one run contain."""

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
def home(tmp_path_factory):
    """Nobody's account, and a place for W&B's own files."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patched:
        for name in [name for name in os.environ if name.startswith("WANDB")]:
            patched.delenv(name)
        patched.setenv("WANDB_SILENT", "true")
        patched.setenv("WANDB_DATA_DIR", str(home))
        patched.setenv("NETRC", str(home / "netrc"))
        yield home


@pytest.fixture(scope="module")
def logged(home):
    """A cell of a sweep of two pictures, with three loggers."""
    words = ("image=[astronaut,coffee]", f"+logger.mine._target_={CSV}", f"+logger.mine.save_dir={home}/mine")
    cfg = compose(*LOGGED, f"paths.output_dir={home}/logged", *words)
    return do_run(cfg, Console(file=io.StringIO()), Sweep("fig3"))


def events_of(run):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return EventAccumulator(str(run.parents[1] / "tensorboard" / run.name)).Reload()


def test_a_cell_of_a_sweep_is_a_run_of_wandb_in_the_sweeps_group(logged):
    sent = Sent(logged.parents[1], logged.name)
    (start,) = sent.runs
    assert (start.run_id, start.run_group, start.job_type) == (logged.name, "fig3", "find")
    config = {update.key: json.loads(update.value_json) for update in start.config.update}
    assert config["pictures"] == "astronaut + coffee" and config["pruner"]["name"] == "imp"
    assert not {"paths", "logger", "trainer"} & config.keys()
    assert [one.exit_code for one in sent.exits] == [0]


def test_scores_layers_and_pictures_are_over_sparsity_and_curves_over_steps(logged):
    sent, rows = Sent(logged.parents[1], logged.name), read_rounds(logged)
    assert sent.axes["curve/*"] == "curve/step"
    for scores in ("round/*", "picture/*", "pictures/*", "density/*", "dead_channels/*"):
        assert sent.axes[scores] == "round/sparsity"
    lines = [line for line in sent.lines if "round/psnr_best" in line]
    assert [line["round/sparsity"] for line in lines] == pytest.approx([row.sparsity for row in rows])
    assert [line["round/psnr_best"] for line in lines] == pytest.approx([row.psnr_best for row in rows])
    table = [row.split(",") for row in (logged / "layers.csv").read_text().splitlines()]
    at = table[0].index("density")
    for line in lines:
        own = {f"density/{row[1]}": float(row[at]) for row in table[1:] if float(row[0]) == line["round/round"]}
        assert own and {name: line[name] for name in own} == pytest.approx(own)
        assert {"picture/coffee/psnr_best", "pictures/astronaut/restored/path"} <= line.keys()
    for number in range(len(rows)):
        curve = [line for line in sent.lines if f"curve/round_{number:02d}/coffee/psnr" in line]
        assert [line["curve/step"] for line in curve] == [1, 5, 10, 12]
    assert len(sent.of("pictures/comparison/path")) == 1
    steps = sent.of("_step")
    assert steps == sorted(set(steps))


def test_what_lightning_logs_goes_to_every_logger_and_wandb_drops_none_of_it(logged, home):
    (file,) = (home / "mine").rglob("metrics.csv")
    with file.open() as table:
        sparsity = [float(row["sparsity"]) for row in csv.DictReader(table) if row.get("sparsity")]
    assert sparsity == pytest.approx([row.sparsity for row in read_rounds(logged)], abs=1e-6)
    assert Sent(logged.parents[1], logged.name).of("sparsity") == pytest.approx(sparsity)
    assert [event.value for event in events_of(logged).Scalars("sparsity")] == pytest.approx(sparsity)


def test_each_rounds_ticket_is_an_artifact(logged):
    rows, tickets = read_rounds(logged), Sent(logged.parents[1], logged.name).tickets
    assert len(tickets) == len(rows)
    for row, artifact in zip(rows, tickets, strict=True):
        file = f"round_{row.round:02d}.safetensors"
        assert artifact.name == f"ticket-{logged.name}"
        (content,) = artifact.manifest.contents
        assert (content.path, content.size) == (file, (logged / "tickets" / file).stat().st_size)
        assert ("matching" in artifact.aliases) == bool(row.matching and row.sparsity > 0)
        assert f"round_{row.round:02d}" in artifact.aliases
        assert json.loads(artifact.metadata)["sparsity"] == pytest.approx(row.sparsity)


def test_tensorboard_has_curves_over_steps_scores_over_rounds_and_pictures(logged):
    events, rows = events_of(logged), read_rounds(logged)
    numbers = [row.round for row in rows]
    assert [event.step for event in events.Scalars("round/psnr_best")] == numbers
    sparsity = [event.value for event in events.Scalars("round/sparsity")]
    assert sparsity == pytest.approx([row.sparsity for row in rows])
    assert [event.step for event in events.Scalars("curve/round_02/coffee/psnr")] == [1, 5, 10, 12]
    assert [event.step for event in events.Images("pictures/coffee/restored")] == numbers
    assert len(events.Images("pictures/comparison")) == 1
    assert any(tag.startswith("density/") for tag in events.Tags()["scalars"])


@pytest.fixture(scope="module")
def recovered(home):
    """Two pictures recovered by a pretrained generator."""
    words = ("task=gan_inpaint", "image=[clothes/00,clothes/01]", "fit.steps=4", "fit.record_every=2", "trainer=cpu")
    return do_run(compose(*words, *OFFLINE, f"paths.output_dir={home}/recovered"), Console(file=io.StringIO()))


# What the dashboard draws nothing of: counts, times, an oracle's steps, scores beside the one that is drawn.
UNDRAWN = (
    *("round", "sparsity", "kept_weights", "loss", "seconds", "matching", "dead_channels", "parameters_kept", "flops"),
    *("flops_kept", "measurements", "weights_per_pixel", "psnr_best_step", "psnr_last", "psnr_stop", "psnr_stop_gap"),
    *("stop_step", "restart", "objective"),
)


@pytest.mark.parametrize(("kind", "kinds"), [("logged", ("", "several")), ("recovered", ("recover",))])
def test_what_the_dashboard_shows_is_logged_and_what_is_logged_is_shown(kind, kinds, request):
    dashboard, run = _dashboard(), request.getfixturevalue(kind)
    sent = Sent(run.parents[1], run.name)
    keys = {key.removesuffix("/path") for line in sent.lines for key in line}
    config = {update.key for update in sent.runs[0].config.update}
    panels = [panel for section in dashboard.specification() for panel in section.panels]
    assert all(panel.x is None or panel.x in keys for panel in panels)
    assert all(panel.by is None or panel.by.split(".")[0] in config for panel in panels)
    shown = {panel: {key for key in keys if key in panel.y or re.search(panel.regex or "^$", key)} for panel in panels}
    assert all(shown[panel] for panel in panels if panel.only in kinds)
    assert sum(panel.only in kinds for panel in panels) > 3
    drawn = {key for found in shown.values() for key in found}
    scores = [key for key in keys - drawn if re.match("(curve|round|picture|density|dead_channels)/", key)]
    extra = {"psnr_ema", "psnr_best", "ssim", "ssim_best"}  # of a curve or of a picture: another of it is drawn
    alone = {key for key in scores if key.rpartition("/")[2] not in UNDRAWN} - {"curve/step"}
    assert {key for key in alone if key.startswith("round/") or key.rpartition("/")[2] not in extra} == set()
    assert "pictures/comparison" in drawn


def ask_to_stop(patched, number):
    """The process is asked to stop at the end of round ``number``."""
    record = Record.on_train_epoch_end

    def stop(self, *arguments):
        record(self, *arguments)
        if len(self.rounds) == number + 1:
            os.kill(os.getpid(), signal.SIGTERM)

    patched.setattr(Record, "on_train_epoch_end", stop)


def test_a_stopped_run_goes_on_in_the_same_run_and_logs_no_round_twice(home, tiny, monkeypatch, tmp_path):
    with monkeypatch.context() as patched:
        ask_to_stop(patched, 1)
        with pytest.raises(Stopped):
            tiny(*OFFLINE)
    time.sleep(1.1)  # W&B's directories are named by the second
    run, _ = tiny(*OFFLINE)
    sent, rows = Sent(tmp_path, run.name), read_rounds(run)
    assert len(sent.files) == 2 and {one.run_id for one in sent.runs} == {run.name}
    assert sent.of("round/round") == [row.round for row in rows]
    assert [event.step for event in events_of(run).Scalars("round/psnr_best")] == [row.round for row in rows]
    assert [event.step for event in events_of(run).Scalars("curve/round_02/psnr")] == [1, 5, 10, 12]
    steps = [line["_step"] for line in sent.lines if any("/" in name for name in line)]
    assert steps == sorted(steps)
    assert len(sent.tickets) == len(rows)


def test_of_rounds_from_before_a_logger_was_on_it_gets_the_scores(tiny, monkeypatch):
    with monkeypatch.context() as patched:
        ask_to_stop(patched, 1)
        with pytest.raises(Stopped):
            tiny()
    run, _ = tiny("logger=tensorboard")
    scores = events_of(run).Scalars("round/psnr_best")
    assert [event.value for event in scores] == pytest.approx([row.psnr_best for row in read_rounds(run)])


@pytest.mark.slow
def test_a_killed_run_goes_on_in_the_same_run_and_logs_no_round_twice(tmp_path):
    words = (*LOGGED, "fit.steps=150", "trainer.save_seconds=0", f"paths.output_dir={tmp_path}")
    command = [sys.executable, "-m", "lipdip.run", *words]
    started = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment(tmp_path))
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("runs/*/logged.json")) and time.monotonic() < deadline:
        assert started.poll() is None
        time.sleep(0.01)
    started.kill()
    started.wait()
    assert not list(tmp_path.glob("runs/*/summary.json"))
    time.sleep(1.5)  # W&B's own process ends after ours
    done = subprocess.run(command, capture_output=True, text=True, env=environment(tmp_path))
    assert done.returncode == 0, done.stderr
    (run,) = (file.parent for file in tmp_path.glob("runs/*/summary.json"))
    sent = Sent(tmp_path, run.name)
    assert sent.of("round/round") == [row.round for row in read_rounds(run)]
    assert len(sent.tickets) == len(read_rounds(run))
    assert {one.display_name for one in sent.runs} == {display_name(words)}


UNREACHABLE = """
import io, os, sys
from pathlib import Path
from rich.console import Console
from lipdip.core.errors import UserError
from lipdip.fit.wandb_logger import Wandb, logged_in
output, said = Path(sys.argv[1]), io.StringIO()
os.environ |= {"WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_INIT_TIMEOUT": "1", "WANDB_SILENT": "true"}
print(logged_in())
for key in ("short", 40 * "a"):
    os.environ["WANDB_API_KEY"] = key
    logger = Wandb("abc", output, Console(file=said))
    print(logger.experiment.settings.mode)
    logger.finalize("success")
try:
    Wandb("abc", output, Console(file=said), mode="online").experiment
except UserError as error:
    print(error)
print(*(path.name for path in output.glob("wandb/*run-*") if not path.name.startswith("offline")))
print(said.getvalue(), end="")
"""


@pytest.mark.slow
def test_a_server_that_cannot_be_reached_or_a_key_that_is_none_keeps_the_run_offline(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", UNREACHABLE, str(tmp_path)], capture_output=True, text=True, env=environment(tmp_path)
    )
    assert done.returncode == 0, done.stderr
    known, first, second, online, left, *said = done.stdout.splitlines()
    assert known == "False" and first == second == "offline" and left == ""
    assert "logger.wandb.mode=offline" in online
    assert len(said) == 2 and all("this run is kept offline; wandb sync sends it later" in line for line in said)


def test_where_nobody_is_logged_in_auto_is_offline_and_online_is_refused(home, tmp_path):
    said = io.StringIO()
    assert not logged_in()
    logger = Wandb("abc", tmp_path, Console(file=said))
    assert logger.experiment.settings.mode == "offline" and not logger.experiment.group
    logger.finalize("success")
    assert said.getvalue().count("kept offline") == 1
    with pytest.raises(UserError, match=r"logger\.wandb\.mode=offline"):
        Wandb("abc", tmp_path, Console(file=said), mode="online")


def test_the_mode_is_wandbs_own_unless_another_is_given(home, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "cloud")
    with pytest.raises(UserError, match=r"logger\.wandb\.mode must be one of"):
        tiny("logger=wandb")
    monkeypatch.setenv("WANDB_MODE", "disabled")
    tiny("logger=wandb", "pruner=none")
    assert not (tmp_path / "wandb").exists()


def test_wandb_that_is_not_there_or_is_broken_is_one_line(tmp_path, monkeypatch):
    for there in (None, types.ModuleType("wandb")):
        monkeypatch.setitem(sys.modules, "wandb", there)
        with pytest.raises(UserError, match=r"^logger=wandb needs W&B: pip install --upgrade wandb \(.*\)$"):
            Wandb("abc", tmp_path, Console(file=io.StringIO()))


def test_tensorboard_that_is_not_there_or_is_broken_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match=r'^logger=tensorboard needs TensorBoard: pip install "lipdip\[tensorboard\]"'):
        TensorBoard("abc", tmp_path)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", types.ModuleType("broken"))
    with pytest.raises(UserError, match=r"TensorBoard: pip install .* \(cannot import name 'SummaryWriter'"):
        TensorBoard("abc", tmp_path)


@pytest.mark.parametrize(
    ("word", "names"),
    [("csv", []), ("wandb", ["wandb"]), ("[wandb,tensorboard]", ["wandb", "tensorboard"]), ("[csv,wandb]", ["wandb"])],
)
def test_the_group_is_a_table_by_name(word, names):
    nodes = compose(f"logger={word}").logger
    assert list(nodes) == names and all("_target_" in node for node in nodes.values())


@pytest.mark.parametrize("target", ["nowhere.Logger", "lipdip.fit.loggers.Nothing", "collections.Counter", CSV])
def test_a_logger_that_cannot_be_made_is_named_in_one_line(target, tmp_path):
    with pytest.raises(UserError, match=r"^logger\.mine"):
        make_loggers({"mine": {"_target_": target}}, "abc", tmp_path, Console(file=io.StringIO()))


def test_a_run_is_named_by_what_was_typed():
    words = (
        "task=inpaint",
        "+fit.lr=0.01",
        "logger=wandb",
        "logger.wandb.project=mine",
        "paths.output_dir=x",
        "seed=3",
    )
    assert display_name(words) == "task=inpaint, fit.lr=0.01, seed=3"
    assert display_name(("trainer=cpu", "+callbacks.a._target_=b")) == "defaults"


@pytest.mark.parametrize(
    ("scorer", "path", "job"), [({}, None, "find"), (None, "t", "use"), (None, None, "dense"), ({}, "t", "find")]
)
def test_a_run_is_told_by_what_it_is_for(tmp_path, scorer, path, job):
    config = {"pruner": {"scorer": scorer}, "ticket": {"path": path}, "image": {"pictures": {}}, "paths": {"a": "b"}}
    assert labels(tmp_path) == {}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    (tmp_path / "overrides.yaml").write_text(yaml.safe_dump(["seed=1"]))
    found = labels(tmp_path)
    assert (found["job_type"], found["name"]) == (job, "seed=1") and "paths" not in found["config"]


def test_an_experiments_sweep_is_a_group_of_its_name(tmp_path):
    directory = SweepDirectory(tmp_path / "sweeps" / "0123456789ab" / "here-1")
    directory.begin([("experiment=fig3", "seed=0")])
    assert directory.sweep_of(SweepCell(0, ("experiment=fig3", "seed=0"))).name == "fig3"
    assert directory.sweep_of(SweepCell(0, ("seed=0",))).name == "0123456789ab"


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
    assert {"pruner.name", "pictures", "seed"} <= by
    assert Counter(section["name"] for section in sections).most_common(1)[0][1] == 1


def test_saving_the_dashboard_needs_an_account_and_says_so_in_one_line(home, capsys):
    with pytest.raises(SystemExit) as ended:
        _dashboard().main(["save", "somebody"])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and said.count("\n") == 1 and "wandb login" in said


def test_a_workspace_that_cannot_be_saved_is_one_line(capsys, monkeypatch):
    dashboard = _dashboard()
    monkeypatch.setattr(dashboard, "logged_in", lambda: True)
    monkeypatch.setattr(dashboard, "workspace", _refused)
    with pytest.raises(SystemExit) as ended:
        dashboard.main(["save", "somebody"])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and said == "the workspace was not saved: the key is refused, permission denied\n"


def _refused(*_):
    from wandb.errors import CommError

    raise CommError("the key is refused,\n permission denied\n")


@pytest.mark.slow
def test_wandbs_own_library_takes_the_specification(home):
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
