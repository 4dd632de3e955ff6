"""Reports over strangers' run directories: any may hold anything, and none ends the report or writes markup into it."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lipdip.cli import report_command as report
from lipdip.reports.gather import gather
from lipdip.runs.identity import run_name

from .conftest import resealed
from .test_report import FOUR, made

OTHERS: tuple[Any, ...] = (None, "text", -1, 1e300, True, [], {}, [[1]], {"a": {"b": 1}}, "1" * 400)
NASTY = "<script>alert(1)</script>|`x`\x1b[31m\nlast"


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("output")
    made(output, "a0", config__paths={"output_dir": "outputs"}, overrides__words=["pruner=imp"])
    return output


def _places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a value stands: every table, list and leaf."""
    if path:
        yield path
    for key, item in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from _places(item, (*path, key))


def _with(tree: Any, path: tuple[Any, ...], item: Any) -> Any:
    copied = json.loads(json.dumps(tree))
    part = copied
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = item
    return copied


def _lines(output: Path, capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    assert report.main([*words, "--from", str(output)]) == 0
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("file", ["summary.json", "config.yaml"])
def test_a_value_of_another_type_costs_that_run_alone(file, output, tmp_path, capsys):
    """Every value of both files in turn, sealed as if a run had written it: one odd run beside a sound one."""
    sound = made(tmp_path, "a0")
    odd = made(tmp_path, "a1", [10 + score for score in FOUR], 1, config__paths={"output_dir": "outputs"})
    read = json.loads if file == "summary.json" else yaml.safe_load
    written = {name: (odd / name).read_text() for name in ("summary.json", "config.yaml")}
    whole = read(written[file])
    places = [place for place in _places(whole) if place[0] not in ("sha256", "checksum")]
    refused = 0
    for number, place in enumerate(places):
        for name, text in written.items():
            (odd / name).write_text(text)
        other = _with(whole, place, OTHERS[number % len(OTHERS)])
        if file == "summary.json" and isinstance(other.get("identity"), dict):  # forged through and through
            other = json.loads(json.dumps(other).replace(other["run"], odd.name)) if other["run"] == odd.name else other
        (odd / file).write_text(json.dumps(other) if file == "summary.json" else yaml.safe_dump(other))
        try:
            resealed(odd)
        except (AttributeError, KeyError, TypeError):
            continue
        gathered = gather([tmp_path])
        assert sound in [run.path for run in gathered.runs], place
        lines = _lines(tmp_path, capsys, "list")
        assert all(line.startswith("lipdip: not used") and line.isprintable() for line in lines), (place, lines)
        refused += bool(lines)
    assert refused > 5


@pytest.mark.parametrize(
    ("place", "item"),
    [
        (("configuration", "pruner", "rewind"), "text"),
        (("configuration", "pruner", "rate"), "0.2"),
        (("configuration", "fit", "steps"), [12]),
        (("configuration", "image"), [[3, 4, 5]]),
        (("configuration", "image", 0, "shape"), [3, -1, 1e300]),
        (("hardware",), ["CPU"]),
        (("identity",), []),
        (("rounds",), "4"),
        (("files",), {"a": 1}),
        (("files",), ["x" * 300]),
        (("sha256", "../../other"), "0"),
        (("sha256",), []),
    ],
)
def test_a_run_is_refused_by_what_is_wrong_with_it(place, item, tmp_path, capsys):
    made(tmp_path, "a0")
    odd = made(tmp_path, "a1", seed=1)
    summary = _with(json.loads((odd / "summary.json").read_text()), place, item)
    (odd / "summary.json").write_text(json.dumps(summary))
    (line,) = _lines(tmp_path, capsys, "list")
    assert str(odd) in line and len(gather([tmp_path]).runs) == 1


def test_a_run_whose_curves_cannot_be_drawn_is_left_out_of_one_exhibit(tmp_path, capsys):
    """What no check of types foresees: here steps that no figure can have."""
    made(tmp_path, "a0")
    odd = made(tmp_path, "a1", seed=1)
    text = (odd / "curves.csv").read_text().splitlines()
    (odd / "curves.csv").write_text("\n".join([*text[:-1], "x" + text[-1]]) + "\n")
    resealed(odd)
    lines = _lines(tmp_path, capsys, "all", "--out", str(tmp_path / "out"))
    assert len(lines) == 1 and "not used in fig11" in lines[0]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("tickets/round_01.safetensors", b"half"),
        ("curves.csv", b"round\n"),
        ("layers.csv", None),
        ("config.yaml", None),
        ("rounds.png", b"PNG"),
    ],
)
def test_a_file_that_is_not_as_the_run_wrote_it_is_named(file, content, tmp_path, capsys):
    made(tmp_path, "a0")
    odd = made(tmp_path, "a1", seed=1)
    (odd / file).write_bytes((odd / file).read_bytes() + b"\n" if content is None else content)
    (line,) = _lines(tmp_path, capsys, "list")
    assert str(odd) in line and f"damaged: {file} is not as the run wrote it" in line


@pytest.mark.parametrize("file", ["summary.json", "config.yaml", "rounds.csv", "curves.csv", "overrides.yaml"])
def test_a_pipe_in_place_of_a_file_is_no_reason_to_wait(file, tmp_path, capsys):
    made(tmp_path, "a0")
    odd = made(tmp_path, "a1", seed=1)
    (odd / file).unlink(missing_ok=True)
    os.mkfifo(odd / file)
    (line,) = _lines(tmp_path, capsys, "list")
    assert str(odd) in line


def test_what_strangers_wrote_is_text_wherever_it_is_shown(tmp_path, capsys):
    """Names and settings with markup, in the page, in Markdown, in CSV and in the terminal."""
    for seed in (0, 1):
        change: dict[str, Any] = {"config__protocol": {"name": NASTY}, "overrides__words": [f"image={NASTY}"]}
        run = made(tmp_path, f"a{NASTY}", FOUR, seed, science__fit__lr=seed + 0.5, **change)
        summary = json.loads((run / "summary.json").read_text())
        summary |= {"picture": NASTY, "hardware": NASTY, "versions": {"lipdip": NASTY, "torch": NASTY}}
        summary["configuration"]["model"]["_target_"] = f"Hourglass{NASTY}"
        (run / "summary.json").write_text(json.dumps(summary))
        resealed(run)
    (tmp_path / "runs" / "<script>\x1b[31m|`").mkdir()
    assert len(gather([tmp_path]).runs) == 2
    out = tmp_path / "out"
    assert report.main(["all", "--from", str(tmp_path), "--out", str(out)]) == 0
    assert report.main(["table", "fig3", "--from", str(tmp_path), "--out", str(out)]) == 0
    assert report.main(["list", "--all", "--from", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert "alert(1)" in shown.out and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", shown.out + shown.err)
    page = (out / "index.html").read_text()
    assert "alert(1)" in page and "<script" not in page and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", page)
    for file in out.glob("*.md"):
        text = re.sub(r"(?m)^ {6}.*$", "", file.read_text())  # blocks of code show all as it is
        assert "<script" not in text and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text), file
        tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
        for table in tables:
            counts = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(counts) == 1, (file, table)
    assert not any(re.search(r"[\x00-\x09\x0b-\x1f\x7f]", file.read_text()) for file in out.glob("*.csv"))


def test_the_name_of_a_run_is_made_from_its_identity(tmp_path):
    run = made(tmp_path, "a0")
    assert run.name == run_name(json.loads((run / "summary.json").read_text())["identity"])
