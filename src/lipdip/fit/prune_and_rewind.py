"""Algorithm 1 between rounds: score, cut, rewind."""

from collections.abc import Sequence
from typing import Any

import lightning as L
import torch
from torch import Tensor
from typing_extensions import override

from lipdip.core.check import number
from lipdip.core.errors import UserError
from lipdip.fit.rounds import Rounds
from lipdip.pruning.cut import EmptiedLayerError, Scorer, cut
from lipdip.pruning.magnitude import Magnitude
from lipdip.pruning.schedule import ladder, ladder_to, target
from lipdip.runs.rising import rising
from lipdip.tickets.mask import Mask


class PruneAndRewind(L.Callback):
    """Iterative pruning: after each round the worst weights go, and the others go back to where they started.

    Needs a module that trains in rounds, such as :class:`~lipdip.PriorFitting`, and nothing else: no run directory,
    and no place of its own in the list of callbacks. Whoever looks at the end of an epoch sees the trained network;
    it is pruned and rewound when the next epoch starts.

    Source: Frankle & Carbin, ICLR 2019; Algorithm 1 of Wu et al., TMLR 2023.

    Args:
        scorer: what decides which weights stay: those with the highest scores. None: magnitude.
        rate: fraction of the remaining weights pruned each round.
        rounds: of pruning; None: as many as the trainer's ``max_epochs`` leaves after the dense one.
        sparsity: instead of ``rounds``: end at exactly this sparsity.
        when: score weights after ``training``, or at the ``initialisation``; None: as the rule has it (magnitude after
            training, SNIP and the others at the initialisation).
        rewind: the first round's step whose weights later rounds start from, a share of its steps (0.05), or
            ``never``: they go on from where the round before ended.
        stop: end when the final loss has risen so many rounds in a row; None: do all rounds.
        empty_layers: where a layer would lose its last weight: ``stop``, ``keep_one`` or ``allow``.
        kept: instead of ``rate``, ``rounds`` and ``sparsity``: how many weights each round keeps, from round 0 on.

    Raises:
        ValueError: on a value that makes no sense.

    >>> import lightning as L, torch, lipdip as lip
    >>> physics = lip.physics.Denoise((1, 32, 32))
    >>> fit = lip.PriorFitting(lip.Hourglass(1, 4, 2), [lip.Problem(torch.rand(1, 1, 32, 32), physics)], steps=2)
    >>> trainer = L.Trainer(max_epochs=3, callbacks=[lip.PruneAndRewind(rate=0.2)], accelerator="cpu", logger=False,
    ...     enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
    >>> trainer.fit(fit)
    >>> fit.round, round(fit.mask.sparsity, 2)
    (2, 0.36)
    """

    def __init__(
        self,
        scorer: Scorer | None = None,
        *,
        rate: float = 0.2,
        rounds: int | None = None,
        sparsity: float | None = None,
        when: str | None = None,
        rewind: float | str = 0,
        stop: int | None = None,
        empty_layers: str = "stop",
        kept: Sequence[int] | None = None,
    ) -> None:
        self.scorer: Scorer = Magnitude() if scorer is None else scorer
        self.trained = (when or getattr(self.scorer, "when", "training")) == "training"
        self.rewind, self.stop, self.empty_layers = rewind, stop, empty_layers
        self.kept: Sequence[int] = ()  # in the fit that was planned last
        self._given = kept
        self._rate, self._rounds, self._sparsity = rate, rounds, sparsity
        self._losses: list[float] = []
        self._next: Mask | None = None
        if stop is not None:
            rising([], stop)
        ladder(10**9, rate, 0)  # refuses a rate that is none

    def plan(self, start: Mask, budget: int, rounds: int | None = None) -> Sequence[int]:
        """How many weights each round keeps, from round 0 on.

        Args:
            start: the mask of round 0.
            budget: optimisation steps of a round.
            rounds: of pruning, where the callback itself was given none.

        Raises:
            ValueError: if there is no such ladder, or no such step to rewind to.
        """
        rewind_step(self.rewind, budget)
        own = self._rounds if self._rounds is not None else rounds
        self.kept = self._ladder(start, own) if self._given is None else self._given
        return self.kept

    def _ladder(self, start: Mask, rounds: int | None) -> list[int]:
        if self._sparsity is None:
            if rounds is None:
                raise ValueError("rounds must be given, or the trainer's max_epochs")
            return ladder(start.kept, self._rate, rounds)
        last = target(start.total, self._sparsity)
        if last >= start.kept:
            raise ValueError(
                f"sparsity={self._sparsity} is no more than the {start.sparsity:.3f} that the run starts with"
            )
        return ladder_to(start.kept, self._rate, last) if self.trained else [start.kept, last]

    @override
    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        if not isinstance(pl_module, Rounds):
            raise UserError(f"PruneAndRewind needs a module that trains in rounds, not {type(pl_module).__name__}")
        epochs = trainer.max_epochs
        try:
            self.plan(pl_module.start_mask, pl_module.budget, epochs - 1 if epochs is not None and epochs > 0 else None)
        except ValueError as error:
            raise UserError(f"PruneAndRewind: {error}") from None
        pl_module.rewind_step = rewind_step(self.rewind, pl_module.budget)
        self._losses, self._next = [], None

    # Algorithm 1

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Round k is trained: choose the mask of round k + 1."""
        assert isinstance(pl_module, Rounds)
        if not pl_module.done:  # stopped in the middle
            return
        self._losses.append(pl_module.finished_row().loss)
        following = pl_module.round + 1
        if following >= len(self.kept):
            trainer.should_stop = True
        elif self.stop is not None and rising(self._losses, self.stop) is not None:
            self._end(trainer, pl_module, f"the fitting loss has risen {self.stop} rounds in a row (pruner.stop)")
        else:
            self._cut(trainer, pl_module, following, self.kept[following])

    def _cut(self, trainer: L.Trainer, module: Rounds, following: int, keep: int) -> None:
        try:
            self._next = cut(self.scorer, module.context(following, keep, self.trained), self.empty_layers)
        except EmptiedLayerError as error:
            what = f"{error}; give fewer rounds or a lower sparsity, or pruner.empty_layers=keep_one"
            if following == 1:
                raise UserError(what) from None
            self._end(trainer, module, what)
        except ValueError as error:
            raise UserError(f"round {following} cannot be pruned: {error}") from None

    @override
    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Rewind: round k + 1 starts from its mask times the initial weights."""
        assert isinstance(pl_module, Rounds)
        if self._next is not None:
            mask, self._next = self._next, None
            pl_module.start_round(mask)

    def _end(self, trainer: L.Trainer, module: Rounds, reason: str) -> None:
        module.ended = reason
        trainer.should_stop = True

    @override
    def state_dict(self) -> dict[str, Any]:
        waiting: dict[str, Tensor] | None = None if self._next is None else dict(self._next)
        return {"losses": self._losses, "next": waiting}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._losses = list(state_dict["losses"])
        waiting = state_dict["next"]
        self._next = None if waiting is None else Mask({name: layer.to(torch.bool) for name, layer in waiting.items()})


def rewind_step(rewind: object, steps: int) -> int | None:
    """The step of the first round that ``rewind`` means, of ``steps``; None: rounds go on from each other.

    Raises:
        ValueError: if it means none.
    """
    if rewind == "never":
        return None
    if isinstance(rewind, float):
        number("rewind", rewind, low=0, below=1)
        return round(rewind * steps)
    if isinstance(rewind, str):
        raise ValueError(f"rewind must be a step of the first round, a share of it, or never, not {rewind!r}")
    number("rewind", rewind, low=0, high=steps, whole=True)
    return int(str(rewind))
