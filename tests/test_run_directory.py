"""Run directories: known by their contents, written to by no link, and read where nothing can be written."""

import errno
import json
import os
from pathlib import Path

import pytest

from lipdip.core.errors import UserError
from lipdip.runs.contents import whole_summary
from lipdip.runs.directory import RunDirectory

DAMAGE = {
    "tickets/round_00.safetensors": "half",
    "rounds.csv": "a digit",
    "curves.csv": "a digit",
    "images/clean.png": "half",
    "images/restored_dense.npy": "half",
    "config.yaml": "a digit",
    "summary.json": "a digit",
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_finished_run_with_a_damaged_file_is_done_again_and_the_file_is_named(tiny, name):
    run, _ = tiny("pruner=none")
    file, numbers = run / name, (run / "images/restored_dense.npy").read_bytes()
    content = file.read_bytes()
    if DAMAGE[name] == "half":
        file.write_bytes(content[: len(content) // 2])
    else:
        place = max(content.rfind(digit) for digit in (b"1", b"2"))
        file.write_bytes(content[:place] + b"3" + content[place + 1 :])
    again, printed = tiny("pruner=none")
    (note,) = (line for line in printed.splitlines() if line.startswith("note: ") and "the run is done again" in line)
    assert again == run and "finished already" not in printed
    assert Path(name).stem in note or "cannot read" in note
    assert whole_summary(run) and (run / "images/restored_dense.npy").read_bytes() == numbers
    assert "finished already" in tiny("pruner=none")[1]


def test_files_that_change_afterwards_are_nobodys_damage(tiny):
    run, _ = tiny("pruner=none")
    (run / "logged.json").write_text("{}")
    (run / "notes of mine.txt").write_text("good")
    assert "finished already" in tiny("pruner=none")[1]
    assert {"logged.json", "summary.json"}.isdisjoint(json.loads((run / "summary.json").read_text())["sha256"])


@pytest.mark.parametrize("name", ["images", "tickets", "images/clean.png", "summary.json", "."])
def test_nothing_is_written_through_a_link(tiny, tmp_path, name):
    run, _ = tiny("pruner=none")
    (run / "rounds.csv").unlink()  # so that it is done again
    elsewhere = tmp_path / "elsewhere"
    (run / name).rename(elsewhere) if name != "." else run.rename(elsewhere)
    (run / name if name != "." else run).symlink_to(elsewhere)
    files = [elsewhere] if elsewhere.is_file() else [file for file in elsewhere.rglob("*") if file.is_file()]
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}
    with pytest.raises(UserError, match="is a link"):
        tiny("pruner=none")
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in files} == before


def test_the_output_directory_may_be_a_link(tiny, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "disk")
    run, _ = tiny("pruner=none", output_dir=tmp_path / "linked")
    assert (tmp_path / "disk" / "runs" / run.name / "summary.json").exists()


def test_a_finished_run_is_found_where_nothing_can_be_written(tiny, monkeypatch):
    run, _ = tiny("pruner=none")
    open_ = os.open

    def read_only(path, flags, *rest, **named):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return open_(path, flags, *rest, **named)

    monkeypatch.setattr(os, "open", read_only)
    monkeypatch.setattr(os, "mkdir", lambda path, *_: read_only(path, os.O_CREAT))
    assert "finished already" in tiny("pruner=none")[1]
    (run / "images" / "clean.png").unlink()
    with pytest.raises(UserError, match=r"cannot write to .*Read-only"):
        tiny("pruner=none")


def test_a_full_disk_is_told_with_the_file(tmp_path, monkeypatch):
    with RunDirectory(tmp_path / "run") as run:
        run.write("a/b", "old")

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(UserError, match=rf"cannot write {run.path}/a/b: No space left"):
            run.write("a/b", "new")
        assert (run.path / "a/b").read_text() == "old"
