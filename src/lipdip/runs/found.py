"""What a run found, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from lipdip.runs.matching import answer
from lipdip.runs.rows import Round
from lipdip.tickets.ticket_file import Ticket


@dataclass(frozen=True)
class Run:
    """A finished run.

    Args:
        rounds: a row for each round, in order.
        tickets: the ticket of each round.
        pictures: float32 tensors (1, C, H, W) by name: ``clean``, ``measured``, ``restored_dense``,
            ``restored_matching``, ``restored_last``, ``restored_answer`` where there is no clean picture; the same as
            ``network_*`` (``consistent_*``) where the answer has (not) the data's own values; of several pictures below
            the picture's name (``baby/clean``).
        curves: scores over steps, of all rounds.
        ended: why not all rounds were done; None: they were.
        directory: where it is stored, if it is.
    """

    rounds: Sequence[Round]
    tickets: Sequence[Ticket]
    pictures: Mapping[str, Tensor]
    curves: Sequence[Any] = ()
    ended: str | None = None
    directory: Path | None = None

    @property
    def winner(self) -> Round:
        """The round that :attr:`ticket` is from: the most sparse matching one; else the sparse one that scores best.

        Without a clean picture it is the one that the fitting loss chooses (``lipdip.runs.matching.answer``), and where
        nothing was pruned the only one.
        """
        found = answer(self.rounds)
        sparse = [row for row in self.rounds if row.sparsity > 0 and row.score is not None]
        return found or max(sparse, key=lambda row: row.score or 0.0, default=self.rounds[-1])

    @property
    def ticket(self) -> Ticket:
        """The run's answer; :attr:`winner` says how it was chosen, and ``winner.matching`` whether it matches."""
        return self.tickets[self.rounds.index(self.winner)]
