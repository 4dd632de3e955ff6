"""Choosing without a clean image: steps by the output's variance, rounds by the fitting loss."""

import csv

import pytest
import torch

from lipdip.cli.compose import compose
from lipdip.core.metrics import Metric
from lipdip.fit.scores import Scores
from lipdip.fit.settings import FitSettings
from lipdip.fit.stopping import ExponentialVariance, FirstDescent, WindowedVariance
from lipdip.runs.rising import rising
from lipdip.tasks import read_rounds

CPU = torch.device("cpu")


def _outputs(steps: int) -> torch.Tensor:
    """Outputs that calm down until the middle and grow restless again."""
    draw = torch.Generator().manual_seed(0)
    restless = (torch.arange(steps) - steps / 2).abs().view(-1, 1, 1, 1, 1) / steps
    return 0.5 + restless * torch.randn(steps, 1, 3, 8, 8, generator=draw)


def test_the_windowed_variance_is_the_definitions():
    outputs, window = _outputs(120), 10
    rule = WindowedVariance(window, 1000, CPU)
    for output in outputs:
        rule.update(output)
    flat = outputs.flatten(1).double()
    windows = [flat[end - window : end] for end in range(window, 121)]
    variances = [(part - part.mean(0)).square().sum(1).mean().item() for part in windows]
    assert rule.chosen == variances.index(min(variances)) + window
    assert rule._lowest.item() == pytest.approx(min(variances), rel=1e-9)


def test_the_exponential_variance_is_the_definitions_in_one_picture_of_memory():
    outputs, rate = _outputs(200).double(), 1 / 20
    rule = ExponentialVariance(20, 1000, CPU)
    mean, moving, seen = outputs[0], 0.0, []
    for output in outputs:
        rule.update(output)
        moving = (1 - rate) * (moving + rate * (output - mean).square().sum().item())
        mean = (1 - rate) * mean + rate * output
        seen.append(moving)
    assert rule.chosen == seen.index(min(seen[19:])) + 1
    assert rule._lowest.item() == pytest.approx(min(seen[19:]), rel=1e-9)
    held = sum(value.numel() for value in vars(rule).values() if isinstance(value, torch.Tensor))
    assert held < 2 * outputs[0].numel()


@pytest.mark.parametrize("make", [WindowedVariance, ExponentialVariance])
def test_after_patience_the_search_is_over_whatever_comes(make):
    rule = make(5, 30, CPU)
    outputs = _outputs(120)
    for output in outputs:
        rule.update(output)
    chosen = rule.chosen
    assert rule.over and 40 < chosen < 80
    for _ in range(20):
        assert not rule.update(outputs[0])  # nothing moves at all, and yet nothing is chosen any more
    assert rule.chosen == chosen


@pytest.mark.parametrize("make", [WindowedVariance, ExponentialVariance])
def test_a_rule_goes_on_from_a_saved_state(make):
    whole, part, resumed = make(7, 30, CPU), make(7, 30, CPU), make(7, 30, CPU)
    outputs = _outputs(100)
    for output in outputs:
        whole.update(output)
    for output in outputs[:45]:
        part.update(output)
    resumed.load_state_dict(part.state_dict())
    for output in outputs[45:]:
        resumed.update(output)
    assert resumed.chosen == whole.chosen and torch.equal(resumed._lowest, whole._lowest)


def _losses(flat: int, falling: int, slow: int) -> torch.Tensor:
    """A network that does not learn at first, then does, and then fits noise."""
    parts = (torch.ones(flat), torch.logspace(0, -2, falling), torch.linspace(0.01, 0.008, slow))
    return torch.cat(parts).double()


@pytest.mark.parametrize(("flat", "falling"), [(0, 60), (100, 60), (0, 200)])
def test_the_first_descent_is_over_when_the_loss_has_fallen_and_slowed(flat, falling):
    guard = FirstDescent(10, 0.8, CPU)
    over = [bool(guard.update(loss)) for loss in _losses(flat, falling, 100)]
    assert flat + falling <= over.index(True) + 1 <= flat + falling + 20
    assert all(over[over.index(True) :])


def test_no_step_of_the_first_descent_is_chosen_but_for_want_of_others():
    outputs = torch.cat([torch.full((30, 1, 3, 8, 8), 0.5), _outputs(200)])  # calm at first, and in the middle
    rule, never = WindowedVariance(5, 60, CPU), WindowedVariance(5, 60, CPU)
    for step, output in enumerate(outputs, 1):
        rule.update(output, torch.tensor(step > 60))
        never.update(output, torch.tensor(False))
    assert 110 < rule.chosen < 150 and rule.over
    assert never.chosen == 5 and not never.over  # the search goes on: a trusted step may come


def test_the_average_is_corrected_for_its_beginning_unless_the_public_way_is_asked_for():
    outputs = torch.rand(30, 1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    loss, decay = torch.tensor(1.0), 0.9
    for corrected in (True, False):
        settings = FitSettings(steps=30, ema=decay, ema_correct=corrected)
        scores = Scores(settings, Metric(), outputs[0], CPU)
        for output in outputs:
            scores.update(loss, output)
        weights = torch.tensor([decay ** (29 - step) for step in range(30)])
        if corrected:
            weights /= weights.sum()
        else:
            weights[1:] *= 1 - decay
        expected = (weights.view(-1, 1, 1, 1, 1) * outputs).sum(0)
        torch.testing.assert_close(scores.state_dict()["_average"], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize(("protocol", "corrected"), [("quick", True), ("paper", False), ("legacy", False)])
def test_protocols_average_as_they_should(protocol, corrected):
    assert compose(f"protocol={protocol}").fit.ema_correct is corrected


@pytest.mark.parametrize("rule", ["wmv", "emv"])
def test_every_run_says_what_the_rule_chose_and_what_it_cost(tiny, rule):
    settings = (f"fit.stop_rule={rule}", "fit.stop_window=5", "fit.record_every=1", "fit.steps=40", "pruner.rounds=1")
    run, _ = tiny(*settings)
    curves = list(csv.DictReader((run / "curves.csv").read_text().splitlines()))
    for row in read_rounds(run):
        point = next(p for p in curves if int(p["round"]) == row.round and int(p["step"]) == row.stop_step)
        assert row.psnr_stop == pytest.approx(float(point["psnr_ema"]))
        assert row.psnr_stop_gap == pytest.approx(row.psnr_best - row.psnr_stop, abs=1e-4) and row.psnr_stop_gap >= 0


def test_a_round_really_ends_where_asked_at_the_same_step_on_every_machine(tmp_path, tiny):
    settings = ("fit.stop_window=3", "fit.stop_patience=4", "fit.steps=200", "fit.record_every=5", "pruner=none")

    def last_step(*more: str) -> int:
        run, _ = tiny(
            *settings, "fit.stop_early=true", "trainer=cpu", *more, output_dir=tmp_path / str(len("".join(more)))
        )
        return int(list(csv.DictReader((run / "curves.csv").read_text().splitlines()))[-1]["step"])

    assert last_step() == last_step("trainer.steps_per_batch=7") < 200


def test_without_a_clean_image_the_rules_picture_is_the_answer(tiny):
    run, _ = tiny("image.clean=false", "fit.stop_window=5", "pruner=none")
    (row,) = read_rounds(run)
    assert row.stop_step is not None and row.psnr_stop is None


def test_the_papers_rule_for_rounds():
    assert rising([3, 2, 1, 2, 3, 4], 2) == 4
    assert rising([3, 2, 1, 2, 3, 4], 3) == 5
    assert rising([3, 2, 3, 2, 3, 2], 2) is None
    assert rising([1, 1, 1], 1) is None


def test_pruning_really_stops_after_the_loss_has_risen(tiny):
    # With a fixed code and no jitter the loss after two steps rises as weights go.
    run, printed = tiny("pruner.stop=1", "pruner.rounds=12", "pruner.empty_layers=keep_one")
    losses = [row.loss for row in read_rounds(run)]
    assert len(losses) < 13 and rising(losses, 1) == len(losses) - 1
    assert "ended early: the fitting loss has risen 1 rounds in a row" in printed
