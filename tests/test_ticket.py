"""The ticket file: small, exact, and refused in one line where it is damaged."""

import hashlib
import json
import pickle
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save, save_file

from lipdip.core.errors import UserError
from lipdip.core.seeds import default_generator_seeded
from lipdip.networks import Hourglass
from lipdip.tickets.mask import Mask
from lipdip.tickets.scope import prunable
from lipdip.tickets.ticket_file import FORMAT, Ticket, tensor_digests

DOC = (Path(__file__).parents[1] / "docs" / "ticket-format.md").read_text()
SCORES = {
    "round": 9,
    "sparsity": 0.8658,
    "kept_weights": 296_456,
    "psnr_best": 27.512,
    "psnr_stop": None,
    "matching": True,
}
PROVENANCE = {
    "run": "3a02b146edc5",
    "picture": "Löwe",
    "configuration": {
        "format": 2,
        "seed": 0,
        "fit": {"ema": 0.99, "lr": 1e-05, "reg_noise_std": 1 / 30, "steps": 1200, "burn_in": None, "stop_rule": "wmv"},
        "image": {"clean": True, "sha256": 64 * "a", "shape": [3, 512, 512]},
        "model": {"_target_": "lipdip.networks.Hourglass", "channels": 128, "code_channels": 32, "scales": 5},
        "pruner": {
            "name": "imp",
            "rate": 0.2,
            "rounds": 16,
            "scorer": {"_target_": "lipdip.pruning.magnitude.Magnitude"},
        },
        "task": {"name": "denoise", "physics": {"_target_": "lipdip.physics.Denoise", "sigma": 25}, "sigma": 25},
    },
    "scores": SCORES,
}


def _ticket(network: torch.nn.Module, carrying: bool = False, **settings: int) -> Ticket:
    draw = torch.Generator().manual_seed(0)
    mask = Mask({name: torch.rand(weight.shape, generator=draw) > 0.8 for name, weight in prunable(network).items()})
    state = network.state_dict()
    init = {"seed": 3, "stream": "init", "rewind_step": 0, "tensors": tensor_digests(state)}
    kind = {"target": "lipdip.networks.Hourglass", "settings": settings}
    ticket = Ticket(mask, kind, init, {"seed": 3}, PROVENANCE)
    return ticket.carrying(state) if carrying else ticket


def _small(carrying: bool = False) -> Ticket:
    return _ticket(torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3)), carrying)


def _written(content: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "t.safetensors"
    path.write_bytes(content)
    return path


def _same(one: Ticket, other: Ticket) -> bool:
    parts = ("mask", "architecture", "init", "code", "provenance")
    weights = [tensor_digests(ticket.weights or {}) for ticket in (one, other)]
    return all(getattr(one, part) == getattr(other, part) for part in parts) and weights[0] == weights[1]


def _refusal(path: Path) -> str:
    with pytest.raises(UserError) as caught:
        Ticket.load(path)
    message = str(caught.value)
    assert str(path) in message and "\n" not in message and len(message) < 500
    return message


def _forged(tmp_path: Path, **fields: object) -> Path:
    """The small ticket with other header fields, and a checksum that fits them, as docs/ticket-format.md defines it."""
    tensors = load_file(_written(_small(carrying=True).to_bytes(), tmp_path))
    layers = [["0.weight", [3, 2, 3, 3]]]
    header = {"format": FORMAT, "layers": layers, "network": {}, "init": {"seed": 0, "tensors": {}}}
    header |= {"code": {}, "provenance": {}, **fields}
    checksum = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        text = f"{tensor.dtype}{tuple(tensor.shape)}".encode()
        checksum.update(name.encode() + hashlib.sha256(text + tensor.numpy().tobytes()).digest())
    header["sha256"] = checksum.hexdigest()
    return _written(save(tensors, {"lipdip.ticket": json.dumps(header, sort_keys=True)}), tmp_path)


@pytest.mark.parametrize("carrying", [False, True])
def test_what_was_written_is_read(tmp_path, carrying):
    network = Hourglass(channels=5, scales=2)
    ticket = _ticket(network, carrying, channels=5, scales=2)
    loaded = Ticket.load(_written(ticket.to_bytes(), tmp_path))
    assert _same(loaded, ticket)
    assert loaded.to_bytes() == ticket.to_bytes()
    start = loaded.start()
    if not carrying:
        assert start is None
        return
    assert start is not None
    for name, tensor in network.state_dict().items():
        assert torch.equal(start[name], tensor * ticket.mask[name] if name in ticket.mask else tensor)
    network.load_state_dict(start)


def test_the_weights_come_back_exactly_and_of_every_type(tmp_path):
    ticket = _small()
    draw = torch.Generator().manual_seed(1)
    state = {
        "0.weight": torch.randn(3, 2, 3, 3, generator=draw).bfloat16(),
        "1.num_batches_tracked": torch.tensor(7),
        "flag": torch.tensor([True, False]),
        "empty": torch.zeros(0, 4),
    }
    ticket = replace(ticket, init={**ticket.init, "tensors": tensor_digests(state)})
    start = Ticket.load(_written(ticket.carrying(state).to_bytes(), tmp_path)).start()
    assert start is not None and set(start) == set(state)
    assert torch.equal(start["0.weight"], state["0.weight"] * ticket.mask["0.weight"])
    assert all(torch.equal(start[name], state[name]) for name in state if name != "0.weight")


def test_a_layer_without_a_kept_weight_is_carried_too(tmp_path):
    ticket = replace(_small(), mask=Mask({"0.weight": torch.zeros(3, 2, 3, 3, dtype=torch.bool)}))
    ticket = replace(ticket, init={**ticket.init, "tensors": {"0.weight": "0"}})
    loaded = Ticket.load(_written(ticket.carrying({"0.weight": torch.ones(3, 2, 3, 3)}).to_bytes(), tmp_path))
    assert torch.equal(loaded.start()["0.weight"], torch.zeros(3, 2, 3, 3))


def test_part_of_the_weights_is_no_start(tmp_path):
    loaded = Ticket.load(_written(_small().carrying({"0.weight": torch.ones(3, 2, 3, 3)}).to_bytes(), tmp_path))
    with pytest.raises(UserError, match=r"carries only part of its weights: .* is missing"):
        loaded.start()


def test_keys_that_are_numbers_are_read_as_text(tmp_path):
    ticket = replace(_small(), provenance={"by size": {2: "a", 10: "b"}, "shape": (3, 4)})
    loaded = Ticket.load(_written(ticket.to_bytes(), tmp_path))
    assert loaded.provenance == {"by size": {"2": "a", "10": "b"}, "shape": [3, 4]}


def test_the_ticket_of_the_full_hourglass_is_under_300_kb():
    ticket = _ticket(Hourglass(), out_channels=3, channels=128, scales=5, skip_channels=4, code_channels=32)
    assert ticket.mask.total == 2_208_768 and len(ticket.init["tensors"]) == len(Hourglass().state_dict())
    assert len(ticket.to_bytes()) < 300_000


def test_any_flipped_bit_is_noticed_or_harmless(tmp_path):
    ticket = _small(carrying=True)
    content = ticket.to_bytes()
    flips = [(where, where % 8) for where in range(len(content))]
    flips += [(where, bit) for where in range(0, len(content), 16) for bit in range(8)]
    harmless = 0
    for where, bit in flips:
        damaged = bytearray(content)
        damaged[where] ^= 1 << bit
        path = _written(damaged, tmp_path)
        try:
            assert _same(Ticket.load(path), ticket), f"bit {bit} of byte {where}"
            harmless += 1
        except UserError as error:
            assert str(path) in str(error) and "\n" not in str(error)
    assert harmless <= 3, "an E for an e in 1e-05 is the same number, and there is little else"


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_ticket_cut_short_is_refused(tmp_path, share):
    content = _small(carrying=True).to_bytes()
    refusal = _refusal(_written(content[: int(share * len(content))], tmp_path))
    assert any(words in refusal for words in ("cut short or damaged", "is damaged", "is not a lipdip ticket"))


def test_bytes_after_the_end_are_refused(tmp_path):
    assert "is damaged" in _refusal(_written(_small().to_bytes() + b"\0", tmp_path))


def test_a_pickle_is_refused_and_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "boom"), "w"))

    for content in (pickle.dumps(Bomb()), pickle.dumps(Bomb(), protocol=2), pickle.dumps(Bomb(), protocol=0)):
        assert "is not a lipdip ticket, nor any other safetensors" in _refusal(_written(content, tmp_path))
    torch.save({"a": torch.ones(2), "bomb": Bomb()}, tmp_path / "t.safetensors")
    assert "looks like a pickle, and was not opened as one" in _refusal(tmp_path / "t.safetensors")
    assert not (tmp_path / "boom").exists()


def test_files_of_others_are_told_apart(tmp_path):
    path = tmp_path / "t.safetensors"
    assert "cannot read the ticket" in _refusal(path)
    assert "Is a directory" in _refusal(tmp_path)
    for metadata in (None, {"format": "pt"}, {"lipdip.ticket": "[]"}):
        save_file({"weight": torch.ones(2)}, path, metadata)
        assert "is a safetensors file, but not a lipdip ticket" in _refusal(path)
    for text in ("", "no JSON", '"text"', 5000 * "[", "9" * 5000):
        save_file({"mask": torch.ones(2)}, path, {"lipdip.ticket": text})
        assert "damaged" in _refusal(path) or "not a lipdip ticket" in _refusal(path)
    for content in (b"", b"{}", bytes(8) + b"{" + bytes(100), b"\xff" * 7 + b"\x7f{", b"GIF89a" + bytes(50)):
        assert "is not a lipdip ticket" in _refusal(_written(content, tmp_path))


def test_other_formats_are_named(tmp_path):
    older, newer = (_refusal(_forged(tmp_path, format=version)) for version in (1, 3))
    assert "has ticket format 1; this lipdip reads format 2; make it again with this lipdip" in older
    assert "has ticket format 3; this lipdip reads format 2; a newer lipdip made it" in newer
    for version in (None, True, "2", [2], {"a": "\n" * 9999}):
        assert "is damaged" in _refusal(_forged(tmp_path, format=version))


def test_the_forger_of_these_tests_can_write_a_ticket(tmp_path):
    assert Ticket.load(_forged(tmp_path, later="unknown fields are passed over")).mask == _small().mask


@pytest.mark.parametrize(
    "fields",
    [
        *(
            {"layers": [["0.weight", shape]]}
            for shape in ([2**40], [2**62, 2**62, 2**62], [3, 2, 3, 4], [54, -1, -1], [0])
        ),
        *({"layers": [["0.weight", shape]]} for shape in ([54.0], [True, 54], ["54"], None, 54, [[54]], [10**400])),
        *({"layers": layers} for layers in ([], {}, None, 3, [["0.weight"]], [[None, [54]]], [["a\nb", [54]]])),
        {"layers": [["0.weight", [27]], ["0.weight", [27]]]},
        {"layers": [["1.weight", [3, 2, 3, 3]]]},
        *({name: value} for name in ("network", "init", "code", "provenance") for value in (None, [], "text")),
        *({"init": init} for init in ({}, {"seed": 1}, {"seed": "1", "tensors": {}}, {"seed": 1, "tensors": []})),
    ],
)
def test_a_forged_header_is_one_line_and_asks_for_no_memory(tmp_path, fields):
    assert "is not a valid ticket" in _refusal(_forged(tmp_path, **fields))


def test_a_forged_container_asks_for_no_memory(tmp_path):
    tensor = {"dtype": "U8", "shape": [2**40], "data_offsets": [0, 2**40]}
    text = json.dumps({"__metadata__": {"lipdip.ticket": json.dumps({"format": FORMAT})}, "mask": tensor}).encode()
    assert "is damaged" in _refusal(_written(len(text).to_bytes(8, "little") + text, tmp_path))


@pytest.mark.parametrize("carrying", [False, True])
def test_the_reader_in_the_documentation_reads_it(tmp_path, monkeypatch, carrying):
    monkeypatch.chdir(tmp_path)
    ticket = _ticket(Hourglass(channels=4, scales=2), carrying, channels=4, scales=2)
    Path("ticket.safetensors").write_bytes(ticket.to_bytes())
    reader, checked = re.findall(r"```python\n(.*?)```", DOC, re.DOTALL)
    assert "lipdip" not in reader.replace('"lipdip.ticket"', "") and "torch" not in reader
    names: dict[str, object] = {}
    exec(reader + checked, names)
    assert Mask({name: torch.from_numpy(layer) for name, layer in names["mask"].items()}) == ticket.mask
    assert {name: torch.from_numpy(t) for name, t in names["start"].items()}.keys() == (ticket.start() or {}).keys()
    assert all(torch.equal(torch.from_numpy(names["start"][name]), t) for name, t in (ticket.start() or {}).items())
    assert names["header"]["provenance"] == PROVENANCE


def _drawn(**settings: object) -> tuple[Hourglass, Ticket]:
    """A network, and its ticket with the seed that draws it."""
    with default_generator_seeded(3, "init"):
        network = Hourglass(**settings)
    return network, _ticket(network, **settings)


@pytest.mark.parametrize("carrying", [False, True])
def test_a_ticket_builds_its_network_again(tmp_path, carrying):
    network, ticket = _drawn(channels=4, scales=2)
    path = tmp_path / "t.safetensors"
    (ticket.carrying(network.state_dict()) if carrying else ticket).save(str(path))
    before = torch.random.get_rng_state()
    ticket = Ticket.load(str(path))
    again = ticket.network()
    assert torch.equal(before, torch.random.get_rng_state())
    ticket.mask.apply_to(network)
    assert type(again) is Hourglass and again.training
    assert tensor_digests({k: v + 0 for k, v in again.state_dict().items()}) == tensor_digests(
        {k: v + 0 for k, v in network.state_dict().items()}
    )
    with ticket.mask.held(again):
        again(torch.rand(1, 32, 16, 16)).sum().backward()
        torch.optim.SGD(again.parameters(), 0.1).step()
        assert all(bool((again.get_parameter(name)[~kept] == 0).all()) for name, kept in ticket.mask.items())


class Own(torch.nn.Sequential):
    """A network of a user's own."""

    def __init__(self, width: int) -> None:
        super().__init__(torch.nn.Conv1d(2, width, 3), torch.nn.Linear(4, 2))


def test_a_network_of_ones_own_is_built_from_its_class_alone():
    network = Own(3)
    ticket = replace(_ticket(network, width=3), architecture={"target": "mine.Own", "settings": {"width": 3}})
    ticket = ticket.carrying(network.state_dict())
    ticket.mask.apply_to(network)
    again = ticket.network(network=Own)
    assert all(torch.equal(own, network.state_dict()[name]) for name, own in again.state_dict().items())
    with pytest.raises(UserError, match=r"mine\.Own"):
        ticket.network()


def test_a_network_that_is_not_the_tickets_is_refused():
    network, ticket = _drawn(channels=4, scales=2)
    other = Hourglass(channels=4, scales=2).state_dict()
    wider = {"target": "lipdip.networks.Hourglass", "settings": {"channels": 5, "scales": 2}}
    foreign = {"seed": None, "stream": None, "tensors": ticket.init["tensors"]}
    for wrong in (
        replace(ticket, architecture=wider),
        replace(ticket, architecture={"target": "os.system", "settings": {}}),
        replace(ticket, init={**ticket.init, "seed": 4}),
        replace(ticket, init=foreign),
        replace(ticket.carrying(network.state_dict()), architecture=wider),
        ticket.carrying({**network.state_dict(), "head.bias": other["head.bias"] + 1}),
        replace(ticket, init={**foreign, "pretrained": {"name": "clothes", "sha256": ""}}),
    ):
        with pytest.raises(UserError) as caught:
            wrong.network()
        assert "\n" not in str(caught.value)
