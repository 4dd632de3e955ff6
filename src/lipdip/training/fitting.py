"""Fitting a prior to one problem in rounds, as a LightningModule: one epoch is one round."""

import copy
import time
from collections import defaultdict
from functools import partial
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.utils.data import DataLoader
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.core.mask import Mask, Pruned
from lipdip.core.seeds import stream
from lipdip.problems import draw_code
from lipdip.pruning.context import Context, Fit
from lipdip.pruning.scope import prunable
from lipdip.training.experiment import Experiment
from lipdip.training.scores import Scores
from lipdip.training.step import Langevin, fit_step, make_objective, measurement_loss


class PriorFitting(L.LightningModule):
    """Fits ``f(z; m * theta)`` to a measurement, round after round, each from the same initialisation.

    A batch is a chunk of optimisation steps: ``training_step`` goes on for ``hardware.chunk_seconds``, and the
    epoch ends when the round's budget is spent. Every round replays the same code and the same jitter, so two
    rounds differ in their mask alone, and a ticket fitted by itself later gives the very same result.

    Args:
        experiment: what is fitted; its network is at its initialisation.
    """

    def __init__(self, experiment: Experiment) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = experiment.network
        self.problem = experiment.problem.without_noise() if experiment.pruning.clean else experiment.problem
        self.code = experiment.code
        self.metric = experiment.metric
        self.settings = experiment.settings
        self.hardware = experiment.hardware
        self.seed = experiment.seed
        self.pruning = experiment.pruning
        self.initial = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
        self.rewound = self.initial
        self.mask = Mask.dense(self.weights)
        self.round = 0
        self.seconds = 0.0
        self._resumed: dict[str, Any] | None = None

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights that may be pruned, by name."""
        named = dict(self.network.named_parameters())
        return {name: named[name] for name in self.pruning.scope}

    def context(self, number: int) -> Context:
        """The situation in which round ``number``'s mask is chosen: after training, or at the initialisation."""
        network, mask, keep = self.network, self.mask, self.pruning.ladder[number]
        if not self.pruning.trained:
            network = copy.deepcopy(network)
            network.load_state_dict(self.initial)
            mask = Mask.dense(mask).to(self.device)
        fit = Fit(self.code, partial(measurement_loss, self.problem))
        return Context(network, mask, [fit], keep, number, stream(self.seed, "pruning"))

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        settings, fused = self.settings, self.hardware.fused or None
        parameters = self.network.parameters()
        return torch.optim.Adam(parameters, lr=settings.lr, weight_decay=settings.weight_decay, fused=fused)

    @override
    def train_dataloader(self) -> DataLoader[int]:
        """Tokens for chunks, more than any round needs: ``on_train_batch_start`` ends the epoch, not this."""
        return DataLoader(range(self.settings.steps + 1), batch_size=None)  # type: ignore[arg-type]

    @override
    def on_fit_start(self) -> None:
        if self.hardware.channels_last:
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.problem = self.problem.to(self.device)
        self.code = self.code.to(self.device)
        self._objective = make_objective(self.network, self.problem, self.hardware)
        self._begin()
        if self._resumed is not None:
            self.scores.load_state_dict(self._resumed["scores"])
            self._jitter.set_state(self._resumed["jitter"].cpu())
            self._langevin.generator.set_state(self._resumed["langevin"].cpu())
            self.seconds = self._resumed["seconds"]
            self._resumed = None

    def start_round(self, number: int, mask: Mask) -> None:
        """Rewind: weights to ``mask * initialisation``, optimiser, averages, scores and jitter to their beginning."""
        self.round = number
        self.mask = mask
        self.network.load_state_dict(self.rewound)
        for optimizer in self.trainer.optimizers:
            optimizer.state = defaultdict(dict)
        self._begin()

    def _begin(self) -> None:
        self.seconds = 0.0
        if self.settings.code == "resampled":
            self.code = draw_code(self.code.shape[1:], self.seed, self.round).to(self.device)
        masked = {name: weight for name, weight in self.weights.items() if name not in self.pruning.unmasked}
        self._pruned = Pruned(masked, Mask({name: self.mask[name] for name in masked}))
        self._pruned.apply()
        self._jitter = stream(self.seed, "jitter", self.device)
        noisy, langevin = prunable(self.network).values(), stream(self.seed, "langevin", self.device)
        self._langevin = Langevin(noisy, self.settings.weight_noise, langevin)
        self.scores = Scores(self.settings, self.metric, self.problem.x, self.device)

    @override
    def on_train_batch_start(self, batch: int, batch_idx: int) -> int | None:
        return -1 if self.scores.done else None

    @override
    def training_step(self, batch: int, batch_idx: int) -> None:
        """One chunk: at least one step, then as many as ``chunk_seconds`` and the round's budget allow."""
        begun = time.perf_counter()
        (optimizer,) = self.trainer.optimizers
        std, langevin = self.settings.reg_noise_std, self._langevin if self.settings.weight_noise else None
        while not self.scores.done:
            step = fit_step(self._objective, optimizer, self._pruned, self.code, self._jitter, std, langevin)
            self.scores.update(*step)
            if self.round == 0 and self.scores.steps == self.pruning.rewind_step:
                self.rewound = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
            if time.perf_counter() - begun >= self.hardware.chunk_seconds:
                break
        loss, _ = self.scores.last()  # waits for the device
        self.seconds += time.perf_counter() - begun
        if not loss < float("inf"):
            raise UserError(
                f"the fit diverged in round {self.round} by step {self.scores.steps} (loss {loss}); "
                f"lower fit.lr, now {self.settings.lr}"
            )

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["fitting"] = {
            "numerics": self.hardware.numerics,
            "round": self.round,
            "seconds": self.seconds,
            "mask": dict(self.mask),
            "jitter": self._jitter.get_state(),
            "langevin": self._langevin.generator.get_state(),
            "rewound": self.rewound if self.pruning.rewind_step else None,
            "scores": self.scores.state_dict(),
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
