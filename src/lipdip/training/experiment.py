"""What an experiment is: everything that a run needs, checked and ready."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from lipdip.core.metrics import Metric
from lipdip.problems import Problem
from lipdip.pruning.cut import Scorer
from lipdip.training.settings import FitSettings, Hardware


@dataclass(frozen=True)
class Pruning:
    """Which weights go, when, and who decides.

    Args:
        ladder: weights kept in each round, from :mod:`lipdip.lottery.schedule`.
        scorer: what decides, or None where nothing is pruned.
        scope: names of the weights that may go.
        trained: score weights after training (else at the initialisation).
        rewind_step: the dense round's step whose weights later rounds start from.
        clean: fit the clean picture while pruning, as the public scripts do.
        empty_layers: what happens where a layer would lose its last weight, see ``pruning.cut``.
        stop: end after so many rises of the final loss in a row, or None.
        unmasked: weights that count as pruned and yet are not touched, a quirk of the public scripts.
    """

    ladder: Sequence[int]
    scorer: Scorer | None
    scope: Sequence[str]
    trained: bool = True
    rewind_step: int = 0
    clean: bool = False
    empty_layers: str = "stop"
    stop: int | None = None
    unmasked: Collection[str] = ()


@dataclass(frozen=True)
class Experiment:
    """What is fitted, and how it is pruned.

    Args:
        problem: what was measured.
        network: the prior at its initialisation.
        code: its fixed input.
        metric: how reconstructions are scored.
        settings: budget of a round.
        hardware: where it runs.
        pruning: which weights go, when, and who decides.
        seed: of initialisation, code and jitter.
        configuration: the scientific part of the configuration, plain values; the run's identity.
        notes: what was done to the picture, for the user to know.
    """

    problem: Problem
    network: nn.Module
    code: Tensor
    metric: Metric
    settings: FitSettings
    hardware: Hardware
    pruning: Pruning
    seed: int
    configuration: Mapping[str, Any]
    notes: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The run's name: a hash of its scientific configuration."""
        return hashlib.sha256(json.dumps(self.configuration, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def provenance(self) -> dict[str, Any]:
        """Where a ticket or a score comes from."""
        return {"run": self.name, "picture": self.problem.name, "configuration": dict(self.configuration)}
