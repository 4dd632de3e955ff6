"""Lottery image priors: find, test and move sparse subnetworks that restore one degraded picture.

>>> import lipdip as lip
"""

from typing import TYPE_CHECKING

from lipdip.core.lazy import attach
from lipdip.core.version import __version__

if TYPE_CHECKING:
    from lipdip import physics
    from lipdip.api import DeepImagePrior, find, restore
    from lipdip.core.errors import UserError
    from lipdip.core.metrics import Metric
    from lipdip.fit.hardware import Hardware
    from lipdip.fit.prune_and_rewind import PruneAndRewind
    from lipdip.fit.settings import FitSettings, Multi
    from lipdip.fit.stopping import ExponentialVariance, WindowedVariance
    from lipdip.networks import DeepDecoder, Hourglass
    from lipdip.networks.protocol import Prior
    from lipdip.pictures import Problem
    from lipdip.pruning.grasp import Grasp
    from lipdip.pruning.magnitude import Magnitude
    from lipdip.pruning.oes import Oes
    from lipdip.pruning.prune import prune
    from lipdip.pruning.random import Random
    from lipdip.pruning.snip import Snip
    from lipdip.pruning.synflow import SynFlow
    from lipdip.runs.found import Run
    from lipdip.tasks.restoration.prior_fitting import PriorFitting
    from lipdip.tickets.mask import Mask
    from lipdip.tickets.ticket_file import Ticket
else:
    __getattr__, __dir__ = attach(__name__, __file__)

__all__ = [
    "DeepDecoder",
    "DeepImagePrior",
    "ExponentialVariance",
    "FitSettings",
    "Grasp",
    "Hardware",
    "Hourglass",
    "Magnitude",
    "Mask",
    "Metric",
    "Multi",
    "Oes",
    "Prior",
    "PriorFitting",
    "Problem",
    "PruneAndRewind",
    "Random",
    "Run",
    "Snip",
    "SynFlow",
    "Ticket",
    "UserError",
    "WindowedVariance",
    "__version__",
    "find",
    "physics",
    "prune",
    "restore",
]
