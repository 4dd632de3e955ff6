"""What one row of each table of a run directory says."""

from dataclasses import dataclass

from typing_extensions import override


@dataclass(frozen=True, kw_only=True)
class Round:
    """One row of ``rounds.csv``: what the network with this round's mask reached under the full budget.

    ``loss`` is the last step's. ``dead_channels`` keep no weight; ``parameters_kept`` counts biases and
    BatchNorm too; ``flops`` and ``flops_kept`` are of one forward pass through the convolutions, dense and kept.
    ``matching``: :attr:`score` is no worse than the dense network's; None where that cannot be known.
    """

    round: int
    sparsity: float
    kept_weights: int
    loss: float
    seconds: float
    matching: bool | None = None
    dead_channels: int = 0
    parameters_kept: int = 0
    flops: int = 0
    flops_kept: int = 0

    @property
    def score(self) -> float | None:
        """What the matching test compares, higher is better; None where nobody can know it."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Restored(Round):
    """A round of restoring pictures; of several, the mean of their scores, and no step, since each has its own.

    PSNR in dB and SSIM against the clean image, by the run's metric; None where there is no clean image.
    ``loss`` is a mean over all values of the measurement (inpainting's unknown ones are zero in it).
    ``psnr_best`` is the best over the run and so an oracle; ``ssim_best`` is the SSIM of that same picture.
    ``psnr_stop`` is the PSNR at ``stop_step``, chosen by a rule that never sees the clean image; ``psnr_stop_gap`` is
    what it falls short of ``psnr_best``.
    ``weights_per_pixel`` is kept prunable weights over the pictures' values (height x width x channels).
    """

    weights_per_pixel: float
    psnr_best: float | None
    psnr_best_step: int | None
    psnr_last: float | None
    psnr_ema: float | None
    psnr_stop: float | None
    psnr_stop_gap: float | None
    stop_step: int | None
    ssim_best: float | None

    @property
    @override
    def score(self) -> float | None:
        return self.psnr_best


@dataclass(frozen=True, kw_only=True)
class Classified(Round):
    """A round of training a classifier: the share of test pictures that are named right.

    ``accuracy`` is the last epoch's and decides ``matching``; ``accuracy_best`` is an oracle's choice of epoch.
    ``loss`` is the last epoch's mean over the training pictures.
    """

    accuracy: float
    accuracy_best: float
    accuracy_best_epoch: int

    @property
    @override
    def score(self) -> float | None:
        return self.accuracy


@dataclass(frozen=True, kw_only=True)
class Generated(Round):
    """A round of training a GAN. ``loss`` is the critic's last, ``generator_loss`` the generator's, ``distance`` the
    critic's estimate of how far generated pictures are from real ones. ``reconstruction_error``: per-pixel MSE, on
    [-1, 1], of held-out pictures that the average generator was brought to; the lower the better, and decides
    ``matching``.
    """

    generator_loss: float
    distance: float
    reconstruction_error: float

    @property
    @override
    def score(self) -> float | None:
        return -self.reconstruction_error


@dataclass(frozen=True, kw_only=True)
class Recovered(Round):
    """Pictures recovered by a pretrained generator, the mean over pictures.

    ``mse`` is per pixel on [-1, 1] and ``psnr`` in dB, of the restart with the lowest objective; None where there is no
    clean picture. ``loss`` is that objective.
    """

    measurements: int
    mse: float | None
    psnr: float | None

    @property
    @override
    def score(self) -> float | None:
        return self.psnr


@dataclass(frozen=True)
class RecoveredPicture:
    """One row of a recovery's ``pictures.csv``: which restart was kept, its objective, and how good it is.

    ``mse_lasso`` is the baseline's, where it was asked for.
    """

    round: int
    sparsity: float
    picture: str
    restart: int
    objective: float
    mse: float | None
    psnr: float | None
    mse_lasso: float | None = None


@dataclass(frozen=True)
class PictureScores:
    """One row of ``pictures.csv``: what a round reached on one of several pictures, named as in ``Restored``."""

    round: int
    sparsity: float
    picture: str
    loss: float
    psnr_best: float | None
    psnr_best_step: int | None
    psnr_last: float | None
    psnr_ema: float | None
    psnr_stop: float | None
    psnr_stop_gap: float | None
    stop_step: int | None
    ssim_best: float | None


@dataclass(frozen=True)
class CurvePoint:
    """One row of ``curves.csv``: loss and scores of one step, with the output (``psnr``) and its average."""

    round: int
    picture: str
    step: int
    loss: float
    psnr: float | None
    psnr_ema: float | None
    ssim: float | None


@dataclass(frozen=True)
class ClassifyingPoint:
    """One row of ``curves.csv``: after one epoch, the mean training loss and the test accuracy."""

    round: int
    epoch: int
    loss: float
    accuracy: float


@dataclass(frozen=True)
class AdversarialPoint:
    """One row of ``curves.csv``: the losses after a step, how many scales were trained, and the last one's share."""

    round: int
    step: int
    scales: int
    alpha: float
    loss: float
    generator_loss: float
    distance: float


@dataclass(frozen=True)
class RecoveringPoint:
    """One row of ``curves.csv``: after a step, the means over pictures of objective and MSE of the kept restarts."""

    round: int
    step: int
    objective: float
    mse: float | None
