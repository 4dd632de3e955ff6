"""The library as Python: what ten lines give is what a command gives, as values."""

from functools import partial

import lightning as L
import numpy as np
import pytest
import torch

import lipdip as lip
from lipdip.fit.autosave import Stopped

SMALL = partial(lip.Hourglass, channels=4, scales=2)
CPU = lip.Hardware("cpu", save_seconds=0)
BRIEF = {"rounds": 2, "steps": 4, "hardware": CPU}
QUIET = {"accelerator": "cpu", "logger": False, "enable_checkpointing": False, "enable_progress_bar": False}


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    return torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def physics(x):
    return lip.physics.Inpaint(x.shape[1:], keep=0.5, seed=0)


@pytest.fixture(scope="module")
def found(x, physics) -> lip.Run:
    return lip.find(x, physics, SMALL, seed=0, pruner=lip.Magnitude(), **BRIEF)


def values(run: lip.Run) -> list[tuple]:
    """A run's numbers, times aside, as a table stores them."""
    return [
        (row.round, row.kept_weights, *(f"{one:.7g}" for one in (row.loss, row.psnr_best, row.psnr_ema, row.ssim_best)))
        for row in run.rounds
    ]


def test_finding_gives_rows_tickets_and_pictures(found, x):
    assert [round(row.sparsity, 2) for row in found.rounds] == [0, 0.2, 0.36]
    assert [ticket.mask.kept for ticket in found.tickets] == [row.kept_weights for row in found.rounds]
    assert torch.equal(found.pictures["clean"], x)
    assert {picture.dtype for picture in found.pictures.values()} == {torch.float32}
    assert found.directory is None and found.ticket.mask.sparsity > 0


def test_arrays_are_as_good_as_tensors(found, x, physics):
    again = lip.find(x[0].numpy(), physics, SMALL, **BRIEF)
    assert values(again) == values(found)
    y = physics(x)
    restored = [lip.restore(one, physics, ticket=found.ticket, steps=4, hardware=CPU) for one in (y, y[0].numpy())]
    assert torch.equal(*restored)


def test_restoring_with_a_ticket_repeats_its_round(found, x, physics):
    y = lip.Problem.measured(x[0], physics).y
    x_hat = lip.restore(y, physics, ticket=found.tickets[2], steps=4, hardware=CPU, answer="output", stop_window=2)
    last = lip.find(x, physics, SMALL, **BRIEF, answer="output", stop_window=2).pictures["restored_last"]
    assert x_hat.shape == last.shape and x_hat.dtype == torch.float32
    blind = lip.find(lip.Problem(y, physics), None, SMALL, **BRIEF, answer="output", stop_window=2)
    assert torch.equal(x_hat, blind.pictures["restored_last"])


def test_without_a_clean_picture_there_are_no_scores(x, physics):
    blind = lip.find(lip.Problem(physics(x), physics), None, SMALL, **BRIEF)
    assert [row.psnr_best for row in blind.rounds] == [None] * 3
    assert blind.winner is blind.rounds[-1]


class Own(torch.nn.Module):
    """Somebody's network."""

    def __init__(self, out_channels: int = 3) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Conv2d(8, 6, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.Conv2d(6, out_channels, 1),
            torch.nn.Sigmoid(),
        )

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return self.layers(z)


class Shaped(Own):
    """It says what its codes are."""

    def code_shape(self, height: int, width: int) -> tuple[int, int, int]:
        return 8, height, width


@pytest.mark.parametrize("network", [Own, Shaped, Own(), Shaped()], ids=["Own", "Shaped", "an Own", "a Shaped"])
def test_any_module_from_a_code_to_a_picture_is_a_prior(x, physics, network):
    before = network.layers[0].weight.clone() if isinstance(network, Own) else None
    run = lip.find(x, physics, network, rounds=1, steps=2, hardware=CPU)
    assert run.rounds[1].sparsity == pytest.approx(0.2, abs=0.01)
    if before is not None:
        assert torch.equal(network.layers[0].weight, before), "a copy is trained"


def test_a_run_in_a_directory_is_resumed_and_read_back_as_it_was_in_memory(found, x, physics, tmp_path):
    find = partial(lip.find, x, physics, SMALL, pruner=lip.Magnitude(), **BRIEF, directory=tmp_path / "run")

    class Spent(L.Callback):
        """A limit like max_time, reached in round 1."""

        def on_train_batch_end(self, trainer, fitting, *_):
            trainer.should_stop = trainer.should_stop or (fitting.round, fitting.steps) == (1, 2)

    with pytest.raises(Stopped):
        find(callbacks=[Spent()])
    resumed, read = find(), find()
    assert values(resumed) == values(read) == values(found)
    assert resumed.directory == tmp_path / "run" and read.ticket.mask == found.ticket.mask
    stored = np.load(tmp_path / "run" / "images" / "restored_last.npy")
    assert stored.dtype == np.float32
    for run in (resumed, read):
        assert torch.equal(run.pictures["restored_last"], found.pictures["restored_last"])
    assert np.array_equal(stored, found.pictures["restored_last"].numpy())
    with pytest.raises(lip.UserError, match="another run"):
        find(seed=1)


def test_a_prior_with_the_call_of_a_reconstructor(found, x, physics):
    prior = lip.DeepImagePrior(ticket=found.ticket, steps=3, hardware=CPU)
    y = torch.cat([physics(x), physics(1 - x)])
    with torch.no_grad():
        x_hat = prior(y, physics)
    assert x_hat.shape == (2, 3, 32, 32) and x_hat.dtype == torch.float32 and not x_hat.requires_grad
    assert torch.equal(x_hat[1:], lip.restore(y[1:], physics, ticket=found.ticket, steps=3, hardware=CPU))
    assert not list(prior.parameters())


def test_a_ticket_is_saved_built_again_and_held_under_any_loop(found, tmp_path):
    found.ticket.save(tmp_path / "ticket.safetensors")
    ticket = lip.Ticket.load(tmp_path / "ticket.safetensors")
    network = ticket.network()
    weights = dict(network.named_parameters())
    assert all(not weights[name][~kept].any() for name, kept in ticket.mask.items())
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.1)
    with ticket.mask.held(network):
        for _ in range(2):
            network(torch.rand(1, *network.code_shape(32, 32))).mean().backward()
            optimizer.step()
    assert all(not weights[name][~kept].any() for name, kept in ticket.mask.items())


def test_any_module_is_pruned_in_a_line():
    module, z = Own(), torch.rand(1, 8, 16, 16)
    mask = lip.prune(module, lip.Snip(lambda made: made.square().mean(), z), keep=0.2)
    assert mask.sparsity == pytest.approx(0.8, abs=0.01)


@pytest.mark.filterwarnings("ignore:.*isinstance.treespec", "ignore:.*does not have many workers")
def test_the_module_in_a_plain_trainer(x, physics):
    fit = lip.PriorFitting(SMALL(3), [lip.Problem(physics(x), physics)], steps=2)
    trainer = L.Trainer(max_epochs=3, callbacks=[lip.PruneAndRewind(rate=0.2)], enable_model_summary=False, **QUIET)
    trainer.fit(fit)
    assert fit.mask.sparsity == pytest.approx(0.36, abs=0.01)
