"""What an experiment is: everything that a run needs, checked and ready."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from lipdip.core.metrics import Metric
from lipdip.fit.hardware import Hardware
from lipdip.fit.settings import ClassifySettings, FitSettings, GanSettings, Multi, RecoverySettings
from lipdip.networks.progressive import Progressive
from lipdip.pictures import Problem
from lipdip.pictures.datasets import Dataset
from lipdip.pruning.cut import Scorer
from lipdip.runs.directory import run_name
from lipdip.tickets.mask import Mask


@dataclass(frozen=True)
class Pruning:
    """Which weights go, when, and who decides.

    Args:
        start: the mask of round 0, over every weight that may go: dense, or a ticket's.
        ladder: weights kept in each round, from :mod:`lipdip.lottery.schedule`.
        scorer: what decides, or None where nothing is pruned.
        trained: score weights after training (else at the initialisation).
        rewind_step: the first round's step whose weights later rounds start from, or None: they go on from where the
            round before ended.
        clean: fit the clean picture while pruning, as the public scripts do.
        empty_layers: what happens where a layer would lose its last weight, see ``pruning.cut``.
        stop: end after so many rises of the final loss in a row, or None.
        unmasked: weights that count as pruned and yet are not touched, a quirk of the public scripts.
    """

    start: Mask
    ladder: Sequence[int]
    scorer: Scorer | None
    trained: bool = True
    rewind_step: int | None = 0
    clean: bool = False
    empty_layers: str = "stop"
    stop: int | None = None
    unmasked: Collection[str] = ()


@dataclass(frozen=True)
class Origin:
    """Where a network's initial weights come from, as tickets tell it.

    Args:
        network: ``target`` and ``settings`` to build it again.
        stream: name of the stream that its weights were drawn from; None where they are a pretrained network's.
        pretrained: ``name`` and ``sha256`` of that one.
        whole: whether all weights are from there (else part came from a ticket, and its own tickets must carry them).
    """

    network: Mapping[str, Any]
    stream: str | None = "init"
    pretrained: Mapping[str, str] | None = None
    whole: bool = True

    def after(self, own: bool) -> "Origin":
        """The same once a ticket was laid over the network; ``own``: it left all weights as they were."""
        return replace(self, whole=self.whole and own)


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """What is trained, and how it is pruned.

    Args:
        network: at its initialisation.
        origin: where that comes from.
        pruning: which weights go, when, and who decides.
        hardware: where it runs.
        seed: of initialisation, code and jitter.
        configuration: the scientific part of the configuration, plain values; the run's identity.
        notes: what was done to pictures and tickets on the way, for the user to know.
    """

    network: nn.Module
    origin: Origin
    pruning: Pruning
    hardware: Hardware
    seed: int
    configuration: Mapping[str, Any]
    notes: Sequence[str] = ()

    @property
    def name(self) -> str:
        """The run's name: a hash of its scientific configuration."""
        return run_name(self.configuration)

    @property
    def subject(self) -> str:
        """What it is trained on, in a word or two."""
        raise NotImplementedError

    @property
    def metric_name(self) -> str:
        """What results are scored by, in words."""
        raise NotImplementedError

    @property
    def provenance(self) -> dict[str, Any]:
        """Where a ticket or a score comes from."""
        return {"run": self.name, "picture": self.subject, "configuration": dict(self.configuration)}


@dataclass(frozen=True, kw_only=True)
class Restoration(Experiment):
    """A prior fitted to what was measured of one picture or of several.

    Args:
        problems: what was measured.
        codes: the network's fixed inputs, one for each problem.
        metric: how reconstructions are scored.
        settings: budget of a round.
        multi: what several pictures share.
    """

    problems: Sequence[Problem]
    codes: Sequence[Tensor]
    metric: Metric
    settings: FitSettings
    multi: Multi

    @property
    def subject(self) -> str:
        """The pictures' names."""
        return ", ".join(problem.name for problem in self.problems)

    @property
    def metric_name(self) -> str:
        """Channels, range and crop of PSNR and SSIM."""
        return str(self.metric)


@dataclass(frozen=True, kw_only=True)
class Classification(Experiment):
    """A classifier trained on labelled pictures.

    Args:
        dataset: what it learns, and what it is tested on.
        settings: budget of a round.
    """

    dataset: Dataset
    settings: ClassifySettings

    @property
    def subject(self) -> str:
        """The data set's name."""
        return self.dataset.name

    @property
    def metric_name(self) -> str:
        """Accuracy."""
        return "accuracy on test pictures"


@dataclass(frozen=True, kw_only=True)
class Generation(Experiment):
    """A GAN trained on pictures; ``network`` is its generator.

    Args:
        discriminator: its adversary.
        dataset: pictures to learn from, and held-out ones to be judged by; labels are not looked at.
        settings: budget of a round.
    """

    discriminator: Progressive
    dataset: Dataset
    settings: GanSettings

    @property
    def subject(self) -> str:
        """The data set's name."""
        return self.dataset.name

    @property
    def metric_name(self) -> str:
        """How well held-out pictures are reached."""
        return "MSE on [-1, 1] of held-out pictures reached by a code"


@dataclass(frozen=True, kw_only=True)
class Recovery(Experiment):
    """Pictures recovered from measurements by a pretrained generator, which is ``network``.

    Args:
        problems: what was measured, of pictures in [-1, 1] and by one physics for all.
        latent: numbers in a code.
        settings: how codes are searched.
    """

    problems: Sequence[Problem]
    latent: int
    settings: RecoverySettings

    @property
    def subject(self) -> str:
        """The pictures' names."""
        return ", ".join(problem.name for problem in self.problems)

    @property
    def metric_name(self) -> str:
        """PSNR and the MSE that the paper's Table 1 has."""
        return "PSNR, and MSE per pixel on [-1, 1]"
