"""Between rounds: score, cut, rewind."""

import lightning as L
from typing_extensions import override

from lipdip.core.errors import UserError
from lipdip.fit.experiment import Pruning
from lipdip.fit.record import Record
from lipdip.fit.rounds import Rounds
from lipdip.pruning.cut import EmptiedLayerError, Scorer, cut
from lipdip.runs.rising import rising


class PruneAndRewind(L.Callback):
    """At the end of round k keep ``ladder[k + 1]`` weights and rewind; stop where that cannot be, or a rule says so.

    Args:
        record: holds the rounds so far; stands before this callback.
        pruning: the ladder, and when to stop.
        scorer: ``pruning.scorer``, which is there.
    """

    def __init__(self, record: Record, pruning: Pruning, scorer: Scorer) -> None:
        self._record = record
        self._pruning = pruning
        self._scorer = scorer

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, Rounds)
        following = pl_module.round + 1
        if following >= len(self._pruning.ladder):
            return
        losses, stop = [row.loss for row in self._record.rounds], self._pruning.stop
        if stop is not None and rising(losses, stop) is not None:
            self._end(trainer, f"the fitting loss has risen {stop} rounds in a row (pruner.stop)")
            return
        try:
            mask = cut(self._scorer, pl_module.context(following), self._pruning.empty_layers)
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
