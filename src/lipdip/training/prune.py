"""Between rounds: score, cut, rewind."""

from collections.abc import Callable, Mapping, Sequence

import lightning as L
from torch import Tensor
from typing_extensions import override

from lipdip.pruning.scope import prunable
from lipdip.pruning.top_k import keep_top_k
from lipdip.training.fitting import PriorFitting

Scorer = Callable[[Mapping[str, Tensor]], Mapping[str, Tensor]]


class PruneAndRewind(L.Callback):
    """Iterative pruning (the paper's Algorithm 1): at the end of round k keep ``ladder[k + 1]`` weights and rewind.

    Args:
        scorer: from weights to scores, the higher the better.
        ladder: weights kept in each round, from :func:`lipdip.lottery.schedule.ladder`.
    """

    def __init__(self, scorer: Scorer, ladder: Sequence[int]) -> None:
        self._scorer = scorer
        self._ladder = ladder

    @override
    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        assert isinstance(pl_module, PriorFitting)
        following = pl_module.round + 1
        if following < len(self._ladder):
            scores = self._scorer(prunable(pl_module.network))
            pl_module.start_round(following, keep_top_k(scores, pl_module.mask, self._ladder[following]))
