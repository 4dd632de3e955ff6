"""The command line: one clear line and exit code 2 for what cannot be, and nothing written."""

import io
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import lightning as L
import pytest
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.core.errors import UserError
from lipdip.fit.execute import execute
from lipdip.runs.directory import RunDirectory

from .conftest import TINY


def _lipdip(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lipdip.run", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=120, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["pruner=inp"], "there is no pruner=inp; there are: grasp, imp, "),
        (["image=astronot"], "; did you mean astronaut?"),
        (["image=set5/babi"], "; did you mean set5/baby?"),
        (["pruner.rats=0.1"], "there is no setting called pruner.rats; did you mean pruner.rate?"),
        (["fit.step=10"], "there is no setting called fit.step; did you mean fit.steps?"),
        (["trainr=cpu"], "there is no setting called trainr; did you mean trainer?"),
        (["fit.steps"], "fit.steps"),
        (["task.sigma=${nothing}"], "nothing"),
        (["image=null"], "a group takes the name of one of its members"),
        (["image=[]"], "give at least one image"),
        (["image=[astronaut,camera]"], "grey and RGB pictures cannot share an output (astronaut RGB, camera grey)"),
        (["image=[astronaut,coffee]", "image.size=null", "multi.code=shared"], "there is one output"),
        (["task=classify", "model=deep_decoder"], "task=classify needs model=hourglass"),
        (["task=classify", "fit=adam"], "task=classify is done by fit=sgd"),
        (["fit=sgd"], "task=denoise is done by fit=adam"),
        (["task=classify", "dataset=mnist"], "there is no dataset=mnist"),
        (["image=folder"], "image=folder needs to know which folder: add image.path=DIR"),
        (["image=folder", "image.path=/nowhere"], "there is no folder at /nowhere"),
        (["image.path=me.jpg"], "image.path needs image=file or image=folder beside it; image=astronaut"),
    ],
)
def test_names_that_are_not_there(overrides, message):
    with pytest.raises(UserError) as caught:
        assemble(compose(*overrides))
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["task.sigma=-1"], "task.sigma must"),
        (["task.sigma=loud"], "task.sigma must"),
        (["task=inpaint", "task.keep=0"], "task.keep must"),
        (["task=super_resolution", "task.factor=1"], "task.factor must"),
        (["task=super_resolution", "task.factor=2.5"], "task.factor must"),
        (["pruner.rate=1"], "pruner.rate must"),
        (["pruner.rate=0"], "pruner.rate must"),
        (["pruner.rounds=-1"], "pruner.rounds must"),
        (["pruner.rounds=99"], "pruner.rounds=99 is too many: nothing would be pruned"),
        (["fit.steps=0"], "fit.steps must"),
        (["fit.steps=ten"], "fit.steps must"),
        (["fit.lr=0"], "fit.lr must"),
        (["fit.ema=1"], "fit.ema must"),
        (["fit.reg_noise_std=-1"], "fit.reg_noise_std must"),
        (["fit.steps=true"], "fit.steps must"),
        (["model.scales=true"], "model.scales must"),
        (["pruner.rounds=true"], "pruner.rounds must"),
        (["task.clip=nan"], "task.clip must"),
        (["task.score.metric.crop=30", "image.size=64"], "crop=30 leaves too little of"),
        (["image.size=3200000"], "larger than any picture"),
        (["image=file", "image.path=[/nowhere/a,/nowhere/b]"], "there is no picture at /nowhere/a"),
        (["image=file", "image.path=[]"], "image.path is an empty list"),
        (["image=file", "image.path=3"], "must be the path of one picture"),
        (["image.content=nose"], "image.content=nose is not known"),
        (["multi.code=none"], "multi.code must"),
        (["multi.head=both"], "multi.head must"),
        (["multi.loss=max"], "multi.loss must"),
        (["task=classify", "fit.epochs=0"], "fit.epochs must"),
        (["task=classify", "fit.milestones=0.5"], "fit.milestones must"),
        (["task=classify", "pruner.target=clean"], "pruner.target=clean is for restoring pictures"),
        (["ticket.init=reinit"], "ticket.init needs ticket=RUN_DIR"),
        (["task=classify", "fit.milestones=[91]"], "fit.milestones must"),
        (["task=classify", "dataset.size=16"], "too small for scales=4"),
        (["ticket=/nowhere/t.safetensors"], "cannot read the ticket /nowhere/t.safetensors"),
        (["ticket.round=3"], "ticket.round needs ticket=RUN_DIR"),
        (["model._target_=torch.nn.Identity"], "model: Identity"),
        (["pruner.sparsity=1"], "pruner.sparsity must"),
        (["pruner.rewind=2.5"], "pruner.rewind must"),
        (["pruner.rewind=9999"], "pruner.rewind must"),
        (["pruner.scope=outer"], "pruner.scope must"),
        (["pruner.target=noisy"], "pruner.target must"),
        (["pruner.stop=0"], "pruner.stop must"),
        (["fit.stop_rule=never"], "fit.stop_rule must"),
        (["fit.burn_in=1200"], "fit.burn_in must"),
        (["seed=-1"], "seed must be a whole number of at least 0"),
        (["seed=one"], "seed must be a whole number of at least 0"),
        (["image.size=100", "protocol=paper"], "image.size=100 is not a multiple of 32; the nearest: 96 and 128"),
        (["image.size=32", "model.scales=5"], "model: a picture of 32x32 pixels is too small for scales=5"),
        (["model.channels=0"], "model.channels must"),
        (["model.channels=wide"], "model.channels must"),
        (["+model.width=3"], "there is no setting called model.width"),
        (["image=file"], "image=file needs to know which file: add image.path=PICTURE"),
        (["image=file", "image.path=/nowhere/a.png"], "there is no picture at /nowhere/a.png"),
        (["image=set5/baby", "paths.data_dir=/nowhere"], "there is no picture at /nowhere/set5/baby.png"),
        (["image.clean=perhaps"], "image.clean must be true or false"),
        (["task=inpaint", "image.clean=false"], "needs task.pixel_mask=PICTURE"),
        (["trainer.device=tpu"], "trainer.device must"),
        (["trainer.bf16=2"], "trainer.bf16 must"),
        (["task.score.answer=both"], "task.score.answer must"),
        (["task.score.metric.channels=cmyk"], "task.score.metric.channels must"),
    ],
)
def test_values_that_cannot_be(overrides, message, tmp_path):
    with pytest.raises(UserError) as caught:
        assemble(compose(f"paths.output_dir={tmp_path}", *overrides))
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match=r"no CUDA device is there.*trainer=cpu or trainer=auto"):
        assemble(compose("trainer=gpu"))


def test_an_output_directory_that_cannot_be_written(tiny, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="cannot write to"):
        tiny(output_dir=tmp_path / "file")


def test_a_run_that_another_process_holds(tiny):
    run, _ = tiny("pruner=none")
    with RunDirectory(run), pytest.raises(UserError, match="another process is working on this very run"):
        tiny("pruner=none")


def test_a_fit_that_diverges_says_so_and_leaves_nothing(tiny, tmp_path):
    with pytest.raises(UserError, match=r"the fit diverged in round 0 .*lower fit.lr"):
        tiny("fit.reg_noise_std=1e38")
    assert not list(tmp_path.glob("runs/*/*.yaml")), "a run that kept nothing leaves no directory"


def test_wrong_input_is_one_line_and_exit_code_2_and_writes_nothing(tmp_path):
    done = _lipdip("pruner=imq", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lipdip: there is no pruner=imq; there are: grasp, imp, magnitude, none, ")
    assert done.stderr.endswith("; did you mean imp?\n") and done.stderr.count("\n") == 1
    done = _lipdip("task.sigma=-3", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_users_own_configuration_directory(tmp_path):
    (tmp_path / "mine" / "protocol").mkdir(parents=True)
    (tmp_path / "mine" / "protocol" / "tiny.yaml").write_text(
        "defaults: [quick, _self_]\nname: tiny\nimage_size: 32\nsteps: 2\nrounds: 1\n"
        "hourglass: {channels: 4, scales: 2}\ndeep_decoder: {channels: 4, scales: 2}\n"
    )
    done = _lipdip("--config-dir", "mine", "protocol=tiny", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    (run,) = (path for path in (tmp_path / "outputs" / "runs").iterdir() if not path.name.startswith("."))
    assert (run / "summary.json").exists()
    done = _lipdip("--config-dir", "mine", "protocol=tyny", cwd=tmp_path)
    assert "did you mean tiny?" in done.stderr


def test_several_runs_at_once(tmp_path):
    settings = ("image.size=32", "model.channels=4", "model.scales=2", "fit.steps=2", "pruner=none")
    done = _lipdip("-m", "seed=0,1", *settings, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "outputs" / "runs").glob("*/summary.json"))) == 2


def test_the_recipe_for_a_pruner_in_contributing_works(tmp_path):
    recipe = (Path(__file__).parents[1] / "CONTRIBUTING.md").read_text()
    code, yaml = (textwrap.dedent(recipe.split(f"```{kind}\n")[1].split("```")[0]) for kind in ("python", "yaml"))
    (tmp_path / "mine" / "pruner").mkdir(parents=True)
    (tmp_path / "my_pruner.py").write_text(code)
    yaml = yaml.replace("lipdip.pruning.layer_magnitude", "my_pruner")
    (tmp_path / "mine" / "pruner" / "layer_magnitude.yaml").write_text(yaml)
    settings = ("image.size=32", "model.channels=4", "model.scales=2", "fit.steps=2", "pruner.rounds=2")
    done = _lipdip("--config-dir", "mine", "pruner=layer_magnitude", *settings, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "sparsity 0.360" in done.stdout


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("summary.json", b"{"),
        ("summary.json", b"{}"),
        ("rounds.csv", None),
        ("rounds.csv", b"round\n0\n"),
        ("tickets/round_00.safetensors", None),
    ],
)
def test_a_finished_run_that_was_damaged_is_done_again(tiny, file, content):
    run, _ = tiny("pruner=none")
    whole = {path: path.read_bytes() for path in run.rglob("*.safetensors")}
    (run / file).unlink() if content is None else (run / file).write_bytes(content)
    again, printed = tiny("pruner=none")
    assert again == run and "finished already" not in printed
    assert {path: path.read_bytes() for path in run.rglob("*.safetensors")} == whole


@pytest.mark.parametrize("content", [b"", b"junk", b"PK\x03\x04"])
def test_a_damaged_checkpoint_is_dropped_with_a_note(tiny, content):
    run, _ = tiny("pruner=none")
    (run / "summary.json").unlink()
    (run / "checkpoint.pt").write_bytes(content)
    again, printed = tiny("pruner=none")
    assert again == run and "the run starts again" in printed
    assert (run / "summary.json").exists()


def test_a_run_does_not_go_on_with_other_numerics(tmp_path):
    class StopAfterASave(Exception):
        pass

    experiment = assemble(compose(*TINY, "trainer=cpu", "trainer.save_seconds=0"))

    class Stop(L.Callback):
        def on_train_batch_start(self, trainer, fitting, *_):
            if fitting.steps == 5:
                raise StopAfterASave

    with RunDirectory(tmp_path / "run") as directory, pytest.raises(StopAfterASave):
        execute(experiment, directory, Console(file=io.StringIO()), callbacks=[Stop()])
    other = assemble(compose(*TINY, "trainer=cpu", "trainer.fused=true"))
    with RunDirectory(tmp_path / "run") as directory, pytest.raises(UserError, match="begun on cpu and would go on"):
        execute(other, directory, Console(file=io.StringIO()))
