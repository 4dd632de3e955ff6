"""What a run is made of: a module that trains in rounds, what prunes it, and where it comes from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from lipdip.fit.prune_and_rewind import PruneAndRewind
from lipdip.fit.rounds import Rounds
from lipdip.runs.identity import run_name


@dataclass(frozen=True)
class Origin:
    """Where a network's initial weights come from, as tickets say it.

    Args:
        network: ``target`` and ``settings`` to build it again.
        stream: name of the stream that its weights were drawn from; None where they are a pretrained network's.
        pretrained: ``name`` and ``sha256`` of that one.
        redrawable: whether all weights are from there (else its tickets must carry them).
    """

    network: Mapping[str, Any]
    stream: str | None = "init"
    pretrained: Mapping[str, str] | None = None
    redrawable: bool = True

    def after(self, unchanged: bool) -> "Origin":
        """The same once a ticket was applied to the network; ``unchanged``: it left all weights as they were."""
        return replace(self, redrawable=self.redrawable and unchanged)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A run before it is done.

    Args:
        module: what is trained; its network is at its initialisation.
        prune: what prunes it between rounds; None: there is one round.
        origin: where the network comes from.
        identity: what the run's name hashes; empty where it has no name of its own.
        configuration: all that decides its numbers, as nested plain values.
        clean: whether the clean picture was fitted while pruning, as the public scripts do.
        memory: bytes that it will take, as far as that can be known.
        notes: what was done to pictures and tickets on the way, for the user to know.
    """

    module: Rounds
    prune: PruneAndRewind | None
    origin: Origin
    identity: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    clean: bool = False
    memory: int | None = None
    notes: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The run's name."""
        return run_name(self.identity)

    @property
    def kept(self) -> Sequence[int]:
        """How many weights each round keeps."""
        start = self.module.start_mask
        return [start.kept] if self.prune is None else self.prune.plan(start, self.module.budget)

    @property
    def provenance(self) -> dict[str, Any]:
        """Where a ticket or a score comes from."""
        return {"run": self.name, "picture": self.module.subject, "configuration": dict(self.configuration)}
