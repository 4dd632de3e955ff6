"""A transfer matrix as configurations: which ticket or control is fitted to which problem, with which seed."""

import hashlib
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from omegaconf import DictConfig
from rich.console import Console

from lipdip.cli.compose import compose
from lipdip.cli.places import make_folder
from lipdip.cli.quoting import literal, quoted
from lipdip.cli.run_command import experiment_of
from lipdip.core.errors import UserError
from lipdip.core.files import write_whole
from lipdip.figures.means import DENSE, MatrixCell
from lipdip.tickets.control import control
from lipdip.tickets.ticket_file import Ticket

CONTROLS = (DENSE, "random", "layerwise", "reinit")


@dataclass(frozen=True)
class Column:
    """A column: its name, and the command line of ``lipdip.run`` that describes it."""

    name: str
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class PlannedFit:
    """A cell, and what fits it: settings, and the ticket to start from."""

    cell: MatrixCell
    overrides: tuple[str, ...]
    output: Path
    ticket: Path | None = None
    init: str = "original"

    @property
    def cfg(self) -> DictConfig:
        """The configuration; paths are put in as they are, whatever characters they have.

        Raises:
            UserError: if an override cannot be.
        """
        cfg = compose(*self.overrides)
        cfg.paths.output_dir = literal(self.output)
        cfg.ticket.init = self.init
        cfg.ticket.path = None if self.ticket is None else literal(self.ticket)
        return cfg

    @property
    def command(self) -> str:
        """The command line that does this fit alone."""
        more = [] if self.ticket is None else [f"ticket={quoted(self.ticket)}", f"ticket.init={self.init}"]
        where = f"paths.output_dir={quoted(self.output)}"
        return shlex.join(["python", "-m", "lipdip.run", *self.overrides, *more, where])


def check(problem: Column, common: Sequence[str]) -> None:
    """Refuse a problem that no run could have, before anything is fitted.

    Raises:
        UserError: if the matrix itself decides on one of its settings, or they describe no run.
    """
    for override in (*common, *problem.overrides):
        taken = re.match(r"[+~]*(seed|pruner|ticket|paths\.output_dir)\b", override)
        if taken:
            raise UserError(f"{override} cannot stand here: the transfer matrix itself decides on {taken[1]}")
    try:
        experiment_of(compose(*common, *problem.overrides, "pruner=none"))
    except UserError as error:
        raise UserError(f"the problem {problem.name!r}: {error}") from None


def plan(
    tickets: dict[str, Sequence[Path]],
    problems: Sequence[Column],
    directory: Path,
    output: Path,
    common: Sequence[str],
    seeds: Sequence[int] | None,
    controls: Sequence[str],
    screen: Console,
) -> list[PlannedFit]:
    """All fits, the dense ones first.

    Raises:
        UserError: if a ticket cannot be read or has no seed, a control cannot be written, or names clash.
    """
    loaded = {name: [(file, Ticket.load(file)) for file in files] for name, files in tickets.items()}
    starts: dict[tuple[str, int, int], tuple[Path | None, str]] = {}
    labels, controls_made = _labels(loaded), dict[Path, bytes]()
    for name, files in loaded.items():
        for repetition, (file, ticket) in enumerate(files):
            for seed in seeds or [_seed(ticket, file)]:
                if DENSE in controls:
                    starts.setdefault((DENSE, seed, 0), (None, "original"))
                starts[name, seed, repetition] = (file, "original")
                for kind in controls:
                    control = _control(name, kind, ticket, file, seed, screen)
                    if isinstance(control, bytes):
                        made = directory / "controls" / f"{hashlib.sha256(control).hexdigest()[:12]}.safetensors"
                        controls_made[made] = control
                        control = made, "original"
                    if control is not None:
                        starts.setdefault((labels[name][kind], seed, repetition), control)
    rows = {start for start, _, _ in starts}
    clash = [name for name in tickets if name in {label for own in labels.values() for label in own.values()}]
    if clash and clash[0] in rows:
        raise UserError(f"a ticket cannot be called {clash[0]!r}: that is a control's name; give --tickets NAME=PATH")
    _write_controls(controls_made)  # once nothing is left to refuse
    order = sorted(starts, key=lambda key: (key[0] != DENSE, key[0] not in tickets))
    fits = []
    for problem in problems:
        for start, seed, repetition in order:
            overrides = (*common, *problem.overrides, "pruner=none", f"seed={seed}")
            fits.append(
                PlannedFit(
                    MatrixCell(start, problem.name, seed, repetition),
                    overrides,
                    output,
                    *starts[start, seed, repetition],
                )
            )
    return fits


def _seed(ticket: Ticket, file: Path) -> int:
    seed = ticket.code.get("seed")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise UserError(f"{file} does not say with which seed it was found; give --seeds")
    return seed


def _labels(loaded: dict[str, list[tuple[Path, Ticket]]]) -> dict[str, dict[str, str]]:
    """What the controls' rows are called; tickets whose uniform controls are the same masks share one row.

    The first ticket's is called by its sparsity; those of tickets of other shapes or weights by the first of these.
    """
    kinds = {
        name: str([(t.init["tensors"], t.mask.kept, [tuple(m.shape) for m in t.mask.values()]) for _, t in files])
        for name, files in loaded.items()
    }
    labels = {}
    for name, files in loaded.items():
        alike = [other for other in loaded if kinds[other] == kinds[name]]
        sparsity = f"random, sparsity {files[0][1].mask.sparsity:.3f}"
        labels[name] = {
            DENSE: DENSE,
            "random": sparsity if next(iter(loaded)) in alike else f"random like {alike[0]}",
            "layerwise": f"random with {name}'s densities",
            "reinit": f"{name}, new weights",
        }
    return labels


def _write_controls(made: Mapping[Path, bytes]) -> None:
    for path, content in made.items():
        make_folder(path.parent)
        write_whole(path, content)


def _control(
    name: str, kind: str, ticket: Ticket, file: Path, seed: int, screen: Console
) -> tuple[Path, str] | bytes | None:
    """How a run starts from a ticket's control, or that control itself; None for the dense one, or if there is none."""
    if kind == "reinit" and "pretrained" in ticket.init:
        screen.print(f"note: {name} has no reinit control: pretrained weights are not drawn anew", highlight=False)
        return None
    if kind == "reinit":
        return file, "reinit"
    if kind == DENSE:
        return None
    try:
        return control(ticket, kind, seed).to_bytes()
    except UserError as error:
        screen.print(f"note: {name} has no {kind} control: {error}", highlight=False, markup=False)
        return None
