"""Tickets of a pretrained generator: what rounds of fine-tuning reset to, and how tickets are used."""

import io

import lightning as L
import pytest
import torch
from rich.console import Console

from lipdip.cli import ticket_command as command
from lipdip.cli import transfer_command as transfer
from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.core.errors import UserError
from lipdip.fit.execute import execute
from lipdip.generators import load_generator, save_network
from lipdip.generators.pretrained import fetched, pretrained
from lipdip.networks import Generator
from lipdip.runs.directory import RunDirectory
from lipdip.tasks import read_rounds
from lipdip.tickets.ticket_file import Ticket, tensor_digests


def _do(words, folder, *extra):
    """The experiment that ``words`` describe, and the run directory below ``folder`` in which it was done."""
    experiment = assemble(compose(*words, "trainer=cpu"))
    directory = folder / experiment.name
    with RunDirectory(directory) as held:
        execute(experiment, held, Console(file=io.StringIO()), callbacks=list(extra))
    return experiment, directory


def _tuning(clothes, gan, *more):
    small = ("fit.steps=6", "fit.batch=4", "fit.judging_steps=3", "fit.judged=3", "pruner.rounds=2")
    return ["task=gan_train", "fit=finetune", f"model.path={gan}", f"dataset.path={clothes}", *small, *more]


def _recovering(gan, *more):
    return ["task=gan_inpaint", f"model.path={gan}", "fit.steps=8", "fit.restarts=2", *more]


@pytest.fixture(scope="module")
def gan(clothes, tmp_path_factory):
    """A run directory of a small GAN that was trained from nothing."""
    small = ("model.channels=[6,5,4]", "model.latent=5", "fit.batch=4", "fit.judging_steps=3", "fit.judged=3")
    words = ["task=gan_train", f"dataset.path={clothes}", *small, "fit.steps=8", "fit.grow=2"]
    return _do(words, tmp_path_factory.mktemp("gan"))[1]


@pytest.fixture(scope="module")
def tuned(clothes, gan, tmp_path_factory):
    """A run directory of IMP over rounds of fine-tuning it."""
    return _do(_tuning(clothes, gan, "pruner=imp"), tmp_path_factory.mktemp("tuned"))[1]


class Starts(L.Callback):
    def __init__(self):
        self.seen = []

    def on_train_batch_start(self, trainer, fitting, *_):
        if fitting.steps == 0:
            parts = (fitting.network, fitting.average, fitting.discriminator)
            self.seen.append([{n: v.clone() for n, v in part.state_dict().items()} for part in parts])
            self.masks = [*getattr(self, "masks", []), fitting.mask]


@pytest.mark.parametrize("pruner", ["imp", "random", "snip", "synflow"])
def test_every_round_starts_from_the_pretrained_networks_the_generator_masked(clothes, gan, tmp_path, pruner):
    starts, source = Starts(), pretrained(str(gan))
    _, run = _do(_tuning(clothes, gan, f"pruner={pruner}"), tmp_path, starts)
    assert len(starts.seen) == len(read_rounds(run)) > 1 and starts.masks[-1].sparsity > 0.3
    for mask, (network, average, critic) in zip(starts.masks, starts.seen, strict=True):
        for name, weight in source.generator.state_dict().items():
            kept = mask.get(name, torch.ones_like(weight, dtype=torch.bool))
            assert torch.equal(network[name], weight * kept), name
            assert torch.equal(average[name][kept], weight[kept]), name
        assert source.discriminator is not None
        assert tensor_digests(critic) == tensor_digests(source.discriminator.state_dict())


def test_a_ticket_names_the_pretrained_generator_and_carries_no_weights(tuned, gan):
    ticket = Ticket.load(tuned / "tickets/round_02.safetensors")
    source = pretrained(str(gan))
    assert ticket.weights is None and ticket.init["seed"] is None
    assert ticket.init["pretrained"] == {"name": source.name, "sha256": source.digest}
    assert ticket.init["tensors"] == tensor_digests(source.generator.state_dict())


@pytest.mark.parametrize("task", ["gan_inpaint", "compressive_sensing task.measurements=40"])
def test_a_recovery_starts_from_the_ticket(tuned, gan, tmp_path, task):
    words = _recovering(gan, f"ticket={tuned}", "ticket.round=2", *(f"task={task}".split()))
    experiment, run = _do(words[1:], tmp_path)
    ticket = Ticket.load(tuned / "tickets/round_02.safetensors")
    (row,) = read_rounds(run)
    assert row.kept_weights == ticket.mask.kept and row.sparsity > 0.3
    start = pretrained(str(gan)).generator.state_dict()
    for name, weight in experiment.module.network.state_dict().items():
        assert torch.equal(weight, start[name] * ticket.mask.get(name, 1)), name
    again = Ticket.load(run / "tickets/round_00.safetensors")
    assert again.mask.digest() == ticket.mask.digest() and again.init == ticket.init and again.weights is None


def test_each_sparse_round_leaves_its_trained_generator_which_recovers_with_its_mask(tuned, tmp_path):
    stored = load_generator(tuned / "generators/round_02.safetensors")
    mask = Ticket.load(tuned / "tickets/round_02.safetensors").mask
    weights = dict(stored.generator.named_parameters())
    assert all((weights[name][~kept] == 0).all() for name, kept in mask.items())
    trained = f"{tuned}/generators/round_02.safetensors"
    words = _recovering(trained, f"ticket={tuned}", "ticket.round=2", "ticket.init=model")
    experiment, run = _do(words, tmp_path)
    assert tensor_digests(experiment.module.network.state_dict()) == tensor_digests(stored.generator.state_dict())
    assert read_rounds(run)[0].kept_weights == mask.kept


def test_fine_tuning_goes_on_from_a_ticket(clothes, gan, tuned, tmp_path):
    words = _tuning(clothes, gan, f"ticket={tuned}", "ticket.round=1", "pruner=imp")
    found, went_on = (read_rounds(directory) for directory in (tuned, _do(words, tmp_path)[1]))
    assert went_on[0].sparsity == found[1].sparsity and went_on[1].sparsity == found[2].sparsity
    assert went_on[0].reconstruction_error == found[1].reconstruction_error, "the same round, by itself"


def test_a_control_of_such_a_ticket_and_its_export(tuned, gan, tmp_path, capsys):
    file, lot, out = str(tuned / "tickets/round_02.safetensors"), str(tmp_path / "lot"), str(tmp_path / "state.pt")
    assert command.main(["control", file, lot, "--kind", "layerwise", "--seed", "1"]) == 0
    control, ticket = Ticket.load(tmp_path / "lot"), Ticket.load(tuned / "tickets/round_02.safetensors")
    assert control.mask.kept == ticket.mask.kept and control.mask.digest() != ticket.mask.digest()
    assert control.init == ticket.init
    assert command.main(["export", file, out, "--torch"]) == 2
    assert "--pretrained" in capsys.readouterr().err
    assert command.main(["export", file, out, "--torch", "--pretrained", str(gan)]) == 0
    state, source = torch.load(out, weights_only=True), pretrained(str(gan)).generator.state_dict()
    for name, weight in source.items():
        assert torch.equal(state[name], weight * ticket.mask.get(name, 1)), name
    assert command.main(["export", file, str(tmp_path / "b"), "--torch", "--pretrained", "embedded"]) == 2
    assert "other weights" in capsys.readouterr().err


def test_what_does_not_belong_together_is_said(clothes, gan, tuned, tmp_path):
    torch.manual_seed(0)
    other = tmp_path / "other.safetensors"
    save_network(Generator(latent=5, channels=[6, 5, 4], picture_channels=1), other)
    small = ("model.channels=[6,5,4]", "model.latent=5", "fit.grow=null", "pruner.rounds=1", "pruner=imp")
    _, untrained = _do([*_tuning(clothes, gan)[:1], *_tuning(clothes, gan)[3:], *small], tuned.parent)
    at = ("ticket.round=1",)
    for words, message in [
        (_recovering(other, f"ticket={tuned}", *at), f"belongs to the pretrained network {gan.name}"),
        (_recovering(gan, f"ticket={untrained}", *at), "found on a network without training"),
        (_recovering(gan, f"ticket={tuned}", *at, "ticket.init=reinit"), "not drawn anew"),
        (_tuning(clothes, gan, "pruner=reinit", "pruner.ticket=x"), "not drawn anew"),
        (_tuning(clothes, gan, "fit.grow=4"), "has grown already"),
        (_tuning(clothes, other), "needs its discriminator"),
        (_tuning(clothes, tmp_path), "holds no generator.safetensors"),
        (_tuning(clothes, ""), "model.path must be embedded"),
        (_recovering("null"), "needs a trained generator"),
        (["task=gan_train", f"dataset.path={clothes}", f"ticket={tuned}", *at, "ticket.init=model"], "model.path"),
    ]:
        with pytest.raises(UserError, match=message):
            assemble(compose(*words))
    assert _do(_recovering(other, f"ticket={tuned}", *at, "ticket.init=model"), tmp_path)


def test_what_is_fetched_is_kept_and_a_failure_is_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    served = tmp_path / "served"
    served.mkdir()
    (served / "g-2c26b46b.pth").write_bytes(b"foo")  # the SHA-256 of foo begins so
    url = (served / "g-2c26b46b.pth").as_uri()
    assert fetched(url).read_bytes() == b"foo"
    (served / "g-2c26b46b.pth").unlink()
    assert fetched(url).read_bytes() == b"foo", "from the cache"
    (served / "g-00000000.pth").write_bytes(b"foo")
    for name in ("g-00000000.pth", "nowhere-00000000.pth"):
        with pytest.raises(UserError, match=f"cannot fetch .*{name} .*model.path=FILE"):
            fetched((served / "x").as_uri().replace("/x", f"/{name}"))
        assert not (tmp_path / "checkpoints" / name).exists()


def test_the_transfer_matrix_takes_such_tickets_and_says_which_control_there_cannot_be(tuned, gan, tmp_path, capsys):
    problem = f"inp: task=gan_inpaint model.path={gan} fit.steps=3 fit.restarts=1"
    words = [
        "--tickets",
        f"g={tuned}",
        "--problems",
        problem,
        "--round",
        "2",
        "--controls",
        "dense",
        "layerwise",
        "reinit",
    ]
    assert transfer.main([*words, "--output-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "g has no reinit control" in out and "3/3" in out
