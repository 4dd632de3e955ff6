"""What the experiments in this folder share: their sweeps, second steps with the tickets found, and drawing.

    python experiments/NAME.py [seed=0,1,2] [scale=cpu|paper] [jobs=N] [settings of lipdip.run]

Settings are given to every fit; those only for recoveries (table1, outliers) begin with "then.": then.fit.steps=400.
Runs are where lipdip.run writes them, and finished ones are not done again. Pictures and tables go to report/.
"""

import os
import re
import shlex
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lipdip.cli import report_command as report
from lipdip.cli.compose import compose
from lipdip.cli.run_command import run
from lipdip.cli.start import console
from lipdip.cli.start import start as command
from lipdip.cli.sweeps.sweep_cell import DONE, SweepDirectory
from lipdip.cli.transfer_command import table, transfer
from lipdip.cli.transfer_plan import Problem
from lipdip.core.errors import UserError
from lipdip.fit.autosave import Stopped
from lipdip.reports.exhibits.everything import named
from lipdip.reports.gallery import Gallery
from lipdip.runs.directory import read_rounds, read_summary
from lipdip.tasks.starting_point import ticket_file

SEEDS = "seed=0,1,2"
REPORT = Path("report")
_EVERYWHERE = ("seed", "scale", "paths", "trainer", "logger", "hydra")  # settings that any run can have
_MATRIX = ("seed", "pruner", "ticket", "paths.output_dir")  # what lipdip.transfer itself decides on


@dataclass(frozen=True)
class Found:
    """A finished run: its directory, and the settings that it was given."""

    directory: Path
    settings: tuple[str, ...]

    def __getitem__(self, name: str) -> str:
        """The value that a setting was given, or nothing."""
        return _by_name(self.settings).get(name, f"{name}=").partition("=")[2]

    @property
    def several(self) -> bool:
        """Whether it was about more than one picture."""
        return ", " in read_summary(self.directory)["picture"]

    @property
    def last(self) -> int:
        """The last round."""
        return read_rounds(self.directory)[-1].round

    def ticket(self, number: int | None = None) -> Path:
        """The ticket of a round, or of the last; of a run that ended before that round too."""
        return ticket_file(self.directory, self.last if number is None else min(number, self.last))


class Study:
    """One experiment as it was asked for on the command line.

    Args:
        name: of the experiment.
        words: the command line.
    """

    def __init__(self, name: str, words: Sequence[str]) -> None:
        wrong = [word for word in words if not re.match(r"[^=]+=.", word)]
        if wrong:
            raise UserError(f"settings are given as NAME=VALUE, not {wrong[0]!r}; --help says more")
        given = _by_name([SEEDS, *words])
        jobs = given.pop("jobs", "jobs=1").partition("=")[2]
        if not jobs.isdigit() or jobs == "0":
            raise UserError(f"jobs must be a number from 1 on, not {jobs!r}")
        if not re.fullmatch(r"seed=(\d+(,\d+)*|range\(.+\))", given["seed"].replace(" ", "")):
            raise UserError(f"{given['seed']}: seeds are whole numbers of at least 0, as in {SEEDS} or seed=range(0,3)")
        self.name, self.jobs = name, int(jobs)
        self.scale = given.get("scale", "scale=cpu").partition("=")[2]
        self.undone = False
        self.outputs: dict[Path, None] = {}  # where the runs lie, in order
        self._later = [word.removeprefix("then.") for word in given.values() if word.startswith("then.")]
        self._given = [word for word in given.values() if not word.startswith("then.")]
        if self.jobs > 1:
            self._given += ["hydra/launcher=joblib", f"hydra.launcher.n_jobs={jobs}"]

    def sweep(self, *own: str, experiment: str | None = None) -> list[Found]:
        """Sweep an experiment (default: the study's own); settings in ``own`` override all others."""
        return self._sweep([f"experiment={experiment or self.name}", *self._given], own)

    def recover(self, *own: str) -> list[Found]:
        """Sweep without an experiment, into the directory of the first: recoveries have other settings than fits."""
        anywhere = [word for word in self._given if word.startswith(_EVERYWHERE)]
        return self._sweep([*anywhere, f"paths.output_dir={self.output}"], (*own, *self._later))

    @property
    def output(self) -> Path:
        """The output directory of the first sweep."""
        return next(iter(self.outputs))

    def transfer(
        self,
        found: Sequence[Found],
        row: Callable[[Found], str],
        problems: Sequence[Found],
        column: Callable[[Found], str],
    ) -> None:
        """Use tickets and controls on the problem of every given run, with ``lipdip.transfer``.

        The last ticket of each run; at the paper's size, where sparsity is the horizontal axis, every fourth one.
        """
        tickets: dict[str, list[Path]] = {}
        for one in found:
            rounds = [] if self.scale == "cpu" else range(4, one.last + 1, 4)
            for number in rounds or [one.last]:
                tickets.setdefault(f"{row(one)}, round {number}" if rounds else row(one), []).append(one.ticket(number))
        columns = {column(one): [word for word in one.settings if not word.startswith(_MATRIX)] for one in problems}
        if not columns:
            raise UserError(f"{self.name}: there is no picture by itself to use tickets on")
        asked = [Problem(name, tuple(words)) for name, words in columns.items()]
        folder = self.output / "transfer" / self.name
        cells, failed = transfer({**tickets}, asked, folder, self.output, jobs=self.jobs, screen=console())
        self.undone |= bool(failed)
        print(table(cells), f"{folder}/cells.csv", f"{folder}/table.md", sep="\n", flush=True)

    def draw(self, *exhibits: str) -> None:
        """Draw exhibits with ``lipdip.report``, from the runs in the directories that were used."""
        places = ["--from", *map(str, self.outputs), "--out", str(REPORT)]
        for name in exhibits:
            exhibit = named(name)
            kinds = ["figure"] if isinstance(exhibit, Gallery) else ["figure", "table"]
            for kind in kinds:
                self.undone |= report.main([kind, name, *places]) != 0

    def _sweep(self, words: Sequence[str], own: Sequence[str]) -> list[Found]:
        """As ``python -m lipdip.run -m`` does it, in this process: Torch is loaded once for all sweeps."""
        asked = list(_by_name([*words, *own]).values())
        where = compose(*[word for word in asked if word.startswith(("experiment=", "scale=", "paths."))])
        output = Path(str(where.paths.output_dir))
        self.outputs[output] = None
        print(f"python -m lipdip.run -m {shlex.join(asked)}", flush=True)
        before, argv, code = _plans(output), sys.argv, 0
        sys.argv = ["lipdip.run", "-m", *asked]
        try:
            command("run", run)
        except SystemExit as ended:
            code = int(ended.code or 0)
        finally:
            sys.argv = argv
        planned = [plan for plan, time in _plans(output).items() if before.get(plan) != time]
        if code > 2 or not planned:  # stopped, or refused as a whole: the reason was printed
            sys.exit(code or 2)
        self.undone |= code != 0
        cells = [cell for cell in SweepDirectory(planned[0].parent).cells() if cell.status == DONE]
        runs = {cell.directory: Found(Path(cell.directory), cell.overrides) for cell in reversed(cells)}
        return list(reversed(runs.values()))  # two cells may well be the same run


def paths(found: Iterable[Found], path: Callable[[Found], Path], name: str = "pruner") -> list[str]:
    """Paths from runs as settings: with ``of``, each cell of a sweep chooses the path of its own seed."""
    return [f'+found.{run[name]}.s{run["seed"]}="{path(run)}"' for run in found]


def of(name: str) -> str:
    """The path of that name and of a cell's seed; where there is none, the cell fails."""
    return f'"${{oc.select:found.{name}.s${{seed}},no_run_of_this_seed}}"'


def start(
    name: str,
    then: Callable[[Study, list[Found]], object] | None = None,
    draws: Sequence[str] | None = None,
    defaults: Sequence[str] = (),
) -> None:
    """Do a whole experiment: its sweep, then ``then``, then draw the exhibits in ``draws`` (default: its own).

    Exit codes: 0 for done, 2 if something was not done (a line says what), 128 + n if stopped by signal n.
    """
    if {"-h", "--help"} & set(sys.argv[1:]):
        print(f"{(sys.modules['__main__'].__doc__ or '').strip()}\n\n{(__doc__ or '').strip()}")
        sys.exit(0)
    try:
        study = Study(name, [*defaults, *sys.argv[1:]])
        found = study.sweep()
        if found:
            if then is not None:
                then(study, found)
            study.draw(*((name,) if draws is None else draws))
    except UserError as error:
        print(f"lipdip: {error}", file=sys.stderr, flush=True)
        sys.exit(2)
    except Stopped as stopped:
        sys.exit(stopped.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(2 if study.undone else 0)


def _by_name(words: Iterable[str]) -> dict[str, str]:
    """Settings by name; of those given twice the later."""
    return {word.partition("=")[0]: word for word in words}


def _plans(output: Path) -> dict[Path, int]:
    """The plans of this process's sweeps, and when each was written."""
    mine = f"{socket.gethostname()}-{os.getpid()}"
    return {plan: plan.stat().st_mtime_ns for plan in (output / "sweeps").glob(f"*/{mine}/sweep.json")}
