"""What the experiments in this folder share: their sweeps, second steps with the tickets found, and drawing.

    python experiments/NAME.py [seed=0,1,2] [scale=cpu|paper] [jobs=N] [settings of lipdip.run]

Settings are given to every fit; those only for recoveries (table1, outliers) begin with "then.": then.fit.steps=400.
Runs are where lipdip.run writes them, and finished ones are not done again. Pictures and tables go to report/.
"""

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"  # figures become files; set before matplotlib is loaded, which is what refuses others

from lipdip.cli import report_command as report
from lipdip.cli.attempt import attempt
from lipdip.cli.compose import compose
from lipdip.cli.exit_codes import ends_quietly, exit_code, terminable
from lipdip.cli.places import check_place
from lipdip.cli.quoting import quoted
from lipdip.cli.sweeps.plan_callback import split
from lipdip.cli.transfer_command import table, transfer
from lipdip.cli.transfer_plan import Column
from lipdip.cli.typed_paths import as_typed, data_directory
from lipdip.cli.workers import each as in_processes
from lipdip.core.console import console
from lipdip.core.errors import UserError
from lipdip.core.files import checked_path
from lipdip.reports.exhibits.everything import named
from lipdip.reports.gallery import Gallery
from lipdip.runs.reading import read_summary
from lipdip.tasks import read_rounds
from lipdip.tasks.starting_point import ticket_file

SEEDS = "seed=0,1,2"
REPORT = Path("report")
RECOVERIES = ("compressive_sensing", "gan_inpaint")
Words = tuple[str, ...]  # the settings of one run, as on the command line
_EVERYWHERE = ("seed", "scale", "paths", "trainer", "logger")  # settings that any run can have
_MATRIX = ("seed", "pruner", "ticket", "paths.output_dir")  # what lipdip.transfer itself decides on


@dataclass(frozen=True)
class Found:
    """A finished run: its directory, and the settings that it was given."""

    directory: Path
    settings: Words

    def __getitem__(self, name: str) -> str:
        """The value that a setting was given, or nothing."""
        return _by_name(self.settings).get(name, f"{name}=").partition("=")[2]

    def hand_on(self, name: str, path: Path) -> Words:
        """Settings of a run that uses something of this one: its seed, its picture, and a path as ``name``."""
        return (*(f"{own}={self[own]}" for own in ("seed", "image") if self[own]), f"{name}={quoted(path)}")

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
        wrong = [word for word in words if not re.match(r"[^=-][^=]*=.", word)]
        if wrong:
            raise UserError(f"settings are given as NAME=VALUE, not {wrong[0]!r}; --help says more")
        words, data_dir = [SEEDS, *words], data_directory(words)
        given = _by_name(f"{later}{as_typed(own, True, data_dir)}" for later, own in map(_then, words))
        jobs = given.pop("jobs", "jobs=1").partition("=")[2]
        if not re.fullmatch("[1-9][0-9]{0,8}", jobs):
            raise UserError(f"jobs must be a number from 1 on, not {jobs!r}")
        if any(own.removeprefix("then.").lstrip("+") == "experiment" for own in given):
            raise UserError(f"experiment={name} is decided by {name}.py itself: each experiment has its own script")
        if not re.fullmatch(r"seed=(\d+(,\d+)*|range\(.+\))", given["seed"].replace(" ", "")):
            raise UserError(f"{given['seed']}: seeds are whole numbers of at least 0, as in {SEEDS} or seed=range(0,3)")
        if not split([given["seed"]]):
            raise UserError(f"{given['seed']} is no seed at all; seeds are given as in {SEEDS}")
        launcher = next((word for word in given.values() if word.startswith("hydra")), None)
        if launcher is not None:
            raise UserError(f"{launcher} has no effect here; jobs=N does several runs at a time")
        self.name, self.jobs = name, int(jobs)
        self.scale = given.get("scale", "scale=cpu").partition("=")[2]
        self.undone = False
        self.outputs: dict[Path, None] = {}  # where the runs lie, in order
        self._later = [word.removeprefix("then.") for word in given.values() if word.startswith("then.")]
        self._given = [word for word in given.values() if not word.startswith("then.")]
        self._check_later()

    def _check_later(self) -> None:
        """Refuse a setting of the recoveries that none of them has, before anything is fitted."""
        if self._later and self.name != "table1":
            raise UserError(f"then.{self._later[0]} has no effect here: {self.name} recovers nothing")
        refused: list[UserError] = []
        for task in RECOVERIES if self._later else ():
            try:
                compose(f"task={task}", *split(self._later)[0])
            except UserError as error:
                refused.append(error)
        if len(refused) == len(RECOVERIES):
            raise UserError(f"then.: {refused[0]}")

    def sweep(self, *own: str, each: Iterable[Words] = ((),), experiment: str | None = None) -> list[Found]:
        """Sweep an experiment (default: the study's own), and give the finished runs.

        Settings in ``own`` override all others. The sweep is done once with each of the settings in ``each``, such as
        the ticket of a run that was found.
        """
        words = [f"experiment={experiment or self.name}", *self._given, *own]
        return self._do([cell for more in each for cell in cells([*words, *more])])

    def recover(self, *own: str, each: Iterable[Words] = ((),)) -> list[Found]:
        """Sweep without an experiment, into the directory of the first: recoveries have other settings than fits."""
        anywhere = [word for word in self._given if word.startswith(_EVERYWHERE)]
        words = [*anywhere, f"paths.output_dir={quoted(self.output)}", *own]
        return self._do([cell for more in each for cell in cells([*words, *more, *self._later])])

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
        asked = [Column(name, tuple(words)) for name, words in columns.items()]
        folder = self.output / "transfer" / self.name
        matrix, failed = transfer({**tickets}, asked, folder, self.output, jobs=self.jobs, screen=console())
        self.undone |= bool(failed)
        print(table(matrix), f"{folder}/cells.csv", f"{folder}/table.md", sep="\n", flush=True)

    def draw(self, *exhibits: str) -> None:
        """Draw exhibits with ``lipdip.report``, from the runs in the directories that were used."""
        places = ["--from", *map(str, self.outputs), "--out", str(REPORT)]
        for name in exhibits:
            exhibit = named(name)
            kinds = ["figure"] if isinstance(exhibit, Gallery) else ["figure", "table"]
            for kind in kinds:
                self.undone |= report.main([kind, name, *places]) != 0

    def _do(self, asked: Sequence[Words]) -> list[Found]:
        """Do runs, several at a time if that was asked for; failures stop no other, and are listed at the end."""
        if not asked:
            return []
        output = compose(*asked[0]).paths.output_dir  # where a setting does not exist, this says so
        directory = checked_path(str(output), "paths.output_dir").absolute()
        check_place(directory)
        self.outputs[directory] = None
        shared = set(asked[0]).intersection(*asked)
        names = [" ".join(word for word in cell if word not in shared) or "the run" for cell in asked]
        print(f"{self.name}: {len(asked)} runs, {shlex.join(word for word in asked[0] if word in shared)}", flush=True)
        done: dict[int, Path] = {}
        failed: dict[int, str] = {}
        for number, (path, why) in in_processes(fit, asked, self.jobs):
            if path is None:
                failed[number] = why
            else:
                done[number] = path
            print(f"{len(done) + len(failed)}/{len(asked)} {names[number]}: {path or 'failed'}", flush=True)
        for number, why in sorted(failed.items()):
            alone = f"python -m lipdip.run {shlex.join(asked[number])}"
            print(f"FAILED {names[number]}: {why}\n  alone: {alone}", flush=True)
        self.undone |= bool(failed)
        runs = {path: Found(path, asked[number]) for number, path in sorted(done.items(), reverse=True)}
        return list(reversed(runs.values()))  # two cells may well be the same run


def cells(words: Sequence[str]) -> list[Words]:
    """The settings of every run of a sweep, as Hydra's own sweeper makes them; of those given twice the later counts.

    Raises:
        UserError: if there is no such experiment or scale.
        HydraException: if Hydra cannot read a word.
    """
    asked = list(_by_name(words).values())
    experiment = compose(*[word for word in asked if word.startswith(("experiment=", "scale="))])
    grid = experiment.get("grid", {}).get(experiment.get("scale", ""), {})
    return [tuple(cell) for cell in split([*(f"{key}={item}" for key, item in grid.items()), *asked])]


def fit(words: Words) -> tuple[Path | None, str]:
    """Do one run, if it is not done yet: its directory, or why it failed."""
    return attempt(lambda: compose(*words))


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

    def work() -> int:
        study = Study(name, [*defaults, *sys.argv[1:]])
        check_place(REPORT)
        found = study.sweep()
        if found:
            if then is not None:
                then(study, found)
            study.draw(*((name,) if draws is None else draws))
        return 2 if study.undone else 0

    with terminable():
        sys.exit(ends_quietly(lambda: exit_code(work)))


def _then(word: str) -> tuple[str, str]:
    """Whether a word is for recoveries, as its prefix, and the setting itself."""
    later = "then." if word.startswith("then.") else ""
    return later, word.removeprefix("then.")


def _by_name(words: Iterable[str]) -> dict[str, str]:
    """Settings by name; of those given twice the later."""
    return {word.partition("=")[0]: word for word in words}
