"""One contract for every pruner, and equality with the authors' scores."""

import pytest
import torch
from torch import Tensor, nn

from lipdip.cli.compose import compose, config_dir
from lipdip.cli.run_command import experiment_of as assemble
from lipdip.core.errors import UserError
from lipdip.networks import Hourglass
from lipdip.pruning.context import Context, LossTerm
from lipdip.pruning.cut import EmptiedLayerError, cut
from lipdip.pruning.grasp import Grasp
from lipdip.pruning.schedule import ladder, ladder_to, target
from lipdip.pruning.snip import Snip
from lipdip.pruning.synflow import SynFlow
from lipdip.tasks import read_rounds
from lipdip.tickets.mask import Mask
from lipdip.tickets.scope import ends, prunable
from lipdip.tickets.ticket_file import Ticket

from .conftest import TINY

PRUNERS = sorted(path.stem for path in (config_dir() / "pruner").glob("*.yaml"))
SCORING = [name for name in PRUNERS if name != "none"]


def _few_steps(pruner: str) -> tuple[str, ...]:
    return (
        ("pruner.scorer.steps=3",)
        if pruner == "oes"
        else ("pruner.scorer.iterations=5",)
        if pruner == "synflow"
        else ()
    )


@pytest.fixture
def given(tiny):
    """Overrides that name a pruner, with a run's tickets where it needs some."""

    def overrides(pruner: str) -> tuple[str, ...]:
        ticket = (f"pruner.ticket={tiny()[0]}",) if "ticket" in compose(f"pruner={pruner}").pruner else ()
        return (f"pruner={pruner}", "pruner.empty_layers=allow", *_few_steps(pruner), *ticket)

    return overrides


class ThreeConvs(nn.Module):
    """The network of the reference scores."""

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(4, 6, 3, padding=1)
        self.c2 = nn.Conv2d(6, 5, 3, stride=2, padding=1)
        self.c3 = nn.Conv2d(5, 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.leaky_relu(self.c1(x), 0.2)
        return self.c3(nn.functional.leaky_relu(self.c2(x), 0.2))


SCORES = [("snip", Snip()), ("grasp", Grasp(temperature=200)), ("synflow", SynFlow())]


@pytest.mark.parametrize(("name", "scorer"), SCORES)
def test_scores_equal_the_authors(reference, name, scorer):
    arrays, network = reference(f"score_{name}"), ThreeConvs()
    network.load_state_dict({key: value for key, value in arrays.items() if key.startswith("c")})
    term = LossTerm(arrays["x"], lambda output: (output - arrays["target"]).square().mean())
    scores = scorer(Context(network, Mask.dense(prunable(network)), [term], keep=1, round=1))
    for layer in ("c1", "c2", "c3"):
        torch.testing.assert_close(scores[f"{layer}.weight"].float(), arrays[f"score_{layer}"], rtol=1e-4, atol=0)


def _context(overrides: tuple[str, ...], images: int = 1, keep: int = 500) -> tuple[Context, object]:
    experiment = assemble(compose(*TINY, *overrides))
    (problem,), (code,) = experiment.module.problems, experiment.module.codes
    terms = [
        LossTerm(code + shift, lambda output: (problem.physics.A(output) - problem.y).square().mean())
        for shift in range(images)
    ]
    mask = experiment.module.start_mask
    generator = torch.Generator().manual_seed(0)
    return Context(experiment.module.network, mask, terms, keep, 1, generator), experiment.prune.scorer


@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("pruner", [name for name in SCORING if name not in ("ticket", "reinit", "random_layerwise")])
def test_scoring_is_finite_exact_and_leaves_everything_as_it_was(pruner, images):
    context, scorer = _context((f"pruner={pruner}", *_few_steps(pruner)), images)
    before = {name: value.clone() for name, value in context.network.state_dict().items()}
    global_state = torch.random.get_rng_state()
    scores = scorer(context)
    for name, layer in context.mask.items():
        assert scores[name].shape == layer.shape and bool(scores[name].isfinite().all())
    assert len({value.item() for score in scores.values() for value in score.flatten()[:5]}) > 1
    mask = cut(scorer, context, empty_layers="allow")
    assert mask.kept == 500 and mask.inside(context.mask)
    sheltered = cut(scorer, context, empty_layers="keep_one")
    assert sheltered.kept == 500 and all(bool(layer.any()) for layer in sheltered.values())
    assert all(torch.equal(value, before[name]) for name, value in context.network.state_dict().items())
    assert all(parameter.grad is None for parameter in context.network.parameters())
    assert context.network.training and torch.equal(global_state, torch.random.get_rng_state())


@pytest.mark.parametrize("task", ["denoise", "inpaint", "super_resolution"])
@pytest.mark.parametrize("pruner", SCORING)
def test_every_pruner_walks_the_same_ladder_on_every_task(tiny, given, pruner, task):
    run, _ = tiny(*given(pruner), f"task={task}", "fit.steps=2")
    rounds = read_rounds(run)
    assert [row.kept_weights for row in rounds] == ladder(rounds[0].kept_weights, 0.2, 3)
    masks = [Ticket.load(run / f"tickets/round_{number:02d}.safetensors").mask for number in range(4)]
    if pruner in ("imp", "random", "snip", "grasp", "magnitude", "ticket", "reinit"):
        assert all(masks[number + 1].inside(masks[number]) for number in range(3)), "masks of this pruner are nested"


@pytest.mark.parametrize("pruner", SCORING)
def test_the_mask_is_the_seeds(tmp_path, tiny, given, pruner):
    settings = (*given(pruner), "pruner.rounds=1", "fit.steps=2")
    first, again = (
        Ticket.load(tiny(*settings, output_dir=tmp_path / name)[0] / "tickets/round_01.safetensors").mask
        for name in ("first", "again")
    )
    assert first == again


@pytest.mark.parametrize("pruner", [name for name in SCORING if "ticket" not in compose(f"pruner={name}").pruner])
def test_a_given_sparsity_is_reached_exactly(tiny, pruner):
    run, _ = tiny(
        f"pruner={pruner}", *_few_steps(pruner), "pruner.sparsity=0.45", "pruner.empty_layers=allow", "fit.steps=2"
    )
    rounds = read_rounds(run)
    total = rounds[0].kept_weights
    expected = ladder_to(total, 0.2, target(total, 0.45)) if pruner == "imp" else [total, rounds[-1].kept_weights]
    assert [row.kept_weights for row in rounds] == expected
    assert rounds[-1].kept_weights == total - int(0.45 * total + 0.5)


def test_a_layer_that_would_be_emptied_is_named():
    scores = {"a.weight": torch.rand(10) + 1, "b.weight": torch.rand(5)}
    network = nn.Module()
    for name in ("a", "b"):
        module = nn.Module()
        module.weight = nn.Parameter(scores[f"{name}.weight"])
        network.add_module(name, module)
    with pytest.raises(
        EmptiedLayerError, match=r"at sparsity 0\.667 .round 7. nothing would be left of the layer b\.weight"
    ):
        cut(lambda context: scores, Context(network, Mask.dense(scores), [], keep=5, round=7))


@pytest.mark.parametrize("pruner", [name for name in SCORING if "ticket" not in compose(f"pruner={name}").pruner])
def test_99_percent_gets_a_clear_answer(tiny, pruner):
    settings = (f"pruner={pruner}", *_few_steps(pruner), "pruner.rounds=21", "fit.steps=2")
    try:
        run, printed = tiny(*settings)
    except UserError as error:
        assert "nothing would be left of the layer" in str(error)
        return
    rounds = read_rounds(run)
    if len(rounds) < 22:
        assert "ended early: at sparsity" in printed and "nothing would be left of the layer" in printed
    assert [row.kept_weights for row in rounds] == ladder(rounds[0].kept_weights, 0.2, 21)[: len(rounds)]


@pytest.mark.parametrize(
    ("settings", "low", "high"),
    [({}, 0, 1e-3), ({"statistics": "batch", "input": "code"}, 1e-3, 1e-2), ({"statistics": "batch"}, 0, 1e-9)],
)
def test_the_share_of_the_flow_that_goes_through_the_hourglass_skips(settings, low, high):
    module = assemble(compose("pruner=none", "model.channels=32", "model.scales=4")).module
    module.begin()
    scores = SynFlow(**settings)(module.context(1, 10, trained=False))
    flow = {name: float(score.sum()) for name, score in scores.items()}
    assert low < sum(part for name, part in flow.items() if ".skip." in name) / sum(flow.values()) < high


def test_synflow_on_the_hourglass_is_finite_not_zero_and_empties_no_layer_at_90():
    network = Hourglass(channels=16, scales=4)
    with torch.no_grad():
        term = LossTerm(torch.rand(1, *network.code_shape(64, 64)), torch.sum)
    mask = Mask.dense(prunable(network))
    context = Context(network, mask, [term], keep=round(0.1 * mask.total), round=1)
    scores = SynFlow()(context)
    assert all(bool(score.isfinite().all()) and bool((score > 0).any()) for score in scores.values())
    with pytest.raises(EmptiedLayerError, match="skip"):
        cut(SynFlow(iterations=20), context)
    kept = cut(SynFlow(iterations=20), context, empty_layers="keep_one")
    assert kept.kept == round(0.1 * mask.total) and all(bool(layer.any()) for layer in kept.values())


def test_a_layer_can_be_made_to_keep_its_best_weight_at_no_cost_in_number():
    scores = {"a": torch.tensor([5.0, 4.0, 3.0, 2.0]), "b": torch.tensor([0.1, 0.3, 0.2])}
    context = Context(nn.Module(), Mask.dense(scores), [], keep=3, round=1)
    kept = cut(lambda context: scores, context, empty_layers="keep_one")
    assert kept["a"].tolist() == [True, True, False, False] and kept["b"].tolist() == [False, True, False]


def test_snip_looks_through_the_physics():
    def mask(task: str) -> Mask:
        context, _ = _context((f"task={task}",))
        return cut(Snip(), context, empty_layers="allow")

    assert mask("denoise") != mask("super_resolution")


def test_scope_leaves_out_the_convolutions_at_both_ends(tiny):
    network = Hourglass(channels=4, scales=2)
    first, last = ends(network, torch.rand(1, 32, 32, 32))
    assert first == {"body.skip.conv.weight", "body.down.conv.weight"} and last == "head.weight"
    run, _ = tiny("pruner.scope=inner", "fit.steps=2")
    mask = Ticket.load(run / "tickets/round_03.safetensors").mask
    assert set(mask) == set(prunable(network)) - first - {last}


def test_random_layerwise_has_the_tickets_density_in_every_layer_and_another_choice(tiny):
    run, _ = tiny()
    layerwise, _ = tiny("pruner=random_layerwise", f"pruner.ticket={run}", "fit.steps=2")
    for number in (1, 2, 3):
        ticket, lot = (Ticket.load(r / f"tickets/round_{number:02d}.safetensors").mask for r in (run, layerwise))
        assert all(int(ticket[name].sum()) == int(lot[name].sum()) for name in ticket) and ticket != lot


def test_a_ticket_alone_repeats_its_round_and_reinit_does_not(tiny):
    run, _ = tiny()
    alone, _ = tiny("pruner=ticket", f"pruner.ticket={run / 'tickets/round_02.safetensors'}")
    found, repeated = read_rounds(run)[2], read_rounds(alone)[1]
    assert (repeated.psnr_best, repeated.loss, repeated.kept_weights) == (
        found.psnr_best,
        found.loss,
        found.kept_weights,
    )
    reinit, _ = tiny("pruner=reinit", f"pruner.ticket={run}")
    assert read_rounds(reinit)[2].kept_weights == found.kept_weights
    assert read_rounds(reinit)[2].loss != found.loss
    with pytest.raises(UserError, match=r"another initialisation .seed=0."):
        tiny("pruner=ticket", f"pruner.ticket={run}", "seed=1")
    with pytest.raises(UserError, match="another network"):
        tiny("pruner=reinit", f"pruner.ticket={run}", "model.channels=5")
    with pytest.raises(UserError, match=r"needs pruner.ticket=PATH"):
        tiny("pruner=reinit")
