"""Training a network in rounds, as a LightningModule: one epoch is one round."""

import copy
import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import asdict
from typing import Any

import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor, nn
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.core.seeds import stream
from lipdip.fit.hardware import SWITCHES, Hardware
from lipdip.fit.kind import Kind
from lipdip.pruning.anatomy import Layer, anatomy
from lipdip.pruning.context import Context
from lipdip.runs.rows import Round
from lipdip.tickets.mask import Mask, Pruned

_PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


class Rounds(Kind):
    """What all kinds of training share: masks, rewinding, the budget of a round, and going on after a crash.

    An epoch is a round of ``budget`` optimisation steps, and a batch is ``hardware.steps_per_batch`` of them (1 on a
    CPU). ``trainer.global_step`` counts the optimisers' steps. Without a callback that starts another round, such as
    :class:`~lipdip.fit.prune_and_rewind.PruneAndRewind`, a further epoch goes on from the weights of the one before.
    What is trained, and on what, a subclass says.

    Args:
        network: at its initialisation.
        mask: of round 0, over every weight that may be pruned.
        seed: of everything random that is drawn while training.
        hardware: where it runs; None: wherever Lightning's Trainer puts it, with the plain step.
        unmasked: names of weights that count as pruned and yet are left as they are, a quirk of the public scripts.
    """

    def __init__(
        self,
        network: nn.Module,
        mask: Mask,
        seed: int = 0,
        hardware: Hardware | None = None,
        unmasked: Collection[str] = (),
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.network = network
        self.hardware = hardware or Hardware("cpu")
        self._anywhere = hardware is None
        self.seed = seed
        self.unmasked = unmasked
        self.initial = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        self.start_mask = mask
        self.rewind_step: int | None = 0  # whose weights later rounds start from; None: from where the last one ended
        self.ended: str | None = None  # why, where not all rounds were done
        self._reset()

    def start_over(self) -> None:
        """Go back to the beginning of round 0, with the initial weights."""
        self.network.load_state_dict(self.initial)
        self._reset()

    def _reset(self) -> None:
        self.rewound = self.initial
        self.mask = self.start_mask
        self.round = 0
        self.steps = 0  # of optimisation in this round so far
        self.seconds = 0.0
        self._points: list[Any] = []
        self._resumed: dict[str, Any] | None = None
        self._most: int | None = None  # steps that Lightning's limit_train_batches leaves of a round
        self._row: Round | None = None

    @property
    def stepped(self) -> list[Any]:
        """Lightning's optimisers, whose steps ``trainer.global_step`` counts, in the order of their making."""
        own = self.optimizers()
        return list(own) if isinstance(own, list) else [own]

    @property
    @override
    def allowed(self) -> int:
        """Steps of a round: the budget, or fewer where Lightning's ``limit_train_batches`` says so."""
        return self.budget if self._most is None else min(self.budget, self._most)

    @property
    def done(self) -> bool:
        """Whether the round is over: its budget is spent, or a rule has ended it."""
        return self.steps >= self.allowed or self.ended_early()

    @property
    def weights(self) -> dict[str, Tensor]:
        """The weights that may be pruned, by name."""
        named = dict(self.network.named_parameters(remove_duplicate=False))
        return {name: named[name] for name in self.start_mask}

    def context(self, number: int, keep: int, trained: bool = True) -> Context:
        """The situation in which round ``number``'s mask is chosen: after training, or at the initialisation."""
        network, mask = self.network, self.mask
        if not trained:
            network = copy.deepcopy(network)
            network.load_state_dict(self.initial)
            mask = self.start_mask.to(self.device)
        return Context(network, mask, self.loss_terms(), keep, number, stream(self.seed, "pruning"))

    def layers(self) -> list[Layer]:
        """What the mask leaves of each layer."""
        return anatomy(self.network, self.mask, self.loss_terms()[0].code, self.round)

    @override
    def train_dataloader(self) -> range:
        """Numbers of batches, one more than a round needs: :meth:`on_train_batch_start` ends the epoch, not this.

        Lightning takes a state saved after an epoch's last batch for a finished epoch, and would count it twice.
        """
        return range(-(-self.budget // (self.hardware.steps_per_batch or 1)) + 1)

    @override
    def on_fit_start(self) -> None:
        self._check_trainer()
        if self._anywhere:
            self.hardware = Hardware(self.device.type, steps_per_batch=1, **dict.fromkeys(SWITCHES, False))  # type: ignore[arg-type]
        if self.hardware.channels_last:
            self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self._resumed is None and self.steps:  # a second fit begins anew
            self.start_over()
        resumed, self._resumed = self._resumed, None
        self._begin()
        if resumed is not None:
            self.load_state(resumed["state"])
            self.steps = resumed["steps"]
            self._points = [self.tables["curves"](**point) for point in resumed["points"]]
            self.seconds = resumed["seconds"]

    def _check_trainer(self) -> None:
        """Refuse what this training cannot do; Lightning itself refuses what manual optimisation cannot."""
        if self.trainer.precision not in _PRECISIONS:
            raise UserError(
                f"precision={self.trainer.precision!r} would run physics and scores in it too; give one of "
                f"{', '.join(_PRECISIONS)}: mixed ones are for the network alone"
            )
        if self.trainer.world_size > 1:
            raise UserError(f"one fit uses one device, not devices={self.trainer.world_size}; run several fits instead")

    @override
    def on_train_start(self) -> None:
        batches = self.trainer.num_training_batches
        most = int(batches) * (self.hardware.steps_per_batch or 1)
        self._most = most if most < self.budget else None
        if self._most is not None:
            rank_zero_warn(f"limit_train_batches: every round ends after {most} of its {self.budget} steps")

    @override
    def on_train_epoch_start(self) -> None:
        if self.round < self.trainer.current_epoch and self.done:  # nobody has started another round
            self.round += 1
            self._begin()

    def start_round(self, mask: Mask) -> None:
        """Start the next round: weights are ``mask * initialisation``, optimisers, scores and streams are new."""
        self.round += 1
        self.mask = mask.to(self.device)
        if self.rewind_step is not None:
            self.network.load_state_dict(self.rewound)
        for optimizer in self.trainer.optimizers:
            optimizer.state = defaultdict(dict)
        self._begin()

    def _begin(self) -> None:
        self.steps = 0
        self.seconds = 0.0
        self._points = []
        self._row = None
        masked = {name: weight for name, weight in self.weights.items() if name not in self.unmasked}
        self.pruned = Pruned(masked, Mask({name: self.mask[name] for name in masked}))
        self.pruned.apply()
        self.begin()

    @override
    def on_train_batch_start(self, batch: int, batch_idx: int) -> int | None:
        return -1 if self.done else None

    @override
    def training_step(self, batch: int, batch_idx: int) -> None:
        """A batch: ``steps_per_batch`` optimisation steps, or as many as the round and ``max_steps`` allow."""
        begun = time.perf_counter()
        for _ in range(self.hardware.steps_per_batch or 1):
            if self.done or 0 <= self.trainer.max_steps <= self.trainer.global_step:
                break
            self.steps += 1
            self.step()
            if self.round == 0 and self.steps == self.rewind_step:
                self.rewound = {name: tensor.detach().clone() for name, tensor in self.network.state_dict().items()}
            if self.recorded(self.steps) or self.done:
                self._log()
        self.seconds += time.perf_counter() - begun

    def _log(self) -> None:
        """Log the loss and what is known of scores; end a fit that has diverged."""
        loss, _ = self.reading()
        if not loss < float("inf"):
            rate = self.trainer.optimizers[0].param_groups[0]["lr"]
            raise UserError(
                f"the fit diverged in round {self.round} by step {self.steps} (loss {loss}); lower fit.lr, now {rate}"
            )
        self.log("loss", loss, prog_bar=True, batch_size=1)

    @override
    def on_train_epoch_end(self) -> None:
        """Log the round's scores, so that monitors such as ``EarlyStopping`` can look at them."""
        if self.done:
            row = asdict(self.finished_row()).items()
            numbers = {name: float(value) for name, value in row if isinstance(value, int | float)}
            wanted = {
                name: value for name, value in numbers.items() if name not in ("loss", "round", "steps", "matching")
            }
            self.log_dict(wanted, batch_size=1)

    def finished_row(self) -> Round:
        """The row of the round that has just ended; worked out once."""
        if self._row is None:
            layers, parameters = self.layers(), sum(p.numel() for p in self.network.parameters())
            self._row = self.row(
                round=self.round,
                sparsity=self.mask.sparsity,
                kept_weights=self.mask.kept,
                seconds=self.seconds,
                steps=self.steps,
                dead_channels=sum(layer.dead_channels for layer in layers),
                parameters_kept=parameters - self.mask.total + self.mask.kept,
                flops=sum(layer.flops for layer in layers),
                flops_kept=sum(layer.flops_kept for layer in layers),
            )
        return self._row

    @override
    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["fitting"] = {
            "numerics": self.hardware.numerics,
            "round": self.round,
            "steps": self.steps,
            "seconds": self.seconds,
            "points": [asdict(point) for point in self._points],
            "mask": dict(self.mask),
            "rewound": self.rewound if self.rewind_step else None,
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
