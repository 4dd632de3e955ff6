"""Between rounds: score, cut, rewind."""

from collections.abc import Sequence

import lightning as L
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.lottery.stopping import rising
from lipdip.pruning.cut import EmptiedLayerError, Scorer, cut
from lipdip.training.fitting import PriorFitting
from lipdip.training.record import Record


class PruneAndRewind(L.Callback):
    """At the end of round k keep ``ladder[k + 1]`` weights and rewind; stop where that cannot be, or a rule says so.

    Args:
        record: holds the rounds so far; stands before this callback.
        scorer: from a context to scores, the higher the better.
        ladder: weights kept in each round, from :mod:`lipdip.lottery.schedule`.
        trained: whether weights are scored as they are after training, inside the old mask (the paper's Algorithm
            1), or at the initialisation, among all.
        stop: end after the round's final loss has risen so often in a row, or None.
        empty_layers: what happens where a layer would lose its last weight, see ``pruning.cut``.
    """

    def __init__(
        self,
        record: Record,
        scorer: Scorer,
        ladder: Sequence[int],
        trained: bool = True,
        stop: int | None = None,
        empty_layers: str = "stop",
    ) -> None:
        self._record = record
        self._scorer = scorer
        self._ladder = ladder
        self._trained = trained
        self._stop = stop
        self._empty_layers = empty_layers

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, PriorFitting)
        following = pl_module.round + 1
        if following >= len(self._ladder):
            return
        if self._stop is not None and rising([row.loss for row in self._record.rounds], self._stop) is not None:
            self._end(trainer, f"the fitting loss has risen {self._stop} rounds in a row (pruner.stop)")
            return
        try:
            context = pl_module.context(following, self._ladder[following], self._trained)
            mask = cut(self._scorer, context, self._empty_layers)
        except EmptiedLayerError as error:
            what = f"{error}; give fewer rounds or a lower sparsity, or pruner.empty_layers=keep_one"
            if following == 1:
                raise UserError(what) from None
            self._end(trainer, what)
        except ValueError as error:
            raise UserError(f"round {following} cannot be pruned: {error}") from None
        else:
            pl_module.start_round(following, mask.to(pl_module.device))

    def _end(self, trainer: L.Trainer, reason: str) -> None:
        self._record.ended = reason
        trainer.should_stop = True
