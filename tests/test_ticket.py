"""The ticket file: small, exact, and refused in one line where it is damaged."""

import pickle

import pytest
import torch
from safetensors.torch import save_file

from lipdip.core.errors import UserError
from lipdip.core.mask import Mask
from lipdip.core.ticket import Ticket
from lipdip.networks import Hourglass
from lipdip.pruning.scope import prunable


def _ticket(network: torch.nn.Module) -> Ticket:
    draw = torch.Generator().manual_seed(0)
    layers = {name: torch.rand(weight.shape, generator=draw) > 0.8 for name, weight in prunable(network).items()}
    init, code = {"seed": 3, "sha256": "abc"}, {"seed": 3}
    return Ticket(Mask(layers), init, code, {"run": "r", "scores": {"psnr_best": 27.5, "matching": None}})


def test_what_was_written_is_read(tmp_path):
    ticket = _ticket(Hourglass(channels=5, scales=2))
    (tmp_path / "t.safetensors").write_bytes(ticket.to_bytes())
    loaded = Ticket.load(tmp_path / "t.safetensors")
    assert loaded.mask == ticket.mask
    assert (loaded.init, loaded.code, loaded.provenance) == (ticket.init, ticket.code, ticket.provenance)
    assert ticket.to_bytes() == loaded.to_bytes()


def test_the_ticket_of_the_full_hourglass_is_under_300_kb():
    assert len(_ticket(Hourglass()).to_bytes()) < 300_000


@pytest.mark.parametrize("where", range(0, 1000, 37))
def test_a_flipped_byte_is_noticed_or_harmless(tmp_path, where):
    ticket = _ticket(Hourglass(channels=4, scales=1))
    content = bytearray(ticket.to_bytes())
    content[where * len(content) // 1000] ^= 0x10
    path = tmp_path / "t.safetensors"
    path.write_bytes(bytes(content))
    try:
        assert Ticket.load(path).mask == ticket.mask
    except UserError as error:
        assert str(path) in str(error) and "\n" not in str(error)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_ticket_cut_short_is_refused(tmp_path, share):
    content = _ticket(Hourglass(channels=4, scales=1)).to_bytes()
    (tmp_path / "t.safetensors").write_bytes(content[: int(share * len(content))])
    with pytest.raises(UserError, match="not a lipdip ticket, or it is damaged"):
        Ticket.load(tmp_path / "t.safetensors")


def test_a_pickle_is_refused_and_not_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "boom"), "w"))

    (tmp_path / "t.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UserError, match="not a lipdip ticket"):
        Ticket.load(tmp_path / "t.safetensors")
    assert not (tmp_path / "boom").exists()


def test_foreign_newer_and_missing_files_are_told_apart(tmp_path):
    path = tmp_path / "t.safetensors"
    with pytest.raises(UserError, match="cannot read the ticket"):
        Ticket.load(path)
    save_file({"weight": torch.ones(2)}, path)
    with pytest.raises(UserError, match="not a lipdip ticket"):
        Ticket.load(path)
    content = _ticket(Hourglass(channels=4, scales=1)).to_bytes()
    path.write_bytes(content.replace(b'\\"format\\": 1', b'\\"format\\": 9'))
    with pytest.raises(UserError, match="format 9; this lipdip reads format 1"):
        Ticket.load(path)
