"""``python -m lipdip.transfer``: fit k tickets, and controls, to n problems, and show the matrix."""

import argparse
import hashlib
import io
import multiprocessing
import os
import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich.console import Console

from lipdip.command import compose, console
from lipdip.configuration.start import ticket_file
from lipdip.core.errors import UserError
from lipdip.core.records import Classified, read_rounds, table_of
from lipdip.core.ticket import Ticket
from lipdip.figures.matrix import heat_map
from lipdip.lottery.control import control
from lipdip.lottery.matrix import DENSE, Cell, Entry, gains, scores
from lipdip.run import run
from lipdip.training.autosave import Stopped

CONTROLS = (DENSE, "random", "layerwise", "reinit")


@dataclass(frozen=True)
class Problem:
    """A column: its name, and the command line of ``lipdip.run`` that describes it."""

    name: str
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class Fit:
    """A cell and the command line that fits it."""

    cell: Cell
    overrides: tuple[str, ...]

    @property
    def command(self) -> str:
        """What to type to do it alone."""
        return shlex.join(["python", "-m", "lipdip.run", *self.overrides])


def transfer(
    tickets: dict[str, Sequence[Path]],
    problems: Sequence[Problem],
    directory: Path,
    common: Sequence[str] = (),
    seeds: Sequence[int] | None = None,
    controls: Sequence[str] = (DENSE, "random"),
    jobs: int = 1,
    screen: Console | None = None,
) -> tuple[list[Cell], list[tuple[Fit, str]]]:
    """Fit every ticket and control to every problem, or what is missing of it, and write the matrix.

    Args:
        tickets: rows: a name, and the ticket files that are its repetitions.
        problems: columns.
        directory: where table and heat map go; control tickets too.
        common: further settings of every run, ``paths.output_dir`` among them.
        seeds: of code and jitter, for each ticket; None gives each ticket the seed that it was found with.
        controls: further rows: ``dense``, the dense network; ``random`` and ``layerwise``, masks by lot with a ticket's
            density, overall or in every layer; ``reinit``, a ticket's mask on new weights.
        jobs: fits at a time, each in a process of its own.
        screen: where to show progress.

    Returns:
        All cells, and the fits that failed with their reasons.

    Raises:
        UserError: if a ticket cannot be read, or two names are the same.
        Stopped: if the process was asked to stop; what is done is kept.
    """
    screen = screen or console()
    fits = list(_plan(tickets, problems, directory, common, seeds, controls, screen))
    cells, failed = [], []
    for fit, (cell, why) in zip(fits, _done(fits, jobs), strict=True):
        cells.append(cell)
        number = f"{len(cells)}/{len(fits)}  {cell.start} on {cell.problem}, seed {cell.seed}: "
        if why is None:
            screen.print(f"{number}{_number(cell.score, cell.unit)} {cell.unit}", highlight=False)
        else:
            failed.append((fit, why))
            screen.print(f"{number}failed: {why}", highlight=False)
        _write(cells, directory)
    return cells, failed


def _plan(
    tickets: dict[str, Sequence[Path]],
    problems: Sequence[Problem],
    directory: Path,
    common: Sequence[str],
    seeds: Sequence[int] | None,
    controls: Sequence[str],
    screen: Console,
) -> Iterator[Fit]:
    """All fits, the dense ones first."""
    starts: dict[tuple[str, int, int], tuple[str, ...]] = {}
    for name, files in tickets.items():
        for repetition, file in enumerate(files):
            ticket = Ticket.load(file)
            for seed in seeds or [ticket.code["seed"]]:
                if DENSE in controls:
                    starts.setdefault((DENSE, seed, 0), ())
                starts[name, seed, repetition] = (f"ticket={_quoted(file)}",)
                for row, more in _controls(name, ticket, file, seed, directory, controls, screen):
                    starts.setdefault((row, seed, repetition), more)
    order = sorted(starts, key=lambda key: (key[0] != DENSE, key[0] not in tickets))
    for problem in problems:
        for start, seed, repetition in order:
            overrides = (*common, *problem.overrides, *starts[start, seed, repetition], "pruner=none", f"seed={seed}")
            yield Fit(Cell(start, problem.name, seed, repetition), overrides)


def _controls(
    name: str, ticket: Ticket, file: Path, seed: int, directory: Path, controls: Sequence[str], screen: Console
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A ticket's controls: their rows' names, and how a run starts from them."""
    for kind in controls:
        if kind == "reinit":
            yield f"{name}, new weights", (f"ticket={_quoted(file)}", "ticket.init=reinit")
        elif kind in ("random", "layerwise"):
            try:
                made = control(ticket, kind, seed).to_bytes()
            except UserError as error:
                screen.print(f"note: {name} has no {kind} control: {error}", highlight=False)
                continue
            path = directory / "controls" / f"{hashlib.sha256(made).hexdigest()[:12]}.safetensors"
            _write_whole(path, made)
            # Tickets of the same sparsity share their uniform control: it is the same mask.
            row = (
                f"random, sparsity {ticket.mask.sparsity:.3f}"
                if kind == "random"
                else f"random with {name}'s densities"
            )
            yield row, (f"ticket={_quoted(path)}",)


def _quoted(path: Path) -> str:
    """A path as Hydra reads it, whatever characters it has."""
    whole = str(path.resolve())
    if re.fullmatch(r"[\w/.+-]+", whole):
        return whole
    return "'" + whole.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _done(fits: Sequence[Fit], jobs: int) -> Iterator[tuple[Cell, str | None]]:
    if jobs == 1:
        yield from map(_fit, fits)
        return
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        yield from pool.map(_fit, fits)


def _fit(fit: Fit) -> tuple[Cell, str | None]:
    """Do one fit, or find it done; the cell with its score, or why it has none."""
    try:
        directory = run(compose(*fit.overrides), Console(file=io.StringIO()))
        row = read_rounds(directory)[0]
    except UserError as error:
        return fit.cell, str(error)
    unit = "accuracy" if isinstance(row, Classified) else "dB"
    why = "there is no clean image, and so no score" if row.score is None else None
    return replace(fit.cell, sparsity=row.sparsity, score=row.score, unit=unit, run=directory.name), why


def _write(cells: Sequence[Cell], directory: Path) -> None:
    """The table as CSV and Markdown, and a heat map for each unit."""
    _write_whole(directory / "cells.csv", table_of(Cell, cells).encode())
    starts = list(dict.fromkeys(cell.start for cell in cells))
    problems = list(dict.fromkeys(cell.problem for cell in cells))
    _write_whole(directory / "table.md", table(cells).encode())
    for unit in sorted({cell.unit for cell in cells if cell.unit}):
        columns = [name for name in problems if any(cell.problem == name and cell.unit == unit for cell in cells)]
        rows = [name for name in starts if name != DENSE]
        entries = [[gains(cells, row, column) for column in columns] for row in rows]
        if not any(one for line in entries for one in line):
            continue
        picture = heat_map(
            [[None if one is None else one.mean for one in line] for line in entries],
            [[None if one is None else one.spread for one in line] for line in entries],
            rows,
            columns,
            "difference from the dense network on the same problem",
            "dB of best PSNR" if unit == "dB" else unit,
        )
        _write_whole(directory / f"difference_{unit}.png", picture)


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_bytes(content)
    partial.replace(path)


def table(cells: Sequence[Cell]) -> str:
    """The matrix as a Markdown table: scores, mean and standard deviation over repetitions."""
    starts = list(dict.fromkeys(cell.start for cell in cells))
    problems = list(dict.fromkeys(cell.problem for cell in cells))
    units = {cell.problem: cell.unit for cell in cells if cell.unit}
    lines = ["| | " + " | ".join(f"{name} ({units.get(name, '?')})" for name in problems) + " |"]
    lines.append("|---" * (len(problems) + 1) + "|")
    for start in starts:
        entries = [_text(scores(cells, start, problem), units.get(problem, "")) for problem in problems]
        lines.append(f"| {start} | " + " | ".join(entries) + " |")
    return "\n".join(lines) + "\n"


def _text(one: Entry | None, unit: str) -> str:
    if one is None:
        return "missing"
    spread = "" if one.spread is None else f" ± {_number(one.spread, unit)}"
    return f"{_number(one.mean, unit)}{spread}"


def _number(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.4f}" if unit == "accuracy" else f"{value:.2f}"


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code: 0 done, 1 some fits failed, 2 wrong input."""
    arguments = _parser().parse_args(argv)
    again = shlex.join(["python", "-m", "lipdip.transfer", *(sys.argv[1:] if argv is None else argv)])
    screen = console()
    try:
        if arguments.jobs < 1:
            raise UserError(f"--jobs must be at least 1, not {arguments.jobs}")
        tickets = _named_tickets(arguments.tickets, arguments.round)
        problems = _named_problems(arguments.problems)
        output = Path(arguments.output_dir)
        common = [*arguments.set, f"paths.output_dir={_quoted(output)}"]
        name = arguments.name or hashlib.sha256(again.encode()).hexdigest()[:12]
        directory = output / "transfer" / name
        cells, failed = transfer(
            tickets, problems, directory, common, arguments.seeds, arguments.controls, arguments.jobs, screen
        )
    except UserError as error:
        print(f"lipdip: {error}", file=sys.stderr)
        return 2
    except Stopped as stopped:
        print(f"lipdip: {stopped}. To go on, give the same command: {again}", file=sys.stderr)
        return stopped.exit_code
    except KeyboardInterrupt:
        print(f"lipdip: stopped. To go on, give the same command: {again}", file=sys.stderr)
        return 130
    screen.print(table(cells), highlight=False, soft_wrap=True)
    screen.print(f"everything is in {directory}", soft_wrap=True, highlight=False)
    for reason, fits in _by_reason(failed).items():
        which = f"{fits[0].cell.start} on {fits[0].cell.problem}, seed {fits[0].cell.seed}"
        more = f" and {len(fits) - 1} more" if len(fits) > 1 else ""
        print(f"lipdip: {which}{more} failed: {reason}. To see it: {fits[0].command}", file=sys.stderr)
    return 1 if failed else 0


def _by_reason(failed: Sequence[tuple[Fit, str]]) -> dict[str, list[Fit]]:
    reasons: dict[str, list[Fit]] = {}
    for fit, why in failed:
        reasons.setdefault(why, []).append(fit)
    return reasons


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lipdip.transfer",
        description="Fit tickets, and controls, to problems; show all pairs as a table and a heat map. "
        "Given again, the same command does only what is missing.",
        epilog='Example: python -m lipdip.transfer --tickets noise=RUN_A holes=RUN_B --problems "noise: task=denoise" '
        '"holes: task=inpaint image=coffee" --seeds 0 1 2',
    )
    add = parser.add_argument
    add(
        "--tickets",
        nargs="+",
        required=True,
        metavar="[NAME=]PATH[,PATH]",
        help="a ticket file or a run directory (its most sparse matching ticket); several paths are repetitions",
    )
    add(
        "--problems",
        nargs="+",
        required=True,
        metavar="[NAME: ]SETTINGS",
        help='settings of lipdip.run, such as "task=inpaint image=coffee"',
    )
    add("--round", type=int, help="of run directories: the ticket of this round")
    add(
        "--seeds",
        nargs="+",
        type=int,
        help="of code and jitter, for every ticket; default: the seed each was found with",
    )
    add(
        "--controls", nargs="*", choices=CONTROLS, default=[DENSE, "random"], help="further rows; default: dense random"
    )
    add("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of every run, such as protocol=paper")
    add("--jobs", type=int, default=1, help="fits at a time")
    add("--output-dir", default="outputs", help="runs go to OUTPUT_DIR/runs, the matrix to OUTPUT_DIR/transfer")
    add("--name", help="of the matrix's directory; default: a hash of the command")
    return parser


def _named_tickets(specs: Sequence[str], number: int | None) -> dict[str, Sequence[Path]]:
    tickets: dict[str, Sequence[Path]] = {}
    for spec in specs:
        head, found, tail = spec.partition("=")
        name, paths = (head, tail) if found and "/" not in head else ("", spec)
        files = [_file(Path(path), number) for path in paths.split(",") if path]
        if not files:
            raise UserError(f"--tickets {spec!r} names no file")
        name = name or _name(Ticket.load(files[0]), files[0])
        if name in tickets:
            raise UserError(f"two tickets are called {name!r}; give names: --tickets NAME=PATH")
        tickets[name] = files
    return tickets


def _file(path: Path, number: int | None) -> Path:
    return ticket_file(path, number if path.expanduser().is_dir() else None)


def _name(ticket: Ticket, file: Path) -> str:
    """What a ticket is called that was given no name: task and picture that it was found on."""
    configuration, picture = ticket.provenance.get("configuration") or {}, ticket.provenance.get("picture")
    task = (configuration.get("task") or {}).get("name")
    return f"{task} {picture}" if task and picture else file.stem


def _named_problems(specs: Sequence[str]) -> list[Problem]:
    problems: list[Problem] = []
    for spec in specs:
        head, found, tail = spec.partition(":")
        name, settings = (head.strip(), tail) if found and "=" not in head else (spec.strip(), spec)
        try:
            overrides = tuple(shlex.split(settings))
        except ValueError as error:
            raise UserError(f"--problems {spec!r} cannot be read: {error}") from None
        if name in [problem.name for problem in problems]:
            raise UserError(f"two problems are called {name!r}")
        problems.append(Problem(name, overrides))
    return problems


if __name__ == "__main__":
    sys.exit(main())
