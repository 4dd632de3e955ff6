"""``python -m lipdip.transfer``: fit k tickets, and controls, to n problems, and show the matrix."""

import argparse
import hashlib
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console

from lipdip.cli.arguments import Parser, path_for, seed
from lipdip.cli.attempt import attempt
from lipdip.cli.exit_codes import exit_code, terminable
from lipdip.cli.places import check_place, make_folder
from lipdip.cli.transfer_plan import CONTROLS, Column, PlannedFit, check, plan
from lipdip.cli.workers import each
from lipdip.core.console import complain, console
from lipdip.core.errors import UserError
from lipdip.core.files import checked_path, write_whole
from lipdip.figures import markdown
from lipdip.figures.heat_map import heat_map
from lipdip.figures.means import DENSE, Entry, MatrixCell, gains, scores
from lipdip.runs.csv_tables import table_of
from lipdip.tasks import read_rounds
from lipdip.tasks.starting_point import ticket_file
from lipdip.tickets.ticket_file import Ticket


def transfer(
    tickets: dict[str, Sequence[Path]],
    problems: Sequence[Column],
    directory: Path,
    output: Path,
    common: Sequence[str] = (),
    seeds: Sequence[int] | None = None,
    controls: Sequence[str] = (DENSE, "random"),
    jobs: int = 1,
    screen: Console | None = None,
) -> tuple[list[MatrixCell], list[tuple[PlannedFit, str]]]:
    """Fit every ticket and control to every problem, or what is missing of it, and write the matrix.

    Args:
        tickets: rows: a name, and the ticket files that are its repetitions.
        problems: columns.
        directory: where table and heat map go; control tickets too.
        output: below it the runs go to ``runs/``.
        common: further settings of every run.
        seeds: of code and jitter, for each ticket; None gives each ticket the seed that it was found with.
        controls: further rows: ``dense``, the dense network; ``random`` and ``layerwise``, random masks with a ticket's
            density, overall or in every layer; ``reinit``, a ticket's mask on new weights.
        jobs: fits at a time, each in a process of its own.
        screen: where to show progress.

    Returns:
        All cells, in order, and the fits that failed with their reasons.

    Raises:
        UserError: if a ticket or a problem cannot be, or names clash, and nothing is fitted then; or if table, heat map
            or a control cannot be written.
        Stopped: if the process was asked to stop; what is done is kept.
    """
    screen = screen or console()
    for problem in problems:
        check(problem, common)
    check_place(directory)
    fits = plan(tickets, problems, directory, output, common, seeds, controls, screen)
    cells, failed = [fit.cell for fit in fits], []
    try:
        for done, (number, (cell, why)) in enumerate(each(_fit, fits, jobs), 1):
            cells[number] = cell
            result = f"{_score(cell.score, cell.unit)} {cell.unit}" if why is None else f"failed: {why}"
            head = f"{done}/{len(fits)}  {cell.start} on {cell.problem}, seed {cell.seed}: "
            screen.print(f"{head}{result}", highlight=False, markup=False, soft_wrap=True)
            if why is not None:
                failed.append((fits[number], why))
    finally:  # stopped or not, what there is can be read
        _write(cells, directory)
    return cells, failed


def _fit(fit: PlannedFit) -> tuple[MatrixCell, str | None]:
    """Do one fit, or find it done; the cell with its score, or why it has none."""
    directory, failed = attempt(lambda: fit.cfg)
    if directory is None:
        return fit.cell, failed
    row = read_rounds(directory)[0]
    why = "there is no clean image, and so no score" if row.score is None else None
    return replace(fit.cell, sparsity=row.sparsity, score=row.score, unit=row.unit, run=directory.name), why


def _write(cells: Sequence[MatrixCell], directory: Path) -> None:
    """The table as CSV and Markdown, and a heat map for each unit."""
    make_folder(directory)
    write_whole(directory / "cells.csv", table_of(MatrixCell, cells))
    starts = list(dict.fromkeys(cell.start for cell in cells))
    problems = list(dict.fromkeys(cell.problem for cell in cells))
    write_whole(directory / "table.md", table(cells))
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
        write_whole(directory / f"difference_{unit}.png", picture)


def table(cells: Sequence[MatrixCell]) -> str:
    """The matrix as a Markdown table: scores, mean and standard deviation over repetitions."""
    starts = list(dict.fromkeys(cell.start for cell in cells))
    problems = list(dict.fromkeys(cell.problem for cell in cells))
    units = {cell.problem: cell.unit for cell in cells if cell.unit}
    rows = {
        start: [_text(scores(cells, start, problem), units.get(problem, "")) for problem in problems]
        for start in starts
    }
    return markdown.table([f"{name} ({units.get(name, '?')})" for name in problems], rows)


def _text(one: Entry | None, unit: str) -> str:
    if one is None:
        return "missing"
    spread = "" if one.spread is None else f" ± {_score(one.spread, unit)}"
    return f"{_score(one.mean, unit)}{spread}"


def _score(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.4f}" if unit == "accuracy" else f"{value:.2f}"


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code: 0 done, 1 some fits failed, 2 wrong input, 128 + n stopped by signal n."""
    words = list(sys.argv[1:] if argv is None else argv)
    again = shlex.join(["python", "-m", "lipdip.transfer", *words])
    with terminable():
        return exit_code(lambda: _main(_parser().parse_args(words), again), again)


def _main(arguments: argparse.Namespace, again: str) -> int:
    screen = console()
    if arguments.jobs < 1:
        raise UserError(f"--jobs must be at least 1, not {arguments.jobs}")
    if arguments.name is not None and not re.fullmatch(r"\w[\w.-]*", arguments.name):
        raise UserError(f"--name must be letters, digits, dots, dashes and underscores, not {arguments.name!r}")
    tickets = _named_tickets(arguments.tickets, arguments.round)
    problems = _named_problems(arguments.problems)
    output: Path = arguments.output_dir
    directory = output / "transfer" / (arguments.name or hashlib.sha256(again.encode()).hexdigest()[:12])
    cells, failed = transfer(
        tickets,
        problems,
        directory,
        output,
        arguments.set,
        arguments.seeds,
        arguments.controls,
        arguments.jobs,
        screen,
    )
    screen.print(table(cells), highlight=False, markup=False, soft_wrap=True)
    screen.print(f"everything is in {directory}", highlight=False, markup=False, soft_wrap=True)
    for reason, fits in _by_reason(failed).items():
        which = f"{fits[0].cell.start} on {fits[0].cell.problem}, seed {fits[0].cell.seed}"
        more = f" and {len(fits) - 1} more" if len(fits) > 1 else ""
        complain(f"{which}{more} failed: {reason}. To see it: {fits[0].command}")
    return 1 if failed else 0


def _by_reason(failed: Sequence[tuple[PlannedFit, str]]) -> dict[str, list[PlannedFit]]:
    reasons: dict[str, list[PlannedFit]] = {}
    for fit, why in failed:
        reasons.setdefault(why, []).append(fit)
    return reasons


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
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
        type=seed,
        help="of code and jitter, for every ticket; default: the seed each was found with",
    )
    add(
        "--controls", nargs="*", choices=CONTROLS, default=[DENSE, "random"], help="further rows; default: dense random"
    )
    add("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings of every run, such as protocol=paper")
    add("--jobs", type=int, default=1, help="fits at a time")
    add(
        "--output-dir",
        type=path_for("--output-dir"),
        default="outputs",
        help="runs go to OUTPUT_DIR/runs, the matrix to OUTPUT_DIR/transfer",
    )
    add("--name", help="of the matrix's directory; default: a hash of the command")
    return parser


def _named_tickets(specs: Sequence[str], number: int | None) -> dict[str, Sequence[Path]]:
    """Names and files; whatever is a path that exists is one, whatever characters it has."""
    tickets: dict[str, Sequence[Path]] = {}
    for spec in specs:
        name, _, rest = ("", "", spec) if _there(spec) or "=" not in spec else spec.partition("=")
        paths = [rest] if _there(rest) else [path for path in rest.split(",") if path]
        files = [_file(checked_path(path, "--tickets"), number) for path in paths]
        if not files:
            raise UserError(f"--tickets {spec!r} names no file")
        name = name or _name(Ticket.load(files[0]), files[0])
        if name in tickets:
            raise UserError(f"two tickets are called {name!r}; give names: --tickets NAME=PATH")
        tickets[name] = files
    return tickets


def _there(path: str) -> bool:
    try:
        return bool(path) and Path(path).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False


def _file(path: Path, number: int | None) -> Path:
    return ticket_file(path, number if path.expanduser().is_dir() else None)


def _name(ticket: Ticket, file: Path) -> str:
    """What a ticket is called that was given no name: task and picture that it was found on, where its file says."""
    found: Any = ticket.provenance
    for key in ("configuration", "task", "name"):
        found = found.get(key) if isinstance(found, dict) else None
    picture = ticket.provenance.get("picture")
    return f"{found} {picture}" if isinstance(found, str) and isinstance(picture, str) else file.stem


def _named_problems(specs: Sequence[str]) -> list[Column]:
    problems: list[Column] = []
    for spec in specs:
        head, found, tail = spec.partition(":")
        name, settings = (head.strip(), tail) if found and "=" not in head else (spec.strip(), spec)
        try:
            overrides = tuple(shlex.split(settings))
        except ValueError as error:
            raise UserError(f"--problems {spec!r} cannot be read: {error}") from None
        if name in [problem.name for problem in problems]:
            raise UserError(f"two problems are called {name!r}")
        problems.append(Column(name, overrides))
    return problems
