"""Pruning and holding anybody's modules: every kind of layer, every kind of loop."""

import copy
import warnings
from contextlib import ExitStack

import pytest
import torch
from torch import Tensor, nn

from lipdip.networks import Classifier, DeepDecoder, Discriminator, Generator, Hourglass
from lipdip.networks.protocol import Prior, code_shape_of, logits_of
from lipdip.pruning.anatomy import anatomy
from lipdip.pruning.grasp import Grasp
from lipdip.pruning.magnitude import Magnitude
from lipdip.pruning.oes import Oes
from lipdip.pruning.prune import prune
from lipdip.pruning.random import Random
from lipdip.pruning.snip import Snip
from lipdip.pruning.synflow import SynFlow
from lipdip.tickets.mask import Mask
from lipdip.tickets.scope import ends, prunable, uses


def _plain(channels: int = 4) -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Conv2d(2, channels, 3, padding=1), nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, 2, 1)
    return nn.Sequential(*layers, nn.Sigmoid())


def _half(module: nn.Module) -> Mask:
    draw = torch.Generator().manual_seed(1)
    return Mask({name: torch.rand(own.shape, generator=draw) > 0.5 for name, own in prunable(module).items()})


def _zero_where(module: nn.Module, mask: Mask) -> bool:
    return all(torch.equal(module.get_parameter(name) != 0, kept) for name, kept in mask.items())


LAYERS = [
    (nn.Conv1d(4, 6, 3, groups=2), (1, 4, 9), 7, 6),
    (nn.Conv2d(4, 6, 3, stride=2), (1, 4, 9, 7), 4 * 3, 6),
    (nn.Conv3d(2, 3, 2), (1, 2, 4, 4, 4), 27, 3),
    (nn.ConvTranspose1d(4, 6, 3, stride=2, groups=2), (1, 4, 9), 9, 6),
    (nn.ConvTranspose2d(4, 6, 3, stride=2), (1, 4, 5, 7), 35, 6),
    (nn.ConvTranspose3d(2, 3, 2), (1, 2, 3, 3, 3), 27, 3),
    (nn.Linear(5, 3), (1, 5), 1, 3),
    (nn.Linear(5, 3), (1, 7, 5), 7, 3),
]


@pytest.mark.parametrize(("layer", "shape", "places", "channels"), LAYERS, ids=lambda value: type(value).__name__)
def test_every_kind_of_layer_is_prunable_and_counted(layer, shape, places, channels):
    z, name = torch.rand(shape), "0.weight"
    module = nn.Sequential(layer, nn.ReLU())
    assert list(prunable(module, code=z)) == [name]
    assert [(use.name, use.reads_code, use.places) for use in uses(module, z)] == [(name, True, places)]
    assert ends(module, z) == ({name}, name if len(shape) > 2 else None)
    with torch.no_grad():
        layer.weight.fill_(1.0)
        layer.bias.fill_(-0.5)
    kept = torch.zeros_like(layer.weight, dtype=torch.bool)
    kept.view(-1)[0] = True
    mask = Mask({name: kept})
    mask.apply_to(module)
    (row,) = anatomy(module, mask, z)
    assert (row.channels, row.dead_channels) == (channels, channels - 1)
    assert (row.flops, row.flops_kept) == (2 * places * kept.numel(), 2 * places)
    axis = -1 if isinstance(layer, nn.Linear) else 1
    constant = (module[0](z) == -0.5).transpose(axis, 0).flatten(1).all(1)
    assert int(constant.sum()) == row.dead_channels, "a dead channel gives its bias alone"


def test_lipdips_own_networks_keep_their_prunable_weights():
    networks = Hourglass(channels=4, scales=2), DeepDecoder(channels=4, scales=2), Classifier(3, 4, 2)
    for network in (*networks, Generator(4, (3, 2)), Discriminator((3, 2))):
        filters = [name for name, parameter in network.named_parameters() if parameter.dim() == 4]
        assert list(prunable(network)) == filters
        assert list(prunable(nn.ModuleList([network]))) == [f"0.{name}" for name in filters]


class _Tied(nn.Module):
    """An encoder and a decoder with one weight, and a weight that is computed from others."""

    def __init__(self) -> None:
        super().__init__()
        self.encode, self.decode = nn.Linear(6, 6), nn.Linear(6, 6)
        self.decode.weight = self.encode.weight
        self.normed = nn.utils.parametrizations.weight_norm(nn.Linear(6, 6))

    def forward(self, x: Tensor) -> Tensor:
        return self.normed(self.decode(torch.relu(self.encode(input=x * 1))))


def test_a_shared_weight_counts_once_and_a_computed_one_not_at_all():
    module, z = _Tied(), torch.rand(1, 6)
    assert list(prunable(module)) == ["encode.weight"]
    assert [use.name for use in uses(module, z)] == ["encode.weight"] * 2
    assert anatomy(module, Mask.dense(module), z)[0].flops == 2 * 2 * 36
    for scorer in (Snip(torch.sum, z), Oes(torch.sum, z, steps=2), SynFlow(z, 3), Magnitude()):
        assert prune(copy.deepcopy(module), scorer, keep=5).kept == 5


def test_a_network_without_any_gradient_is_cut_all_the_same():
    module, z = nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 2)), torch.rand(1, 6)
    nn.init.constant_(module[0].weight, -1.0)
    nn.init.constant_(module[0].bias, -1.0)  # every unit is dead
    found = prune(module, Snip(lambda output: 0 * output.sum(), z), keep=5, empty_layers="keep_one")
    assert found.kept == 5


def _scorers(z: Tensor) -> list:
    def loss(output: Tensor) -> Tensor:
        return (output - 0.3).square().sum()

    return [Magnitude(), Random(), SynFlow(z, 10), Snip(loss, z), Grasp(loss, z), Oes(loss, z, steps=3)]


@pytest.mark.parametrize("number", range(6))
def test_prune_keeps_exactly_what_is_asked_and_says_it(number):
    z = torch.rand(1, 2, 8, 8)
    module, twin = _plain(), _plain()
    scorer = _scorers(z)[number]
    mask = prune(module, scorer, keep=0.25, empty_layers="keep_one")
    assert (mask.kept, mask.total) == (20, 80) and _zero_where(module, mask)
    assert prune(twin, scorer, keep=20, empty_layers="keep_one") == mask, "a count and the same seed: the same mask"
    smaller = prune(module, scorer, keep=7, mask=mask, empty_layers="keep_one")
    assert smaller.kept == 7 and smaller.inside(mask)
    for name, own in twin.named_parameters():
        assert own.grad is None and (name in mask or torch.equal(own, _plain().get_parameter(name)))


def test_a_rule_without_an_input_of_its_own_takes_prunes():
    z = torch.rand(1, 2, 8, 8)
    given, own = prune(_plain(), Snip(torch.sum), 0.5, inputs=z), prune(_plain(), Snip(torch.sum, z), 0.5)
    assert given == own
    assert set(prune(_plain(8), Random(), 0.5, scope="all", inputs=z)) == {"0.weight", "3.weight"}
    three = nn.Sequential(nn.Conv2d(2, 4, 1), nn.Conv2d(4, 4, 1), nn.Conv2d(4, 2, 1))
    assert set(prune(three, Magnitude(), 0.5, scope="inner", inputs=z)) == {"1.weight"}


@pytest.mark.parametrize(
    ("scorer", "settings", "word"),
    [
        (Magnitude(), {"keep": 0}, "keep"),
        (Magnitude(), {"keep": 0.0}, "keep"),
        (Magnitude(), {"keep": 1.5}, "keep"),
        (Magnitude(), {"keep": float("nan")}, "keep"),
        (Magnitude(), {"keep": True}, "keep"),
        (Magnitude(), {"keep": 81}, "keep"),
        (Magnitude(), {"keep": 1e-9}, "keep"),
        (Magnitude(), {"scope": "outer"}, "scope"),
        (Magnitude(), {"scope": "inner"}, "scope"),
        (Magnitude(), {"empty_layers": "maybe"}, "empty_layers"),
        (Magnitude(), {"mask": Mask({"0.weight": torch.ones(3, dtype=torch.bool)})}, r"0\.weight"),
        (Magnitude(), {"mask": Mask({"x.weight": torch.ones(3, dtype=torch.bool)})}, r"x\.weight"),
        (Snip(), {}, "input"),
        (Snip(torch.sum), {}, "input"),
        (Snip(z=torch.rand(1, 2, 8, 8)), {}, "loss"),
        (SynFlow(), {}, "input"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(scorer, settings, word):
    module = _plain()
    with pytest.raises(ValueError, match=word):
        prune(module, scorer, **settings)
    assert all(torch.equal(own, _plain().get_parameter(name)) for name, own in module.named_parameters())
    with pytest.raises(ValueError, match="no layer to prune"):
        prune(nn.ReLU(), Magnitude())


OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, weight_decay=0.1),
    "nesterov": lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, 0.1, weight_decay=0.1),
    "adamw": lambda p: torch.optim.AdamW(p, 0.1),
    "lbfgs": lambda p: torch.optim.LBFGS(p, 0.1, max_iter=3),
}


def _train(module: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 4, watch=lambda: True) -> None:
    def closure() -> Tensor:
        assert watch()
        optimizer.zero_grad()
        loss = (module(torch.ones(1, 2, 8, 8)) - 0.3).square().sum()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("before", [True, False], ids=["made before", "made inside"])
def test_held_weights_are_zero_under_any_optimiser(name, before):
    module = _plain()
    names, mask = list(module.state_dict()), _half(module)
    optimizer = OPTIMIZERS[name](module.parameters())
    if before:
        _train(module, optimizer)  # its momentum knows the weights that are pruned next
    with mask.held(module):
        assert _zero_where(module, mask) and list(module.state_dict()) == names
        optimizer = optimizer if before else OPTIMIZERS[name](module.parameters())
        within = name == "lbfgs" and before  # evaluates more than once in a step, along directions from before
        _train(module, optimizer, watch=lambda: within or _zero_where(module, mask))
        assert _zero_where(module, mask)
    assert list(module.state_dict()) == names
    _train(module, optimizer)
    assert not _zero_where(module, mask), "nothing holds them after the block"


@pytest.mark.parametrize("when", ["before", "inside"])
@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=pytest.mark.slow)])
def test_held_weights_are_zero_in_a_compiled_module(when, backend):
    torch._dynamo.reset()
    module = _plain(5 if when == "before" else 6)
    mask = _half(module)

    def compiled() -> nn.Module:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's own, on its first compilation
                fast = torch.compile(module, backend=backend)
                fast(torch.ones(1, 2, 8, 8)).sum().backward()
        except Exception as error:
            if "ompiler" not in str(error):
                raise
            pytest.skip(f"no compiler here: {error}")
        return fast

    fast = compiled() if when == "before" else module
    with mask.held(fast):
        fast = fast if when == "before" else compiled()
        _train(fast, OPTIMIZERS["sgd"](fast.parameters()), watch=lambda: _zero_where(module, mask))
        assert _zero_where(module, mask)
    assert Mask.dense(fast).total == mask.total and list(Mask.dense(fast)) == list(mask)


def test_a_loop_without_an_optimiser_holds_them_too():
    module = _plain()
    mask = _half(module)
    with mask.held(module):
        for _ in range(3):
            module.zero_grad()
            module(torch.ones(1, 2, 8, 8)).sum().backward()
            with torch.no_grad():
                for own in module.parameters():
                    own -= 0.1 * own.grad
            assert _zero_where(module, mask)


def test_a_module_may_move_or_be_loaded_while_it_is_held():
    module = _plain()
    mask, dense = _half(module), copy.deepcopy(module.state_dict())
    with mask.held(module):
        module.double()
        optimizer = OPTIMIZERS["sgd"](module.parameters())
        module(torch.ones(1, 2, 8, 8).double()).sum().backward()
        optimizer.step()
        assert _zero_where(module, mask)
        module.load_state_dict(dense, assign=True)
    assert _zero_where(module, mask)


def test_other_modules_and_outer_blocks_are_left_as_they_are():
    module, other = _plain(), _plain()
    outer = _half(module)
    inner = prune(copy.deepcopy(module), Magnitude(), keep=10, mask=outer)
    both = torch.optim.SGD([*module.parameters(), *other.parameters()], 0.1, momentum=0.9)
    with outer.held(module):
        with inner.held(module):
            _train(nn.Sequential(module, other), both)
            assert _zero_where(module, inner)
        _train(nn.Sequential(module, other), both)
        assert all(bool((module.get_parameter(name)[~kept] == 0).all()) for name, kept in outer.items())
        assert not _zero_where(module, inner), "the outer block goes on, and it alone"
    assert int((other[0].weight == 0).sum()) == 0


def test_an_error_inside_leaves_no_hook_behind():
    module = _plain()
    mask = _half(module)
    with pytest.raises(KeyError), ExitStack() as stack:
        stack.enter_context(mask.held(module))
        raise KeyError
    assert _zero_where(module, mask)
    _train(module, OPTIMIZERS["sgd"](module.parameters()))
    assert not _zero_where(module, mask)


class _Own(nn.Sequential):
    """A prior that says what its code is."""

    def code_shape(self, height: int, width: int) -> tuple[int, int, int]:
        return 7, height // 2, width // 2


def test_the_codes_shape_is_the_networks_word_or_follows_from_its_first_convolution():
    assert code_shape_of(_plain(), (3, 16, 24)) == (2, 16, 24)
    assert code_shape_of(torch.compile(_plain(), backend="eager"), (3, 16, 24)) == (2, 16, 24)
    assert code_shape_of(_Own(nn.Conv2d(1, 1, 1)), (3, 16, 24)) == (7, 8, 12)
    assert code_shape_of(Hourglass(channels=4, scales=2), (16, 24)) == (32, 16, 24)
    with pytest.raises(ValueError, match="code_shape"):
        code_shape_of(nn.Linear(2, 2), (3, 16, 24))
    with pytest.raises(ValueError, match="code_shape"):
        code_shape_of(_Own(), (3, 1, 1))


def test_logits_are_before_the_last_sigmoid_where_that_is_known():
    z, module, network = torch.rand(1, 2, 8, 8), _plain(), Hourglass(channels=4, scales=2)
    assert isinstance(network, Prior) and not isinstance(module, Prior)
    torch.testing.assert_close(torch.sigmoid(logits_of(module.eval())(z)), module(z))
    assert logits_of(network) == network.logits and logits_of(module[0]) is module[0]
