"""Tickets used again: on the problem they were found on, on others, and where they do not belong."""

import io

import pytest
import torch
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.cli.run_command import run
from lipdip.core.errors import UserError
from lipdip.pruning.schedule import ladder
from lipdip.tasks import read_rounds
from lipdip.tickets.mask import Mask
from lipdip.tickets.ticket_file import Ticket
from lipdip.tickets.transfer_mask import transfer_mask

from .conftest import TINY


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A run that found tickets, and a function that assembles a run which starts from one of them."""
    output = tmp_path_factory.mktemp("found")
    directory = run(compose(*TINY, f"paths.output_dir={output}"), Console(file=io.StringIO()))

    def use(*overrides: str):
        return assemble(compose(*TINY, f"ticket={directory}", "ticket.round=2", "pruner=none", *overrides))

    return directory, use


def _ticket(directory, number=2):
    return Ticket.load(directory / f"tickets/round_{number:02d}.safetensors")


def test_a_ticket_fitted_by_itself_repeats_its_round(found, tiny):
    directory, _ = found
    for number in (1, 3):
        again, _ = tiny(f"ticket={directory}", f"ticket.round={number}", "pruner=none")
        (row,), then = read_rounds(again), read_rounds(directory)[number]
        assert (row.loss, row.psnr_best, row.psnr_ema, row.kept_weights) == (
            *(then.loss, then.psnr_best, then.psnr_ema),
            then.kept_weights,
        )
        assert row.matching is None, "there is no dense round to compare with"


def test_a_rewound_ticket_carries_its_weights_and_repeats_its_round(tiny):
    directory, _ = tiny("pruner.rewind=5")
    assert _ticket(directory).weights is not None and _ticket(directory).init["seed"] is None
    again, _ = tiny(f"ticket={directory}", "ticket.round=2", "pruner=none")
    assert read_rounds(again)[0].loss == read_rounds(directory)[2].loss


@pytest.mark.parametrize(
    "elsewhere",
    [
        ("seed=7",),
        ("image=coffee",),
        ("task=inpaint", "image=chelsea"),
        ("task=super_resolution", "task.factor=2"),
        ("task.sigma=50",),
        ("image.size=[32,64]",),
    ],
)
def test_mask_and_initial_weights_travel(found, elsewhere):
    directory, use = found
    experiment, ticket = use(*elsewhere), _ticket(directory)
    own = assemble(compose(*TINY)).module.network.state_dict()
    assert experiment.module.start_mask == ticket.mask and experiment.kept == [ticket.mask.kept]
    for name, tensor in experiment.module.network.state_dict().items():
        assert torch.equal(tensor, own[name]), name


def test_reinit_keeps_the_mask_and_draws_other_weights_even_with_the_tickets_seed(found):
    directory, use = found
    experiment, own = use("ticket.init=reinit"), assemble(compose(*TINY)).module.network.state_dict()
    assert experiment.module.start_mask == _ticket(directory).mask
    weight = "body.refine.conv.weight"
    assert not torch.equal(experiment.module.network.state_dict()[weight], own[weight])


def test_another_seed_gives_another_code_and_leaves_the_weights(found):
    _, use = found
    one, other = use("seed=0"), use("seed=1")
    assert not torch.equal(one.module.codes[0], other.module.codes[0])
    assert torch.equal(one.module.network.head.weight, other.module.network.head.weight)


def test_from_rgb_to_grey_only_the_head_stays_behind(found):
    directory, use = found
    experiment, ticket = use("image=camera"), _ticket(directory)
    start = experiment.module.start_mask
    assert bool(start["head.weight"].all()) and start["head.weight"].shape[0] == 1
    assert all(torch.equal(start[name], ticket.mask[name]) for name in start if name != "head.weight")
    assert any("of another shape" in note and "head.weight" in note for note in experiment.notes)


def test_a_run_directory_stands_for_its_most_sparse_matching_ticket(found):
    directory, _ = found
    best = max((row for row in read_rounds(directory) if row.matching), key=lambda row: row.sparsity)
    experiment = assemble(compose(*TINY, f"ticket={directory}", "pruner=none"))
    assert best.sparsity > 0 and experiment.module.start_mask == _ticket(directory, best.round).mask


def test_a_run_without_a_matching_ticket_says_so(found, tmp_path):
    directory, _ = found
    text = (directory / "rounds.csv").read_text().replace(",true,", ",false,")
    (tmp_path / "rounds.csv").write_text(text)
    with pytest.raises(
        UserError, match=r"no sparse ticket of .* matches its dense network; choose one by ticket.round"
    ):
        assemble(compose(*TINY, f"ticket={tmp_path}"))


def test_pruning_goes_on_from_a_ticket(found, tiny):
    directory, _ = found
    more, _ = tiny(f"ticket={directory}", "ticket.round=2", "pruner.rounds=2", "image=coffee")
    masks = [_ticket(more, number).mask for number in range(3)]
    assert masks[0] == _ticket(directory).mask
    assert [mask.kept for mask in masks] == ladder(masks[0].kept, 0.2, 2)
    assert masks[2].inside(masks[1]) and masks[1].inside(masks[0])
    assert (more / "images" / "restored_ticket.png").exists() and not (more / "images" / "restored_dense.png").exists()


@pytest.mark.parametrize("pruner", ["random", "snip"])
def test_a_pruner_at_initialisation_prunes_inside_the_ticket(found, tiny, pruner):
    directory, _ = found
    more, _ = tiny(f"ticket={directory}", "ticket.round=1", f"pruner={pruner}", "pruner.rounds=1")
    assert _ticket(more, 1).mask.inside(_ticket(directory, 1).mask)


def test_a_target_that_the_ticket_has_passed(found):
    directory, _ = found
    with pytest.raises(UserError, match=r"pruner.sparsity=0.2 is no more than the 0.360 that the run starts with"):
        assemble(compose(*TINY, f"ticket={directory}", "ticket.round=2", "pruner.sparsity=0.2"))


def test_what_a_run_starts_from_is_part_of_its_name(found):
    directory, use = found
    dense = assemble(compose(*TINY, "pruner=none"))
    names = [dense.name, use().name, use("ticket.round=1").name, use("ticket.init=reinit").name]
    assert len(set(names)) == 4
    (directory / "copy.safetensors").write_bytes((directory / "tickets/round_02.safetensors").read_bytes())
    copied = assemble(compose(*TINY, f"ticket={directory / 'copy.safetensors'}", "pruner=none"))
    assert copied.name == use().name, "where a file lies is not science"


def test_from_restoration_to_classification_and_back(found, tmp_path):
    directory, _ = found
    learn = ("task=classify", "model.channels=4", "model.scales=2", "fit.epochs=1", "pruner.rounds=1")
    there = assemble(compose(*learn, f"ticket={directory}", "ticket.round=2", "pruner=none"))
    ticket, start = _ticket(directory), there.module.start_mask
    ends = {"body.skip.conv.weight", "body.down.conv.weight"}
    assert all(bool(start[name].all()) for name in ends) and "head.weight" not in start
    assert all(torch.equal(start[name], ticket.mask[name]) for name in start if name not in ends)
    own = assemble(compose(*TINY)).module.network.state_dict()
    for name, tensor in there.module.network.state_dict().items():
        if name in own and not any(name.startswith(end.removesuffix("weight")) for end in ends):
            assert torch.equal(tensor, own[name]), name
    learned = run(compose(*learn, f"paths.output_dir={tmp_path}"), Console(file=io.StringIO()))
    back = assemble(compose(*TINY, f"ticket={learned}", "ticket.round=1", "pruner=none"))
    name = "body.refine.conv.weight"
    kept = back.module.start_mask[name]
    assert kept.sum() < kept.numel() and torch.equal(kept, _ticket(learned, 1).mask[name])


def test_a_ticket_that_is_a_mixture_carries_its_weights(found, tiny):
    directory, _ = found
    grey, _ = tiny(f"ticket={directory}", "ticket.round=2", "pruner.rounds=1", "image=camera", "seed=3")
    ticket = _ticket(grey, 1)
    assert ticket.init["seed"] is None and ticket.weights is not None
    again, _ = tiny(f"ticket={grey}", "ticket.round=1", "pruner=none", "image=camera", "seed=3")
    assert read_rounds(again)[0].loss == read_rounds(grey)[1].loss


def test_new_weights_are_always_other_ones_and_what_was_found_on_them_is_used_again(found, tiny):
    directory, _ = found
    second, _ = tiny(f"ticket={directory}", "ticket.round=1", "ticket.init=reinit", "pruner.rounds=1")
    third, _ = tiny(f"ticket={second}", "ticket.round=1", "pruner.rounds=1")
    one, other = (
        assemble(compose(*TINY, f"ticket={run}", "ticket.round=1", "pruner=none")).module for run in (second, third)
    )
    kept = other.start_mask["head.weight"]
    assert torch.equal(one.network.head.weight[kept], other.network.head.weight[kept]), "the reinit run's own weights"
    again = assemble(compose(*TINY, f"ticket={second}", "ticket.round=1", "pruner=none", "ticket.init=reinit"))
    assert not torch.equal(again.module.network.head.weight, one.network.head.weight)


def test_a_ticket_of_a_gan_trained_from_nothing_brings_its_weights(clothes, tmp_path):
    shape = ("model.channels=[6,5]", "model.latent=5", "fit.batch=4", "fit.judging_steps=3", "fit.judged=3")
    train = ("task=gan_train", f"dataset.path={clothes}", *shape, "fit.steps=2", "fit.grow=null", "trainer=cpu")
    find = compose(*train, "pruner=imp", "pruner.rounds=1", f"paths.output_dir={tmp_path}")
    directory = run(find, Console(file=io.StringIO()))
    again = assemble(compose(*train, f"ticket={directory}", "ticket.round=1", "seed=3"))
    own = assemble(compose(*train)).module.network.state_dict()
    assert all(torch.equal(tensor, own[name]) for name, tensor in again.module.network.state_dict().items())


def test_a_ticket_of_inner_layers_brings_all_weights(found, tiny):
    inner, _ = tiny("pruner.scope=inner", "pruner.rounds=1")
    experiment = assemble(compose(*TINY, f"ticket={inner}", "ticket.round=1", "pruner=none", "seed=9"))
    own = assemble(compose(*TINY)).module.network.state_dict()
    assert all(torch.equal(tensor, own[name]) for name, tensor in experiment.module.network.state_dict().items())
    assert any("in one of ticket and run only" in note for note in experiment.notes)


def test_input_convolutions_that_stay_dense_do_so_where_a_ticket_is_evaluated(found):
    _, use = found
    quirk = use("pruner.input_convs_stay_dense=true")
    assert quirk.module.unmasked == {"body.skip.conv.weight", "body.down.conv.weight"}
    assert quirk.name != use().name


def test_classification_in_inner_scope_prunes_all_but_what_reads_the_picture():
    learn = ("task=classify", "model.channels=4", "model.scales=2", "pruner.scope=inner")
    assert set(assemble(compose(*learn)).module.start_mask) & {"body.mix.conv.weight", "body.down.conv.weight"} == {
        "body.mix.conv.weight"
    }


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("ticket.path=[a,b]",), "ticket must be the path of"),
        (("ticket.path=''",), "ticket must be the path of"),
        (("model.channels=8",), r"does not fit this network: the layer .* it needs model.channels=4"),
        (("model=deep_decoder",), "does not fit this network: .* it needs model=hourglass"),
        (("ticket.round=9",), "has rounds 0 to 3, no round 9"),
        (("ticket.init=new",), "ticket.init must be original, reinit, model"),
        (("pruner=reinit", "pruner.ticket=x"), "give one of them"),
    ],
)
def test_where_a_ticket_does_not_belong(found, overrides, message):
    _, use = found
    with pytest.raises(UserError, match=message) as caught:
        use(*overrides)
    assert "\n" not in str(caught.value)


def test_only_layers_at_the_ends_may_be_left_out():
    mask = Mask({name: torch.ones(2, 2, 1, 1, dtype=torch.bool) for name in ("first", "middle", "last")})
    weights = {name: torch.zeros(2, 2, 1, 1) for name in ("first", "middle", "last")}
    laid = transfer_mask(mask, {**weights, "first": torch.zeros(2, 5, 1, 1)}, {"first", "last"})
    assert laid.taken == ("middle", "last") and laid.left_out == ("first",)
    with pytest.raises(ValueError, match="the layer middle"):
        transfer_mask(mask, {**weights, "middle": torch.zeros(3, 2, 1, 1)}, {"first", "last"})
    with pytest.raises(ValueError, match="no layer in common"):
        transfer_mask(Mask({"last": mask["last"]}), {"first": weights["first"]}, {"first"})
