"""What every pruner has: the settings of the group ``pruner``, and the callback that they describe."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from torch import nn

from lipdip.core.check import FEATURES, choice, flag, number
from lipdip.core.errors import UserError
from lipdip.fit.prune_and_rewind import PruneAndRewind
from lipdip.pruning.cut import EMPTY_LAYERS
from lipdip.runs.identity import canonical, tag, unusual
from lipdip.tasks.configuration import Config, build, settings_of, target
from lipdip.tickets.mask import Mask
from lipdip.tickets.ticket_file import Ticket, tensor_digests


@dataclass(frozen=True, kw_only=True)
class PrunerSettings:
    """Which weights go, when, and who decides.

    Args:
        name: of the preset.
        scorer: the rule: ``_target_`` and settings; None: nothing is pruned.
        when: score weights after ``training``, or at ``initialisation``.
        rounds: of pruning after the dense one.
        rate: fraction of the remaining weights pruned each round.
        sparsity: instead of rounds: end at exactly this sparsity.
        scope: ``all`` layers, or ``inner``: without those at the code and at the picture.
        empty_layers: where a layer would lose its last weight: ``stop``, ``keep_one`` or ``allow``.
        rewind: start of later rounds: a step of the first, a share of it, or ``never``.
        stop: end when the round's final loss has risen so often in a row.
        init: ``original``, or ``reinit``: weights from another stream of the same seed.
        target: what fits see while masks are found: ``degraded``, or ``clean``, as in the public scripts.
        listed_twice: the public random baseline lists every convolution twice, and prunes 36% a round instead of 20%.
        input_convs_stay_dense: masks are not applied to the layers that read the code, as in the public scripts.
        ticket: whose masks are followed, a ticket file or a run directory; for those rules that need one.

    Raises:
        ValueError: on a value that makes no sense; its first word is the setting.
    """

    rounds: int
    name: str = ""
    scorer: Mapping[str, Any] | None = None
    when: str = "training"
    rate: float = 0.2
    sparsity: float | None = None
    scope: str = "all"
    empty_layers: str = "stop"
    rewind: float | str = 0
    stop: int | None = None
    init: str = "original"
    target: str = "degraded"
    listed_twice: bool = False
    input_convs_stay_dense: bool = False
    ticket: str | None = None

    def __post_init__(self) -> None:
        choice("when", self.when, ("training", "initialisation"))
        choice("target", self.target, ("degraded", "clean"))
        choice("init", self.init, ("original", "reinit"))
        choice("empty_layers", self.empty_layers, EMPTY_LAYERS)
        flag("input_convs_stay_dense", self.input_convs_stay_dense)
        flag("listed_twice", self.listed_twice)
        number("rounds", self.rounds, low=0, most=FEATURES, whole=True)
        number("rate", self.rate, above=0, below=1)
        number("sparsity", self.sparsity, above=0, below=1, optional=True)
        PruneAndRewind(stop=self.stop)

    @classmethod
    def of(cls, config: Config) -> "PrunerSettings":
        """The group ``pruner`` of a configuration.

        Raises:
            ValueError, TypeError: if a value makes no sense.
        """
        return cls(**config["pruner"])

    def identity(self, tickets: list[Ticket], fresh: bool) -> dict[str, Any]:
        """What of the pruner decides the run's numbers, by dotted name.

        Args:
            tickets: those that it follows; they are the ladder, whatever other ladder is asked for.
            fresh: whether the network's initial weights are its own.
        """
        if self.scorer is None:
            return {"pruner.init": "reinit"} if self.init == "reinit" and fresh else {}
        without = {"name", "scorer", "ticket"}
        without |= {"rounds", "rate", "sparsity", "listed_twice"} if tickets else set()
        without |= {"rounds"} if self.sparsity is not None else set()
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in without}
        rule = target(self.scorer, "pruner.scorer")
        found = {"pruner.scorer": tag(rule), **unusual(type(self), own, "pruner")}
        found |= unusual(rule, settings_of(self.scorer), "pruner.scorer")
        return found | ({"pruner.ticket": [ticket.mask.digest() for ticket in tickets]} if tickets else {})

    def configuration(self) -> dict[str, Any] | None:
        """All of it as plain values, for the run's summary; None where nothing is pruned."""
        plain: dict[str, Any] = canonical(asdict(self))
        return None if self.scorer is None else plain

    def callback(
        self, config: Config, network: nn.Module, start: Mask, budget: int
    ) -> tuple[PruneAndRewind | None, list[Ticket]]:
        """What prunes between rounds, and the tickets that it follows; None where nothing is pruned.

        Args:
            config: the whole configuration, whose ``pruner`` this is.
            network: at its initialisation.
            start: the mask of round 0.
            budget: optimisation steps of a round.

        Raises:
            UserError, ValueError: if there can be no such ladder.
        """
        if self.scorer is None:
            return None, []
        tickets = self._tickets(network) if "ticket" in config["pruner"] else []
        kept: list[int] | None = None
        if tickets:
            masks = [start, *(ticket.mask for ticket in tickets if ticket.mask.sparsity > 0)]
            kept, scorer = [mask.kept for mask in masks], build(config, "pruner.scorer", masks=masks)
        else:
            scorer = build(config, "pruner.scorer")
        if not callable(scorer):
            raise UserError(f"pruner.scorer._target_ gives a {type(scorer).__name__}, which is no scoring rule")
        # The public random baseline lists every convolution twice and so prunes twice a round.
        rate = 1 - (1 - self.rate) ** 2 if self.listed_twice else self.rate
        callback = PruneAndRewind(
            scorer,
            rate=rate,
            rounds=self.rounds,
            sparsity=self.sparsity,
            when=self.when,
            rewind=self.rewind,
            stop=self.stop,
            empty_layers=self.empty_layers,
            kept=kept,
        )
        callback.plan(start, budget)
        return callback, tickets

    def _tickets(self, network: nn.Module) -> list[Ticket]:
        """All tickets of a run directory in the order of its rounds, or the one ticket of a file."""
        if self.ticket is None:
            raise UserError(f"pruner={self.name} needs pruner.ticket=PATH, a ticket file or a run directory")
        path = Path(self.ticket).expanduser()
        files = sorted((path / "tickets").glob("round_*.safetensors")) if path.is_dir() else [path]
        if not files:
            raise UserError(f"there are no tickets in {path}")
        tickets = [Ticket.load(file) for file in files]
        own = tensor_digests(network.state_dict())
        original = self.init == "original" and self.name == "ticket"
        if original and any(ticket.init["tensors"] != own for ticket in tickets):
            raise UserError(
                f"the ticket belongs to another initialisation (seed={tickets[0].init['seed']}); give that seed and "
                "the same model, or pruner=reinit to try its mask on new weights, or ticket=PATH pruner=none to bring "
                "its own"
            )
        return tickets
