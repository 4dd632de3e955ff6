"""The algorithm's laws, on runs of a few steps."""

import csv
import io
import json

import lightning as L
import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded
from lipdip.fit.execute import execute
from lipdip.networks import Hourglass
from lipdip.pruning.schedule import ladder
from lipdip.runs.directory import RunDirectory
from lipdip.runs.matching import answer
from lipdip.runs.rows import Round
from lipdip.tasks import read_rounds
from lipdip.tasks.starting_point import ticket_file
from lipdip.tickets.scope import prunable
from lipdip.tickets.ticket_file import Ticket, tensor_digests

from .conftest import TINY


class Watch(L.Callback):
    """Looks at every step of a fit."""

    def __init__(self):
        self.starts, self.trained, self.last = [], [], {}

    def on_train_batch_start(self, trainer, fitting, *_):
        if fitting.steps == 0:
            self.starts.append({name: value.clone() for name, value in fitting.network.state_dict().items()})
            assert not trainer.optimizers[0].state, "the optimiser remembers an earlier round"

    def on_train_batch_end(self, trainer, fitting, *_):
        for name, weight in prunable(fitting.network).items():
            assert (weight[~fitting.mask[name]] == 0).all(), "a pruned weight came back"
        self.trained.append((fitting.round, fitting.mask))
        self.last[fitting.round] = {name: w.detach().clone() for name, w in prunable(fitting.network).items()}


@pytest.fixture
def watched(tmp_path):
    """A run of three pruning rounds watched."""
    experiment, watch = assemble(compose(*TINY, "trainer=cpu")), Watch()
    with RunDirectory(tmp_path / "run") as directory:
        execute(experiment, directory, Console(file=io.StringIO()), callbacks=[watch])
    return experiment, watch


def test_every_round_starts_from_mask_times_initialisation_and_never_brings_a_weight_back(watched):
    experiment, watch = watched
    masks = dict(watch.trained)
    initials = assemble(compose(*TINY)).module.network.state_dict()
    assert sorted(masks) == [0, 1, 2, 3]
    assert len(watch.trained) == 4 * experiment.module.settings.steps
    for number, start in enumerate(watch.starts):
        for name, value in start.items():
            initial = initials[name]
            expected = initial * masks[number][name] if name in masks[number] else initial
            assert torch.equal(value, expected), f"{name} in round {number}"
    assert [masks[number].kept for number in range(4)] == ladder(experiment.kept[0], 0.2, 3)
    assert all(masks[number + 1].inside(masks[number]) for number in range(3))


def test_each_round_keeps_the_largest_weights_of_the_round_before(watched):
    _, watch = watched
    masks = dict(watch.trained)
    for number in range(3):
        trained = torch.cat([watch.last[number][name].abs().flatten() for name in masks[number]])
        before, after = (torch.cat([layer.flatten() for layer in masks[n].values()]) for n in (number, number + 1))
        assert trained[after].min() >= trained[before & ~after].max()


def test_the_initialisation_is_the_seeds_and_no_one_elses():
    torch.manual_seed(1)
    first = assemble(compose(*TINY)).module.network.state_dict()
    torch.manual_seed(2)
    again = assemble(compose(*TINY)).module.network.state_dict()
    other = assemble(compose(*TINY, "seed=1")).module.network.state_dict()
    assert tensor_digests(first) == tensor_digests(again) != tensor_digests(other)
    with default_generator_seeded(0, "init"):
        assert tensor_digests(Hourglass(3, channels=4, scales=2).state_dict()) == tensor_digests(first)


def test_the_degradation_does_not_change_with_the_training_seed():
    first, other = (assemble(compose(*TINY, "task=inpaint", f"seed={seed}")).module.problems[0] for seed in (0, 1))
    noisier = assemble(compose(*TINY, "task=inpaint", "task.seed=1")).module.problems[0]
    assert torch.equal(first.y, other.y) and not torch.equal(first.y, noisier.y)


def test_the_run_directory(tiny):
    run, printed = tiny("task=inpaint")
    names = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}
    rounds = read_rounds(run)
    kinds = ["dense", "last", *(["matching"] if any(row.matching for row in rounds[1:]) else [])]
    assert names == {
        *("config.yaml", "overrides.yaml", "summary.json", "comparison.png", "rounds.png"),
        *("rounds.csv", "curves.csv", "layers.csv"),
        *("images/clean.png", "images/measured.png"),
        *(f"tickets/round_{number:02d}.safetensors" for number in range(4)),
        *(
            f"images/{name}_{kind}.{end}"
            for name in ("restored", "network")
            for kind in kinds
            for end in ("png", "npy")
        ),
    }
    assert [row.round for row in rounds] == [0, 1, 2, 3]
    assert [row.kept_weights for row in rounds] == ladder(rounds[0].kept_weights, 0.2, 3)
    for row in rounds:
        assert row.weights_per_pixel == pytest.approx(row.kept_weights / (32 * 32 * 3), rel=1e-6)
        assert row.sparsity == pytest.approx(1 - row.kept_weights / rounds[0].kept_weights, abs=1e-6)
        assert row.matching == (row.psnr_best >= rounds[0].psnr_best)
    curves = list(csv.DictReader((run / "curves.csv").read_text().splitlines()))
    assert [int(point["step"]) for point in curves if point["round"] == "0"] == [1, 5, 10, 12]
    for row in rounds:
        seen = [float(point["psnr"]) for point in curves if int(point["round"]) == row.round]
        assert row.psnr_best >= max(seen) - 1e-4 and row.psnr_last == pytest.approx(seen[-1])
    assert (run.name in printed and "most sparse matching ticket" in printed) or "no sparse network" in printed


def test_scores_are_what_they_are_called(tiny):
    run, _ = tiny("pruner=none", "fit.reg_noise_std=0", "fit.record_every=1")
    (row,) = read_rounds(run)
    curves = list(csv.DictReader((run / "curves.csv").read_text().splitlines()))
    averages = [float(point["psnr_ema"]) for point in curves]
    assert row.psnr_best == pytest.approx(max(averages)) and row.psnr_ema == pytest.approx(averages[-1])
    assert row.psnr_best_step == averages.index(max(averages)) + 1
    assert row.ssim_best == pytest.approx(float(curves[row.psnr_best_step - 1]["ssim"]), abs=1e-5)
    clean, restored = (np.asarray(Image.open(run / f"images/{name}.png"), float) for name in ("clean", "restored_last"))
    assert -10 * np.log10(((clean - restored) ** 2).mean() / 255**2) == pytest.approx(row.psnr_best, abs=0.05)


def test_the_output_average_starts_at_the_first_output(tiny):
    run, _ = tiny("pruner=none", "fit.record_every=1")
    first = next(csv.DictReader((run / "curves.csv").read_text().splitlines()))
    assert first["psnr"] == first["psnr_ema"]


def test_a_run_without_a_clean_image_says_what_it_cannot_give(tiny):
    run, printed = tiny("image.clean=false")
    rounds = read_rounds(run)
    for row in rounds:
        assert (row.psnr_best, row.psnr_last, row.psnr_ema, row.ssim_best, row.matching) == (None,) * 5
    summary = json.loads((run / "summary.json").read_text())
    assert summary["most_sparse_matching"] is None
    named = answer(rounds)
    assert summary["answer"] == named.round > 0 and f"answer: round {named.round}" in printed
    assert (run / "images/restored_answer.npy").exists()
    kept = Ticket.load(ticket_file(run))  # what ticket=RUN_DIR means
    assert kept.mask == Ticket.load(run / f"tickets/round_{named.round:02d}.safetensors").mask
    assert "no clean image" in summary["scored"]["why"] and "no scores: there is no clean image" in printed
    assert not (run / "images/clean.png").exists() and (run / "comparison.png").exists()


@pytest.mark.parametrize(
    ("losses", "chosen"),
    [((5, 6, 7, 4), 2), ((5, 6, 5, 6), 3), ((5, 4, 4, 5, 6, 9), 4), ((3, 2), 1), ((3,), None)],
)
def test_without_a_clean_picture_the_loss_chooses_the_round(losses, chosen):
    common = {"sparsity": 0.2, "kept_weights": 5, "seconds": 0.0}
    rounds = [Round(round=number, loss=loss, **common) for number, loss in enumerate(losses)]
    found = answer(rounds)
    assert (None if found is None else found.round) == chosen


@pytest.mark.parametrize("sigma", [0, 10])
def test_exact_data_are_kept_in_the_answer_and_both_pictures_are_written(tiny, sigma):
    run, printed = tiny("task=inpaint", f"task.sigma={sigma}", "pruner=none")
    problem = assemble(compose(*TINY, "task=inpaint", f"task.sigma={sigma}", "pruner=none")).module.problems[0]
    other = "consistent" if sigma else "network"
    read = {name: np.load(run / f"images/{name}_last.npy") for name in ("restored", other)}
    network, consistent = (read["restored"], read[other]) if sigma else (read[other], read["restored"])
    known = problem.physics.pixel_mask.bool().expand(3, -1, -1)[None].numpy()
    assert np.array_equal(consistent[known], problem.y.numpy()[known])
    assert np.array_equal(consistent[~known], network[~known])
    (row,) = read_rounds(run)
    clean = problem.x.numpy()
    for picture, psnr in ((network, row.psnr_best), (consistent, row.psnr_consistent)):
        assert -10 * np.log10(((picture - clean) ** 2).mean()) == pytest.approx(psnr, abs=1e-3)
    assert "data kept" in printed


def test_a_picture_that_is_still_getting_better_is_said_to_be(tiny):
    _, printed = tiny("pruner=none")
    assert "still rising at the end of the round" in printed


def test_super_resolution_of_a_small_picture_gives_a_large_one(tiny, tmp_path):
    Image.fromarray(np.full((16, 24, 3), 90, np.uint8)).save(tmp_path / "small.png")
    source = ("image=file", f"image.path={tmp_path / 'small.png'}", "image.clean=false", "image.size=null")
    run, _ = tiny("task=super_resolution", "task.factor=4", "pruner=none", *source)
    assert np.asarray(Image.open(run / "images/restored_last.png")).shape == (64, 96, 3)
    assert np.asarray(Image.open(run / "images/measured.png")).shape == (16, 24, 3)


def test_tickets_of_a_run_are_whole_and_say_where_they_come_from(tiny):
    run, _ = tiny()
    rounds = read_rounds(run)
    tickets = [Ticket.load(run / f"tickets/round_{number:02d}.safetensors") for number in range(4)]
    assert [ticket.mask.kept for ticket in tickets] == [row.kept_weights for row in rounds]
    for ticket in tickets:
        assert ticket.init["tensors"] == tensor_digests(assemble(compose(*TINY)).module.network.state_dict())
        assert ticket.provenance["run"] == run.name and ticket.provenance["picture"] == "astronaut"
    assert tickets[2].provenance["scores"]["round"] == 2


def test_the_same_science_is_the_same_run_wherever_it_is_done(tmp_path):
    def name(*overrides: str) -> str:
        return assemble(compose(*TINY, *overrides)).name

    same = name()
    assert same == name("paths.output_dir=elsewhere", "trainer=cpu", "trainer.save_seconds=3", "task.sigma=25.0")
    changes = (
        "seed=1",
        "task.sigma=24",
        "image=coffee",
        "fit.lr=0.02",
        "pruner.rate=0.3",
        "task.seed=1",
        "task=inpaint",
    )
    assert len({same, *(name(change) for change in changes)}) == len(changes) + 1


def test_another_picture_under_the_same_name_is_another_run(tmp_path):
    def name(value: int) -> str:
        Image.fromarray(np.full((40, 40), value, np.uint8)).save(tmp_path / "a.png")
        return assemble(compose(*TINY, "image=file", f"image.path={tmp_path / 'a.png'}")).name

    assert name(1) == name(1) != name(2)


def test_a_finished_run_returns_at_once_and_says_so(tiny):
    run, first = tiny()
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()}
    again, printed = tiny()
    assert again == run and "finished already" in printed and "finished already" not in first
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*") if path.is_file()} == before


def test_pruner_none_is_the_dense_round_of_imp(tiny):
    alone, _ = tiny("pruner=none")
    first = read_rounds(tiny()[0])[0]
    (row,) = read_rounds(alone)
    assert (row.psnr_best, row.loss) == (first.psnr_best, first.loss)


def test_a_degraded_picture_is_never_resampled(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (100, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noisy.png")
    source = ("image=file", f"image.path={tmp_path / 'noisy.png'}", "image.clean=false")
    whole = assemble(compose(*source)).module.problems[0].y
    assert torch.equal((whole[0] * 255).round().byte(), torch.tensor(noise).permute(2, 0, 1))
    cut = assemble(compose(*source, "image.size=[32,64]")).module.problems[0].y
    assert torch.equal((cut[0] * 255).round().byte(), torch.tensor(noise[34:66, 8:72]).permute(2, 0, 1))
    with pytest.raises(UserError, match="128x128 cannot be cut out of it"):
        assemble(compose(*source, "image.size=128"))


def test_the_deep_decoder_is_scored_at_its_lowest_fitting_loss(tiny):
    run, _ = tiny("model=deep_decoder", "pruner=none", "fit.record_every=1", "fit.steps=40")
    points = list(csv.DictReader((run / "curves.csv").read_text().splitlines()))
    lowest, expected = float("inf"), []
    for point in points:
        if float(point["loss"]) < lowest:
            lowest = float(point["loss"])
            expected.append(float(point["psnr"]))
    assert read_rounds(run)[0].psnr_best == pytest.approx(max(expected))
