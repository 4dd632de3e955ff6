"""What a kind of training says of itself, as a LightningModule whose rounds another class runs."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import lightning as L
from torch import Tensor

from lipdip.pruning.context import LossTerm
from lipdip.runs.rows import Round


class Kind(L.LightningModule):
    """What a kind of training adds to :class:`~lipdip.fit.rounds.Rounds`: its step, its scores and its words.

    A kind is a subclass of ``Rounds`` that defines the abstract members, and whatever else it does differently.
    """

    kind: ClassVar[str]
    """Name of the kind: its folder in ``lipdip.tasks``."""

    tables: ClassVar[Mapping[str, type]]
    """What a row is in ``rounds.csv``, in ``curves.csv`` and, where there can be one, in ``pictures.csv``."""

    _points: list[Any]

    @property
    @abstractmethod
    def allowed(self) -> int:
        """Steps of a round: the budget, or fewer where Lightning's ``limit_train_batches`` says so."""

    @property
    @abstractmethod
    def budget(self) -> int:
        """Optimisation steps in a round."""

    @abstractmethod
    def loss_terms(self) -> list[LossTerm]:
        """What a scorer may look at: an input for each part of the loss."""

    @abstractmethod
    def begin(self) -> None:
        """Set scores and random streams to a round's beginning."""

    @abstractmethod
    def step(self) -> None:
        """Do step number ``steps``, counted from 1; pruned weights are zero after it."""

    @abstractmethod
    def reading(self) -> tuple[float, str]:
        """The loss of the step just taken, and the score so far in words; waits for the device."""

    @abstractmethod
    def row(self, **common: Any) -> Round:
        """The round's row, made of ``common`` (the fields of ``Round``) and the scores."""

    @abstractmethod
    def describe(self, row: Round) -> str:
        """A row's scores in words, for the screen."""

    @abstractmethod
    def curve(self) -> dict[int, dict[str, float]]:
        """:meth:`points` for a logger: by optimisation step, values by name."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Scores and random streams, as plain values and tensors."""

    @abstractmethod
    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state` gave."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """What it is trained on, in a word or two."""

    @property
    @abstractmethod
    def metric_name(self) -> str:
        """What results are scored by, in words."""

    @abstractmethod
    def headline(self) -> tuple[str, str]:
        """What is trained on, and for how long a round, in words."""

    def ended_early(self) -> bool:
        """Whether a rule ends the round before its budget is spent."""
        return False

    def recorded(self, step: int) -> bool:
        """Whether curves have a point after that step of a round."""
        return step in (1, self.allowed)

    def scored(self) -> dict[str, Any]:
        """How scores are to be read, which are missing, and why."""
        return {"picture": None, "metric": self.metric_name, "missing": [], "why": None}

    def points(self) -> Sequence[Any]:
        """The round's curve: rows of ``curves.csv``."""
        return self._points

    def picture_scores(self) -> Sequence[Any]:
        """The round's rows of ``pictures.csv``, where there are any."""
        return []

    def given_pictures(self) -> dict[str, Tensor]:
        """Pictures that no round changes, by their path below ``images/`` without suffix."""
        return {}

    def pictures(self) -> dict[str, Tensor]:
        """The round's restored pictures, by name."""
        return {}

    def artifacts(self) -> dict[str, bytes]:
        """Further files of the run directory, at a round's end."""
        return {}

    def comparison(self, images: Path, rounds: Sequence[Round], scores: Sequence[Any]) -> bytes | None:
        """A PNG of a run's pictures side by side, with the rows of its tables; None: this kind has none."""
        return None
