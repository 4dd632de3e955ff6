"""Training a network in rounds, as a LightningModule: one epoch is one round, one batch a chunk of steps."""

import copy
import time
from abc import abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, ClassVar

import lightning as L
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.core.seeds import stream
from lipdip.fit.experiment import Experiment
from lipdip.pruning.anatomy import Layer, anatomy
from lipdip.pruning.context import Context, LossTerm
from lipdip.runs.rows import Round
from lipdip.tickets.mask import Mask, Pruned


class Rounds(L.LightningModule):
    """What all kinds of training share: masks, rewinding, the budget of a round, and going on after a crash.

    A batch is a chunk of optimisation steps: ``training_step`` goes on for ``hardware.chunk_seconds``, and the
    epoch ends when the round's budget is spent. What is trained, and on what, a subclass says.

    Args:
        experiment: its network is at its initialisation.
    """

    tables: ClassVar[Mapping[str, type]]
    """What a row is in ``rounds.csv``, in ``curves.csv`` and, where there can be one, in ``pictures.csv``."""

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = experiment.network
        self.hardware = experiment.hardware
        self.seed = experiment.seed
        self.pruning = experiment.pruning
        self.initial = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
        self.rewound = self.initial
        self.mask = experiment.pruning.start
        self.round = 0
        self.steps = 0  # of optimisation in this round so far
        self.seconds = 0.0
        self._points: list[Any] = []
        self._resumed: dict[str, Any] | None = None

    # What a kind of training says of itself

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
    def step(self, *optimizers: torch.optim.Optimizer) -> None:
        """Step number ``steps``, from 1, with what ``configure_optimizers`` gave; pruned weights are zero after it."""

    @abstractmethod
    def reading(self) -> tuple[float, str]:
        """The loss of the step just taken, and the score so far in words; waits for the device."""

    @abstractmethod
    def row(self, **common: Any) -> Round:
        """The round's row, made of ``common`` (the fields of ``Round``) and the scores."""

    @abstractmethod
    def told(self, row: Round) -> str:
        """A row's scores in words, for the screen."""

    @abstractmethod
    def curve(self) -> dict[int, dict[str, float]]:
        """:meth:`points` for a logger: by optimisation step, values by name."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Scores and random streams, as plain values and tensors."""

    @abstractmethod
    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what :meth:`state` gave."""

    @property
    def done(self) -> bool:
        """Whether the round's budget is spent, or a rule has ended it."""
        return self.steps >= self.budget

    def points(self) -> Sequence[Any]:
        """The round's curve: rows of ``curves.csv``."""
        return self._points

    def picture_scores(self) -> Sequence[Any]:
        """The round's rows of ``pictures.csv``, where there are any."""
        return []

    def given(self) -> dict[str, Tensor]:
        """Pictures that no round changes, by their path below ``images/`` without suffix."""
        return {}

    def artifacts(self) -> dict[str, bytes]:
        """Further files of the run directory, at a round's end."""
        return {}

    def restored(self) -> dict[str, Tensor]:
        """The round's restored pictures, by name."""
        return {}

    # What they share

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights that may be pruned, by name."""
        named = dict(self.network.named_parameters())
        return {name: named[name] for name in self.pruning.start}

    def context(self, number: int) -> Context:
        """The situation in which round ``number``'s mask is chosen: after training, or at the initialisation."""
        network, mask, keep = self.network, self.mask, self.pruning.ladder[number]
        if not self.pruning.trained:
            network = copy.deepcopy(network)
            network.load_state_dict(self.initial)
            mask = self.pruning.start.to(self.device)
        return Context(network, mask, self.loss_terms(), keep, number, stream(self.seed, "pruning"))

    def layers(self) -> list[Layer]:
        """What the mask leaves of each convolution."""
        return anatomy(self.network, self.mask, self.loss_terms()[0].code, self.round)

    @override
    def train_dataloader(self) -> DataLoader[int]:
        """Tokens for chunks, more than any round needs: ``on_train_batch_start`` ends the epoch, not this."""
        return DataLoader(range(self.budget + 1), batch_size=None)  # type: ignore[arg-type]

    @override
    def on_fit_start(self) -> None:
        if self.hardware.channels_last:
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._begin()
        if self._resumed is not None:
            self.restore(self._resumed["state"])
            self.steps = self._resumed["steps"]
            self._points = [self.tables["curves"](**point) for point in self._resumed["points"]]
            self.seconds = self._resumed["seconds"]
            self._resumed = None

    def start_round(self, number: int, mask: Mask) -> None:
        """Rewind: weights to ``mask * initialisation``, optimiser, scores and random streams to their beginning."""
        self.round = number
        self.mask = mask
        if self.pruning.rewind_step is not None:
            self.network.load_state_dict(self.rewound)
        for optimizer in self.trainer.optimizers:
            optimizer.state = defaultdict(dict)
        self._begin()

    def _begin(self) -> None:
        self.steps = 0
        self.seconds = 0.0
        self._points = []
        masked = {name: weight for name, weight in self.weights.items() if name not in self.pruning.unmasked}
        self.pruned = Pruned(masked, Mask({name: self.mask[name] for name in masked}))
        self.pruned.apply()
        self.begin()

    @override
    def on_train_batch_start(self, batch: int, batch_idx: int) -> int | None:
        return -1 if self.done else None

    @override
    def training_step(self, batch: int, batch_idx: int) -> None:
        """One chunk: at least one step, then as many as ``chunk_seconds`` and the round's budget allow."""
        begun = time.perf_counter()
        optimizers = self.trainer.optimizers
        while not self.done:
            self.steps += 1
            self.step(*optimizers)
            if self.round == 0 and self.steps == self.pruning.rewind_step:
                self.rewound = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
            if time.perf_counter() - begun >= self.hardware.chunk_seconds:
                break
        loss, _ = self.reading()
        self.seconds += time.perf_counter() - begun
        if not loss < float("inf"):
            raise UserError(
                f"the fit diverged in round {self.round} by step {self.steps} (loss {loss}); "
                f"lower fit.lr, now {optimizers[0].param_groups[0]['lr']}"
            )

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["fitting"] = {
            "numerics": self.hardware.numerics,
            "round": self.round,
            "steps": self.steps,
            "seconds": self.seconds,
            "points": [asdict(point) for point in self._points],
            "mask": dict(self.mask),
            "rewound": self.rewound if self.pruning.rewind_step else None,
            "state": self.state(),
        }

    @override
    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        state = checkpoint["fitting"]
        if state["numerics"] != self.hardware.numerics:
            raise UserError(
                f"this run was begun on {state['numerics']} and would go on with {self.hardware.numerics}: its rounds "
                "could not be compared; give the trainer that it was begun with, or another paths.output_dir"
            )
        self.round = state["round"]
        self.mask = Mask(state["mask"])
        self.rewound = state["rewound"] or self.initial
        self._resumed = state
