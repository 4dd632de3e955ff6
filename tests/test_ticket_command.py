"""``python -m lipdip.ticket``: what it says is right, what it writes is whole, and what cannot be is one line."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lipdip.cli.ticket_command import main
from lipdip.core.seeds import default_generator_seeded
from lipdip.figures.layers import layer_densities
from lipdip.figures.names import legend, short
from lipdip.networks import DeepDecoder, Hourglass
from lipdip.tickets.control import control
from lipdip.tickets.mask import Mask
from lipdip.tickets.scope import prunable
from lipdip.tickets.ticket_file import Ticket, tensor_digests

PNG = b"\x89PNG\r\n"
SCORES = {"round": 7, "sparsity": 0.8, "kept_weights": 5, "psnr_best": 27.125, "psnr_stop": None, "matching": True}
CONFIGURATION = {"task": {"name": "denoise", "sigma": 25}, "pruner": {"name": "imp", "rate": 0.2, "scorer": {"a": 1}}}
CONFIGURATION["image"] = [{"clean": True, "sha256": 64 * "a"}, {"shape": [3, 32, 32]}]
PROVENANCE = {"run": "3a02b146edc5", "picture": "astronaut", "configuration": CONFIGURATION, "scores": SCORES}


def _found(kind=Hourglass, seed=3, keep=0.2, **settings) -> Ticket:
    """A ticket as a run makes it, its mask by size of the initial weights."""
    settings = settings or {"out_channels": 3, "channels": 4, "scales": 5, "code_channels": 8}
    with default_generator_seeded(seed, "init"):
        network = kind(**settings)
    mask = {name: weight.abs() > weight.abs().quantile(1 - keep) for name, weight in prunable(network).items()}
    init = {"seed": seed, "stream": "init", "rewind_step": 0, "tensors": tensor_digests(network.state_dict())}
    return Ticket(
        Mask(mask),
        {"target": f"lipdip.networks.{kind.__name__}", "settings": settings},
        init,
        {"seed": seed},
        PROVENANCE,
    )


def _plain(**layers: list[int]) -> Ticket:
    """A ticket of a network that nobody knows."""
    mask = Mask({name: torch.tensor(layer, dtype=torch.bool) for name, layer in layers.items()})
    return Ticket(mask, {"target": "mine.Net", "settings": {}}, {"seed": 0, "stream": "init", "tensors": {}}, {}, {})


@pytest.fixture
def file(tmp_path):
    """Writes tickets: the name of a file and what goes into it, to its path as the command line has it."""

    def write(name: str, ticket: Ticket) -> str:
        (tmp_path / name).write_bytes(ticket.to_bytes())
        return str(tmp_path / name)

    return write


@pytest.fixture
def say(capsys):
    """Runs the command where it should succeed; gives what it printed."""

    def do(*argv: str) -> str:
        assert main(argv) == 0, capsys.readouterr().err
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out

    return do


@pytest.fixture
def refuse(capsys):
    """Runs the command where it should not; gives its one line."""

    def do(*argv: str) -> str:
        assert main(argv) == 2
        printed = capsys.readouterr()
        assert printed.out == "" and printed.err.startswith("lipdip: ") and printed.err.count("\n") == 1
        return printed.err

    return do


def test_show_tells_what_a_ticket_is_and_draws_every_layer_in_80_columns(file, say):
    ticket = _found()
    path = file("t.safetensors", ticket)
    printed = say("show", path)
    lines = printed.splitlines()
    assert max(map(len, lines[1:])) <= 80 and "\x1b" not in printed
    facts = " ".join(printed.split())
    for told in (
        f"format 2, {Path(path).stat().st_size:,} bytes",
        "lipdip.networks.Hourglass (channels=4, code_channels=8, out_channels=3, scales=5)",
        "picture astronaut",
        "run 3a02b146edc5",
        "task denoise (sigma=25)",
        "pruner imp (rate=0.2)",
        "image clean=yes, sha256=aaaaaaaaaaaa...; shape=[3, 32, 32]",
        "round 7",
        f"kept {ticket.mask.kept:,} of {ticket.mask.total:,} weights in 26 layers, sparsity {ticket.mask.sparsity:.4f}",
        "seed 3, stream init; rewound to step 0",
        "not in the file",
        "code seed=3",
        "scores matching=yes, psnr_best=27.125",
    ):
        assert told in facts
    rows = [line.split() for line in lines if line.startswith(("body.", "head", "all layers"))]
    assert len(rows) == 27
    assert rows[-2][:3] == ["head", "3x4x1x1", f"{int(ticket.mask['head.weight'].sum())}/12"]
    assert "body.below*4.refine.conv" in printed and "below*3 is below.below.below; all names end in .weight" in printed


def test_show_draws_bars_in_proportion_and_leaves_none_of_an_empty_layer(file, say):
    layers = {"full": [1, 0] * 4, "half": [1, 0, 0, 0] * 2, "none": [0] * 8, "trace": [1] + [0] * 9999}
    printed = say("show", file("t", _plain(**layers)))
    bars = {line.partition(" ")[0]: line.count("█") for line in printed.splitlines()}
    assert (bars["full"], bars["half"], bars["none"], bars["trace"]) == (40, 20, 0, 0)
    assert "▏" in printed


@pytest.mark.parametrize(
    "provenance",
    [
        {},
        {"control": "random", "seed": 1, "of": 64 * "a", "scores": {}},
        {"scores": None, "configuration": [1, {"a": [[]]}], "picture": None, "run": 3.5},
        {"scores": {"round": None, "loss": {"a": 1}}, "configuration": {"task": None, "fit": [[1]], "pruner": True}},
        {"picture": "[bold]x[/]", "run": "two\nlines \x1b[31m \u202e \ud800 漢", "[red]": ":smile:"},
    ],
)
def test_show_prints_whatever_is_there_and_obeys_nothing_of_it(file, say, provenance):
    printed = say("show", file("t", replace(_plain(a=[1, 0]), provenance=provenance, code={"x": [{}]})))
    assert "\x1b" not in printed and "\u202e" not in printed
    if "run" in provenance and "[red]" in provenance:
        assert "[bold]x[/]" in printed and r"two\nlines \x1b[31m \u202e \ud800 漢" in printed and ":smile:" in printed
    if "control" in provenance:
        assert "layerwise" not in printed and "random" in printed


def test_show_in_a_terminal_that_knows_ascii_only(file, tmp_path):
    path = file("t", replace(_plain(a=[1, 0]), provenance={"picture": "Löwe"}))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "lipdip.ticket", "show", path]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, done.stderr) == (0, "") and "#####" in done.stdout and r"L\xf6we" in done.stdout


def test_the_figure_of_show_and_compare(file, say, tmp_path):
    a, b, other = (
        file("a", _found()),
        file("b", _found(keep=0.5)),
        file("c", _found(out_channels=1, channels=4, scales=2)),
    )
    for number, argv in enumerate([("show", a), ("compare", a, b), ("compare", a, other)]):
        say(*argv, "--png", str(tmp_path / f"{number}.png"))
        assert (tmp_path / f"{number}.png").read_bytes().startswith(PNG)


def test_the_figure_of_eight_tickets():
    tickets = {f"_{number} $x": _found(keep=0.1 * number, scales=1, channels=3) for number in range(1, 9)}
    assert layer_densities(tickets) == layer_densities(tickets)
    assert layer_densities(tickets).startswith(PNG)
    with pytest.raises(ValueError, match="there is no ticket"):
        layer_densities({})


def test_short_names_are_explained_and_still_tell_layers_apart():
    assert short(["a.b.b.b.weight", "a.b.weight"]) == ["a.b*3", "a.b"]
    assert short(["a.0.0.weight", "weight"]) == ["a.0.0.weight", "weight"] and legend(["a.0.0", "weight"]) == ""
    assert short(["b.b.weight", "b*2.weight"]) == ["b.b.weight", "b*2.weight"]
    network = Hourglass(channels=2, scales=5)
    assert len(set(short(list(prunable(network))))) == len(prunable(network))


def test_compare_counts_the_overlap_beside_chance(file, say):
    a = file("a", _plain(p=[1, 1, 0, 0], q=[1, 1, 1, 1, 0, 0, 0, 0], dense=[1, 1], empty=[0, 0], mine=[1], bent=[1]))
    b = file("b", _plain(p=[1, 0, 1, 0], q=[1, 1, 0, 0, 0, 0, 0, 0], dense=[1, 1], empty=[0, 0], bent=[1, 1]))
    printed = say("compare", a, b)
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines()}
    assert rows["p"] == ["0.5000", "0.5000", "1", "0.333", "0.333"]  # by lot both keep 2 * 2 / 4 = 1
    assert rows["q"] == ["0.5000", "0.2500", "2", "0.500", "0.200"]  # 4 * 2 / 8 = 1, of 5 in either
    assert rows["dense"] == ["1.0000", "1.0000", "2", "1.000", "1.000"]
    assert rows["empty"] == ["0.0000", "0.0000", "0", "-", "-"]
    assert rows["all"] == ["layers", "0.5000", "0.3750", "5", "0.556", "0.273"]  # 8 * 6 / 16 = 3, of 11 in either
    assert "Jaccard index over the common layers: 0.556" in printed
    assert "over these weights all alike: 0.273" in printed
    assert "with these densities of each layer: 0.400" in printed  # 1 + 1 + 2 = 4, of 10 in either
    assert "A does not lie inside B: 5 of its 8 weights" in printed
    assert "B does not lie inside A: 5 of its 6 weights" in printed
    assert "left out: mine (in A only), bent (1 in A, 2 in B)" in printed


def test_compare_sees_that_a_later_round_lies_inside_an_earlier(file, say):
    printed = say("compare", file("a", _found(keep=0.1)), file("b", _found(keep=0.5)))
    assert "A lies inside B" in printed and "B does not lie inside A" in printed
    assert "start from the same weights" in printed and "left out" not in printed
    assert max(map(len, printed.splitlines()[2:])) <= 80
    assert "start from different weights" in say("compare", file("a", _found()), file("b", _found(seed=4)))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", [Hourglass, DeepDecoder])
def test_export_gives_the_masked_initial_weights(file, say, tmp_path, packed, kind):
    settings = {"out_channels": 1, "channels": 6, "scales": 2}
    ticket = _found(kind, **settings)
    path = file("t", ticket)
    if packed:
        say("pack", path, str(tmp_path / "packed"))
        path = str(tmp_path / "packed")
    say("export", path, str(tmp_path / "t.pt"), "--torch")
    state = torch.load(tmp_path / "t.pt", weights_only=True)
    with default_generator_seeded(3, "init"):
        network = kind(**settings)
    for name, tensor in network.state_dict().items():
        assert torch.equal(state[name], tensor * ticket.mask[name] if name in ticket.mask else tensor)
    network.load_state_dict(state)


def test_drawing_weights_again_leaves_the_global_generator_alone(file, say, tmp_path):
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    say("export", file("t", _found()), str(tmp_path / "t.pt"), "--torch")
    assert torch.equal(torch.rand(3), expected)


def test_weights_that_cannot_be_drawn_again(file, refuse, tmp_path):
    ticket, out = _found(), str(tmp_path / "out")
    settings = {"out_channels": 3, "channels": 10**9, "scales": 5}
    five = {**ticket.architecture, "settings": {**settings, "channels": 5}}
    changed = {**ticket.init["tensors"], "head.weight": "0" * 12}
    for other, message in (
        (replace(ticket, init={**ticket.init, "tensors": changed}), "draws other weights from seed 3"),
        (replace(ticket, init={**ticket.init, "seed": None}), "do not come from a seed"),
        (replace(ticket, architecture={"target": "lipdip.networks.Hourglass", "settings": settings}), "overflow"),
        (replace(ticket, architecture=five), "does not fit"),
        (replace(ticket, architecture={**ticket.architecture, "settings": {"width": 5}}), "cannot be built"),
        (replace(ticket, architecture={**ticket.architecture, "settings": None}), "cannot be built"),
        (replace(ticket, architecture={"target": "lipdip.networks.Hourglass"}), "cannot be built"),
        (replace(ticket, architecture={}), "is not lipdip's own"),
        (replace(ticket, architecture={**ticket.architecture, "target": ["a"]}), "is not lipdip's own"),
        (_plain(a=[1]), "the ticket's network, mine.Net, is not lipdip's own"),
    ):
        path = file("t", other)
        assert message in refuse("export", path, out, "--torch")
        assert message in refuse("pack", path, out)
    assert not Path(out).exists()


def test_a_network_named_in_a_ticket_is_not_imported(file, refuse, tmp_path, monkeypatch):
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    for target in ("evil.Net", "lipdip.networks.hourglass.nn.Identity", "lipdip.networks.__class__"):
        ticket = replace(_found(), architecture={"target": target, "settings": {}})
        assert "is not lipdip's own" in refuse("export", file("t", ticket), str(tmp_path / "out"), "--torch")
    assert "evil" not in sys.modules


def test_pack_puts_the_weights_in_and_changes_nothing_else(file, say, tmp_path):
    ticket, out, again = _found(), tmp_path / "packed", tmp_path / "again"
    path = file("t", ticket)
    printed = say("pack", path, str(out))
    assert f"{out.stat().st_size:,} bytes" in printed and f"{Path(path).stat().st_size:,} bytes" in printed
    packed = Ticket.load(out)
    assert replace(packed, weights=None).to_bytes() == ticket.to_bytes()
    assert sum(packed.weights[name].numel() for name in ticket.mask) == ticket.mask.kept
    assert "in the file, " in say("show", str(out))
    assert "had its weights already" in say("pack", str(out), str(again))
    assert again.read_bytes() == out.read_bytes()


@pytest.mark.parametrize("kind", ["random", "layerwise"])
def test_a_control_is_by_lot_and_keeps_as_many(file, say, tmp_path, kind):
    ticket = _found().carrying(_found().mask)
    path = file("t", ticket)
    for name, seed in (("one", "5"), ("same", "5"), ("other", "6")):
        say("control", path, str(tmp_path / name), "--kind", kind, "--seed", seed)
    one, other = Ticket.load(tmp_path / "one"), Ticket.load(tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "same").read_bytes()
    assert one.mask.kept == other.mask.kept == ticket.mask.kept
    assert one.mask != other.mask and one.mask != ticket.mask and list(one.mask) == list(ticket.mask)
    assert (one.architecture, one.init, one.code, one.weights) == (ticket.architecture, ticket.init, ticket.code, None)
    assert one.provenance == {"control": kind, "seed": 5, "of": ticket.mask.digest(), "scores": {}}
    equal = [int(one.mask[name].sum()) == int(layer.sum()) for name, layer in ticket.mask.items()]
    assert all(equal) if kind == "layerwise" else not all(equal)
    assert kind in say("show", str(tmp_path / "one"))


def test_a_random_control_is_as_dense_everywhere():
    mask = Mask({"a": torch.arange(20_000) < 18_000, "b": torch.arange(80_000) < 2_000})
    lot = control(replace(_found(), mask=mask), "random", 0).mask
    assert [round(float(layer.float().mean()), 2) for layer in lot.values()] == [0.2, 0.2]
    assert [round(float(layer[: len(layer) // 2].float().mean()), 2) for layer in lot.values()] == [0.2, 0.2]


def test_what_has_no_control(file, refuse, tmp_path):
    rewound = replace(_found(), init={**_found().init, "seed": None})
    arguments = (file("t", rewound), str(tmp_path / "out"), "--kind", "random", "--seed", "1")
    assert "this ticket can have no control" in refuse("control", *arguments)
    with pytest.raises(ValueError, match="kind must be random or layerwise, not 'both'"):
        control(_found(), "both", 0)


@pytest.mark.parametrize(
    "command",
    [
        ("export", "IN", "OUT", "--torch"),
        ("pack", "IN", "OUT"),
        ("control", "IN", "OUT", "--kind", "random", "--seed", "1"),
        ("show", "IN", "--png", "OUT"),
        ("compare", "IN", "IN", "--png", "OUT"),
    ],
)
def test_what_is_there_stays_there_unless_forced(file, say, refuse, tmp_path, command):
    path, folder = file("t", _found()), tmp_path / "out"
    folder.mkdir()
    out = folder / "out"

    def with_out(place: Path) -> list[str]:
        return [{"IN": path, "OUT": str(place)}.get(word, word) for word in command]

    out.write_text("precious")
    assert f"{out} is there already; --force writes over it" in refuse(*with_out(out))
    assert out.read_text() == "precious"
    say(*with_out(out), "--force")
    assert out.read_bytes()[:8] != b"precious"
    assert "is there already, and not a plain file" in refuse(*with_out(folder), "--force")
    assert "No such file or directory" in refuse(*with_out(tmp_path / "nowhere" / "out"))
    assert "Not a directory" in refuse(*with_out(out / "out"))
    assert [entry.name for entry in folder.iterdir()] == ["out"], "no partial file is left"


def test_a_full_disk_is_one_line_and_leaves_the_old_file(file, refuse, tmp_path, monkeypatch):
    path = file("t", _found())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in refuse("pack", path, path, "--force")
    assert [entry.name for entry in tmp_path.iterdir()] == ["t"] and Ticket.load(Path(path)).weights is None


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "COMMAND"),
        (["shw"], "invalid choice: 'shw'"),
        (["show"], "required: FILE"),
        (["show", "/nowhere/t.safetensors"], "cannot read the ticket /nowhere/t.safetensors: No such file"),
        (["show", "a\nb"], "cannot read the ticket a b: No such file"),
        (["compare", "a"], "required: B"),
        (["export", "IN", "OUT"], "there is one: --torch, a state_dict"),
        (["control", "IN", "OUT", "--kind", "same", "--seed", "1"], "invalid choice: 'same'"),
        (
            ["control", "IN", "OUT", "--kind", "random", "--seed", "-1"],
            "a seed is a whole number of at least 0, not '-1'",
        ),
        (["control", "IN", "OUT", "--kind", "random"], "required: --seed"),
    ],
)
def test_wrong_input(file, refuse, tmp_path, argv, message):
    names = {"IN": file("t", _found()), "OUT": str(tmp_path / "out")}
    assert message in refuse(*[names.get(word, word) for word in argv])
    assert [entry.name for entry in tmp_path.iterdir()] == ["t"]


def test_other_files_and_directories_for_tickets(file, refuse, tmp_path):
    (tmp_path / "run" / "tickets").mkdir(parents=True)
    assert "a run directory has them in run/tickets/" in refuse("show", str(tmp_path / "run"))
    example = file("run/tickets/round_02.safetensors", _found())
    for folder in (tmp_path / "run", tmp_path / "run" / "tickets"):
        assert f"give one ticket file, for example {example}" in refuse("show", str(folder))
    assert "no layer in common" in refuse("compare", example, file("b", _plain(a=[1])))
    (tmp_path / "text").write_text("not a ticket")
    for command in (("show",), ("compare", example), ("pack",)):
        assert "is not a lipdip ticket" in refuse(*command, str(tmp_path / "text"), *(["out"] * (command == ("pack",))))


def test_it_starts_without_what_it_does_not_need():
    heavy = "('hydra', 'lightning', 'matplotlib')"
    code = f"import sys, lipdip.cli.ticket_command; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "[]\n", done.stderr
