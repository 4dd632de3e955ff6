"""Files are whole or not there."""

import os
from pathlib import Path

import pytest

from lipdip.core.errors import UserError
from lipdip.core.files import write_whole


def test_bytes_and_text_replace_what_was_there(tmp_path):
    path = tmp_path / ("a" * 255)  # the longest name there can be
    write_whole(path, b"\x00old")
    assert path.read_bytes() == b"\x00old"
    write_whole(path, "25 ± 1\n")
    assert path.read_bytes() == b"25 \xc2\xb1 1\n" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["fsync", "replace"])
@pytest.mark.parametrize(
    "error", [OSError(28, "No space left on device"), KeyboardInterrupt()], ids=["full", "stopped"]
)
def test_a_failed_write_leaves_the_old_file_and_no_partial(tmp_path, monkeypatch, place, error):
    path = tmp_path / "a"
    path.write_text("old")

    def fail(*_: object) -> None:
        assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 2  # some of it is on the disk already
        raise error

    monkeypatch.setattr(*{"fsync": (os, "fsync"), "replace": (Path, "replace")}[place], fail)
    expected = UserError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected) as failed:
        write_whole(path, b"new")
    assert expected is not UserError or str(failed.value) == f"cannot write {path}: No space left on device"
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_no_folder_is_made(tmp_path):
    with pytest.raises(UserError, match=r"^cannot write .*/none/a: No such file or directory$"):
        write_whole(tmp_path / "none" / "a", b"")
    assert not list(tmp_path.iterdir())
