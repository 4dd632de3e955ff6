"""Named randomness: every random stream has its own generator, derived from a seed and a name.

Nothing here draws from torch's global generator, so one stream never shifts another: the degradation stays
the same when the training seed changes, and a round's jitter is the same whoever ran before it.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive(seed: int, name: str) -> int:
    """The 63-bit seed of the stream ``name`` in a run with ``seed``: SHA-256 of both, cut to its first bits."""
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(seed: int, name: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A new generator on ``device`` for the stream ``name``, at its start; it draws the same numbers every time."""
    return torch.Generator(device=device).manual_seed(derive(seed, name))


@contextmanager
def default_generator_seeded(seed: int, name: str) -> Iterator[None]:
    """Within this block torch's global CPU generator *is* the stream ``name``; then its state is put back.

    For code that can only draw from the global generator, such as the initialisers of ``torch.nn``.
    """
    before = torch.random.get_rng_state()
    torch.default_generator.manual_seed(derive(seed, name))
    try:
        yield
    finally:
        torch.random.set_rng_state(before)
