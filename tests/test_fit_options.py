"""What a fit and a round can do beside the default: rewinding, SGLD, and the public scripts' quirks."""

import io
import json

import lightning as L
import pytest
import torch
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.core.errors import UserError
from lipdip.fit.execute import execute
from lipdip.networks import Hourglass
from lipdip.pictures import draw_code
from lipdip.pruning.anatomy import anatomy
from lipdip.pruning.schedule import ladder
from lipdip.runs.directory import RunDirectory
from lipdip.tasks import read_rounds
from lipdip.tickets.mask import Mask
from lipdip.tickets.scope import ends, prunable

from .conftest import TINY


class Look(L.Callback):
    """Copies of the weights before and after every step, by (round, step)."""

    def __init__(self) -> None:
        self.before: dict[tuple[int, int], dict[str, torch.Tensor]] = {}
        self.codes: dict[int, torch.Tensor] = {}
        self.masks: dict[int, Mask] = {}
        self.y: torch.Tensor | None = None

    def on_train_batch_start(self, trainer, fitting, *_):
        state = {name: value.clone() for name, value in fitting.network.state_dict().items()}
        self.before[fitting.round, fitting.steps] = state
        self.codes[fitting.round], self.masks[fitting.round] = fitting.codes[0], fitting.mask
        self.y = fitting.problems[0].y


@pytest.fixture
def look(tmp_path):
    def do(*overrides: str) -> Look:
        looked = Look()
        experiment = assemble(compose(*TINY, "trainer=cpu", *overrides))
        with RunDirectory(tmp_path / experiment.name) as directory:
            execute(experiment, directory, Console(file=io.StringIO()), callbacks=[looked])
        return looked

    return do


@pytest.mark.parametrize(("rewind", "step"), [("5", 5), ("0.25", 3), ("0", 0)])
def test_later_rounds_start_from_the_dense_rounds_weights_at_the_step_asked_for(look, rewind, step):
    seen = look(f"pruner.rewind={rewind}")
    point = seen.before[0, step]
    for number in (1, 2, 3):
        for name, value in seen.before[number, 0].items():
            kept = seen.masks[number].get(name)
            assert torch.equal(value, point[name] if kept is None else point[name] * kept), name


def test_a_resampled_code_is_new_each_round_and_a_fixed_one_is_not(look):
    fixed, resampled = look("pruner.rounds=2").codes, look("pruner.rounds=2", "fit.code=resampled").codes
    assert torch.equal(fixed[0], fixed[1]) and torch.equal(fixed[0], resampled[0])
    assert not torch.equal(resampled[0], resampled[1]) and not torch.equal(resampled[1], resampled[2])
    assert torch.equal(resampled[2], draw_code(resampled[2].shape[1:], 0, 2))


def test_target_clean_fits_the_clean_picture_and_says_so(look, tiny):
    experiment = assemble(compose(*TINY))
    assert torch.equal(look("pruner.rounds=1", "pruner.target=clean").y, experiment.module.problems[0].x)
    assert torch.equal(look("pruner.rounds=1").y, experiment.module.problems[0].y)
    run, _ = tiny("pruner.target=clean")
    assert json.loads((run / "summary.json").read_text())["fitted_to"] == "clean"
    with pytest.raises(UserError, match=r"pruner.target=clean needs a clean picture"):
        tiny("pruner.target=clean", "image.clean=false")


def test_the_public_random_baseline_keeps_64_percent_a_round(tiny):
    run, _ = tiny("pruner=random", "pruner.listed_twice=true", "pruner.empty_layers=keep_one")
    rounds = read_rounds(run)
    assert [row.kept_weights for row in rounds] == ladder(rounds[0].kept_weights, 0.36, 3)
    assert rounds[3].sparsity == pytest.approx(1 - 0.64**3, abs=1e-3)


def test_input_convolutions_stay_dense_where_the_quirk_is_on(look):
    first, _ = ends(Hourglass(3, channels=4, scales=2), torch.rand(1, 32, 32, 32))
    for quirk in (True, False):
        seen = look(f"pruner.input_convs_stay_dense={str(quirk).lower()}")
        mask, weights = seen.masks[3], seen.before[3, 11]
        for name, kept in mask.items():
            zeros = weights[name][~kept]
            assert bool((zeros == 0).all()) is not (quirk and name in first), name


def test_legacy_turns_every_quirk_on_at_the_papers_size():
    cfg = compose("protocol=legacy", "pruner=random", "seed=5")
    assert (cfg.fit.code, cfg.task.seed) == ("resampled", 5)
    assert compose("protocol=legacy").pruner.target == "clean", "masks are found on the clean picture"
    for pruner in ("random", "ticket"):
        evaluated = compose("protocol=legacy", f"pruner={pruner}").pruner.target
        assert evaluated == "degraded", "and evaluated on the degraded one"
    assert cfg.pruner.listed_twice and cfg.pruner.input_convs_stay_dense
    assert (cfg.model.channels, cfg.fit.steps, cfg.pruner.rounds) == (128, 3000, 16)
    assert not compose("protocol=legacy").pruner.listed_twice, "imp has no such quirk"
    fair = compose("protocol=paper", "pruner=random", "seed=5")
    assert (fair.pruner.target, fair.fit.code, fair.task.seed) == ("degraded", "fixed", 0)
    assert not fair.pruner.listed_twice and not fair.pruner.input_convs_stay_dense


def test_sgld_adds_noise_of_the_given_size_to_convolution_weights_alone(look):
    settings = ("pruner=none", "fit.lr=1e-12", "fit.reg_noise_std=0", "model.channels=16", "fit.weight_noise=0.02")
    seen = look(*settings)
    for name in prunable(Hourglass(3, channels=16, scales=2)):
        moved = seen.before[0, 5][name] - seen.before[0, 4][name]
        if moved.numel() > 500:
            assert moved.std().item() == pytest.approx(0.02, rel=0.15)
    bias = "head.bias"
    torch.testing.assert_close(seen.before[0, 5][bias], seen.before[0, 4][bias], atol=1e-9, rtol=0)


def test_sgld_answers_with_the_mean_of_its_samples(tmp_path, tiny):
    cfg = compose("fit=sgld", "task=denoise")
    assert (cfg.fit.steps, cfg.fit.burn_in, cfg.fit.thin, cfg.fit.weight_decay) == (20000, 7000, 50, 5e-8)
    outputs = []

    class Watch(L.Callback):
        def on_train_batch_end(self, trainer, fitting, *_):
            outputs.append(fitting.scores[0]._output.clone())
            self.mean = fitting.scores[0]._average

    watch = Watch()
    settings = ("fit=sgld", "fit.burn_in=4", "fit.thin=3", "pruner=none", "trainer=cpu")
    experiment = assemble(compose(*TINY, *settings))
    with RunDirectory(tmp_path / "run") as directory:
        execute(experiment, directory, Console(file=io.StringIO()), callbacks=[watch])
    samples = [outputs[step - 1] for step in (5, 8, 11)]
    torch.testing.assert_close(watch.mean, torch.stack(samples).mean(0))


def test_the_anatomy_of_a_mask_is_counted():
    network = Hourglass(3, channels=4, scales=2, skip_channels=2, code_channels=3)
    mask = Mask.dense(prunable(network))
    layers = dict(mask)
    layers["head.weight"] = torch.zeros_like(layers["head.weight"])
    layers["body.down.conv.weight"] = layers["body.down.conv.weight"].clone()
    layers["body.down.conv.weight"][1] = False
    rows = {row.layer: row for row in anatomy(network, Mask(layers), torch.rand(1, 3, 16, 24), 4)}
    assert list(rows) == list(prunable(network))
    assert (rows["head.weight"].kept, rows["head.weight"].dead_channels, rows["head.weight"].density) == (0, 3, 0)
    down = rows["body.down.conv.weight"]
    assert (down.round, down.weights, down.kept, down.dead_channels, down.channels) == (4, 108, 81, 1, 4)
    assert (down.flops, down.flops_kept) == (2 * 108 * 8 * 12, 2 * 81 * 8 * 12)


def test_rounds_report_what_sparsity_hides(tiny):
    run, _ = tiny()
    network = assemble(compose(*TINY)).module.network
    total = sum(parameter.numel() for parameter in network.parameters())
    rounds = read_rounds(run)
    assert rounds[0].parameters_kept == total and rounds[0].flops == rounds[0].flops_kept
    for row in rounds:
        assert row.parameters_kept == total - rounds[0].kept_weights + row.kept_weights
        assert row.flops_kept <= row.flops == rounds[0].flops
    lines = (run / "layers.csv").read_text().splitlines()
    assert len(lines) == 1 + 4 * len(prunable(network))
