"""Training a classifier on labelled pictures, in rounds."""

from collections.abc import Collection, Mapping
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from typing_extensions import override

from lipdip.core.seeds import stream
from lipdip.fit.hardware import Hardware
from lipdip.fit.rounds import Rounds
from lipdip.pictures.datasets import Dataset, Examples
from lipdip.pruning.context import LossTerm
from lipdip.runs.rows import Round
from lipdip.tasks.classification.classified import Classified, ClassifyingPoint
from lipdip.tasks.classification.classify_settings import ClassifySettings
from lipdip.tickets.mask import Mask


class Classifying(Rounds):
    """Trains by SGD on shuffled batches; after every epoch it is tested on all test pictures.

    Every round sees the same batches in the same order, so two rounds differ in their mask alone.

    Args:
        network: a classifier at its initialisation.
        dataset: what it learns, and what it is tested on.
        settings: budget of a round.
        mask: of round 0.
        seed: of the order of pictures.
        hardware: where it runs.
        unmasked: names of weights that no mask touches.
    """

    kind: ClassVar = "classification"
    tables: ClassVar = {"rounds": Classified, "curves": ClassifyingPoint}

    def __init__(
        self,
        network: nn.Module,
        dataset: Dataset,
        settings: ClassifySettings,
        mask: Mask,
        seed: int = 0,
        hardware: Hardware | None = None,
        unmasked: Collection[str] = (),
    ) -> None:
        self.settings = settings
        self._batches = -(-len(dataset.train) // settings.batch)
        super().__init__(network, mask, seed, hardware, unmasked)
        self.dataset = dataset

    @property
    @override
    def subject(self) -> str:
        return self.dataset.name

    @property
    @override
    def metric_name(self) -> str:
        return "accuracy on test pictures"

    @override
    def headline(self) -> tuple[str, str]:
        data, epochs = self.dataset, self.settings.epochs
        size = f"{len(data.train)} training and {len(data.test)} test pictures in {len(data.classes)} classes"
        return f"Classify, {data.name}: {size}", f"{epochs} epoch{'' if epochs == 1 else 's'}"

    @override
    def configure_optimizers(self) -> torch.optim.Optimizer:
        settings = self.settings
        return torch.optim.SGD(
            self.network.parameters(),
            lr=settings.lr,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            fused=self.hardware.fused or None,
        )

    @override
    def on_fit_start(self) -> None:
        network: nn.Module = torch.compile(self.network) if self.hardware.compile else self.network  # type: ignore[assignment]
        self._logits = partial(network)  # no module: checkpoints must not hold the network twice
        super().on_fit_start()

    @override
    def begin(self) -> None:
        self._epoch_loss = torch.zeros((), device=self.device)

    @override
    def loss_terms(self) -> list[LossTerm]:
        """One batch of the training pictures, the same at every call."""
        draw = stream(self.seed, "scoring")
        indices = torch.randperm(len(self.dataset.train), generator=draw)[: self.settings.batch]
        pictures, labels = self._batch(self.dataset.train, indices)
        return [LossTerm(pictures, lambda logits: self._loss(logits, labels))]

    def _batch(self, examples: Examples, indices: Tensor) -> tuple[Tensor, Tensor]:
        pictures, labels = examples.batch(indices)
        return pictures.to(self.device), labels.to(self.device)

    def _loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        return cross_entropy(torch.sigmoid(logits) if self.settings.sigmoid else logits, labels)

    def _forward(self, pictures: Tensor) -> Tensor:
        with self.hardware.network_precision():
            logits: Tensor = self._logits(pictures)
        return logits.float()

    @override
    def step(self) -> None:
        (optimizer,) = self.stepped
        epoch, number = divmod(self.steps - 1, self._batches)
        size = self.settings.batch
        order = torch.randperm(len(self.dataset.train), generator=stream(self.seed, f"shuffle/{epoch}"))
        pictures, labels = self._batch(self.dataset.train, order[number * size : (number + 1) * size])
        for group in optimizer.param_groups:
            group["lr"] = self.settings.lr_in(epoch)
        optimizer.zero_grad()
        loss = self._loss(self._forward(pictures), labels)
        self.manual_backward(loss)
        optimizer.step()
        self.pruned.apply()
        self._last = loss.detach()
        self._epoch_loss = self._epoch_loss + self._last * len(labels)
        if number + 1 == self._batches:
            mean = self._epoch_loss.item() / len(self.dataset.train)
            self._points.append(ClassifyingPoint(self.round, epoch + 1, mean, self._accuracy()))
            self._epoch_loss = torch.zeros_like(self._epoch_loss)

    @torch.no_grad()
    def _accuracy(self) -> float:
        """The share of test pictures named right, with BatchNorm's running averages."""
        self.network.eval()
        right, count = torch.zeros((), device=self.device), len(self.dataset.test)
        for indices in torch.split(torch.arange(count), self.settings.batch):
            pictures, labels = self._batch(self.dataset.test, indices)
            right = right + (self._forward(pictures).argmax(1) == labels).sum()
        self.network.train()
        return right.item() / count

    @property
    @override
    def budget(self) -> int:
        return self.settings.epochs * self._batches

    @override
    def recorded(self, step: int) -> bool:
        return step % self._batches == 0 or super().recorded(step)

    @override
    def reading(self) -> tuple[float, str]:
        return self._last.item(), f"accuracy {self._points[-1].accuracy:.4f}" if self._points else ""

    @override
    def row(self, **common: Any) -> Round:
        best = max(self._points, key=lambda point: point.accuracy)
        last = self._points[-1]
        return Classified(
            **common,
            loss=last.loss,
            accuracy=last.accuracy,
            accuracy_best=best.accuracy,
            accuracy_best_epoch=best.epoch,
        )

    @override
    def describe(self, row: Round) -> str:
        assert isinstance(row, Classified)
        return f"accuracy {row.accuracy:.4f}, best {row.accuracy_best:.4f} after epoch {row.accuracy_best_epoch}"

    @override
    def curve(self) -> dict[int, dict[str, float]]:
        return {p.epoch * self._batches: {"loss": p.loss, "accuracy": p.accuracy} for p in self._points}

    @override
    def state(self) -> dict[str, Any]:
        return {"epoch_loss": self._epoch_loss}

    @override
    def load_state(self, state: Mapping[str, Any]) -> None:
        self._epoch_loss = state["epoch_loss"].to(self.device)
