"""The standard sets: fetched whole and as published where asked for, checked, and named where one is missing."""

import hashlib
import io
import re
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from PIL import Image

import lipdip.pictures.download
from lipdip.cli import data_command as data
from lipdip.cli.compose import compose, config_dir
from lipdip.cli.run_command import plain
from lipdip.core.errors import UserError
from lipdip.pictures import Picture, read, read_folder
from lipdip.pictures.standard_sets import PublicFile, StandardSet, standard_sets
from lipdip.tasks.parts import pictures


def _encoded(kind: str, colour: int = 40) -> bytes:
    image, content = Image.new("RGB", (8, 6), (colour, 90, 160)), io.BytesIO()
    image.putpixel((3, 2), (255, 0, 0))
    image.save(content, kind)
    return content.getvalue()


def _read_all(*overrides: str) -> list[Picture]:
    """The pictures that a command names."""
    return pictures(plain(compose(*overrides)))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _pixels(content: bytes) -> str:
    with Image.open(io.BytesIO(content)) as image:
        return _sha256(image.tobytes())


PNG, BMP = _encoded("PNG"), _encoded("BMP", 70)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        kind = self.server.answers.get(self.path, 404)
        if kind == 404:
            self.send_error(404)
            return
        if kind == "silence":
            time.sleep(0.4)
            return
        content = self.server.contents[self.path]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if kind == "half" else content)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.contents = {"/a.png": PNG, "/b.bmp": BMP}
        running.answers = dict.fromkeys(running.contents, "whole")
        running.asked = []
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def _pretend(monkeypatch, base: str) -> None:
    """One set of two files: a.png as it is, and b.bmp, which is kept as b.png."""
    a = PublicFile("made/a.png", f"{base}a.png", _sha256(PNG))
    b = PublicFile("made/b.png", f"{base}b.bmp", _sha256(BMP), _pixels(BMP))
    made = {"made": StandardSet("made", "made up", base, (a, b))}
    monkeypatch.setattr(data, "standard_sets", lambda: made)


@pytest.fixture
def public(server, monkeypatch):
    _pretend(monkeypatch, f"http://127.0.0.1:{server.server_port}/")
    return server


@pytest.fixture
def fetch(tmp_path, capsys):
    """Fetches the made-up set; gives the exit code, standard output and standard error."""

    def do(*more: str) -> tuple[int, str, str]:
        code = data.main(["fetch", "made", "--to", str(tmp_path / "data"), *more])
        return (code, *capsys.readouterr())

    return do


def _files(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_table_lists_what_the_configuration_names_and_addresses_at_a_commit():
    sets = standard_sets()
    assert {name: len(one.files) for name, one in sets.items()} == {"set5": 5, "set14": 14, "set12": 12, "dip": 8}
    places = {file.place for one in sets.values() for file in one.files}
    named = {
        yaml.safe_load(file.read_text())["path"].removeprefix("${paths.data_dir}/")
        for name in sets
        for file in (config_dir() / "image" / name).glob("*.yaml")
    }
    assert named == {place for place in places if not place.endswith("_mask.png")}
    for one in sets.values():
        for file in one.files:
            assert re.fullmatch(r"https://raw\.githubusercontent\.com/[^/]+/[^/]+/[0-9a-f]{40}/.+", file.url)
            assert re.fullmatch("[0-9a-f]{64}", file.sha256)
            assert (file.pixels is None) == (file.url.rpartition(".")[2] == file.place.rpartition(".")[2])


def test_a_set_is_fetched_and_what_is_not_kept_as_it_was_has_the_same_pixels(public, fetch, tmp_path):
    code, out, err = fetch()
    assert (code, err) == (0, "") and out.count("\n") == 3
    assert f"2 fetched; use them with paths.data_dir={tmp_path / 'data'}" in out
    assert (tmp_path / "data/made/a.png").read_bytes() == PNG
    kept = (tmp_path / "data/made/b.png").read_bytes()
    assert kept.startswith(b"\x89PNG") and _pixels(kept) == _pixels(BMP)
    assert _files(tmp_path) == ["data/made/a.png", "data/made/b.png"]
    assert read(str(tmp_path / "data/made/b.png")).pixels.shape == (3, 6, 8)


def test_what_is_there_is_not_fetched_again(public, fetch, tmp_path):
    fetch()
    (tmp_path / "data/made/a.png").unlink()
    public.asked.clear()
    code, out, _ = fetch()
    assert code == 0 and "1 fetched, 1 were there already" in out and public.asked == ["/a.png"]
    public.asked.clear()
    assert "0 fetched, 2 were there already" in fetch()[1] and public.asked == []


def test_a_picture_with_another_hash_is_replaced_only_where_that_was_asked_for(public, fetch, tmp_path):
    (tmp_path / "data/made").mkdir(parents=True)
    mine = tmp_path / "data/made/a.png"
    mine.write_bytes(_encoded("PNG", 1))
    code, out, err = fetch()
    assert (code, out, public.asked) == (2, "", [])
    assert "a.png has another hash than what was published; --force" in err and err.count("\n") == 1
    assert mine.read_bytes() == _encoded("PNG", 1)
    assert fetch("--force")[0] == 0 and mine.read_bytes() == PNG


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (404, "the server answers 404 Not Found"),
        ("half", "the connection broke off"),
        ("silence", "no connection to 127.0.0.1, or it was lost"),
        ("other", "has another SHA-256 than the file that was published"),
    ],
)
@pytest.mark.parametrize("path", ["/a.png", "/b.bmp"])
def test_a_download_that_fails_is_one_line_and_leaves_nothing(public, fetch, tmp_path, answer, message, path):
    public.answers[path] = answer
    if answer == "other":
        public.contents[path] = b"a page that says: sign in"
    code, _, err = fetch()
    assert code == 2 and message in err and path in err and err.count("\n") == 1
    assert _files(tmp_path) == ([] if path == "/a.png" else ["data/made/a.png"])  # the one before it is whole


def test_a_server_that_says_nothing_is_not_waited_for(public, fetch, tmp_path, monkeypatch):
    monkeypatch.setattr(lipdip.pictures.download, "SECONDS", 0.1)
    public.answers["/a.png"] = "silence"
    code, _, err = fetch()
    assert code == 2 and "no answer within 0.1 seconds" in err and _files(tmp_path) == []


def test_a_failed_download_leaves_the_old_file(public, fetch, tmp_path):
    fetch()
    mine = tmp_path / "data/made/a.png"
    mine.write_bytes(b"mine")
    public.answers["/a.png"] = "half"
    assert fetch("--force")[0] == 2 and mine.read_bytes() == b"mine"


def test_without_a_network_there_is_one_line(fetch, tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("NO_PROXY", "*")
    _pretend(monkeypatch, f"http://127.0.0.1:{port}/")
    code, _, err = fetch()
    assert code == 2 and "no connection to 127.0.0.1" in err and err.count("\n") == 1
    assert _files(tmp_path) == []


def test_stopping_leaves_no_half_file(public, fetch, tmp_path, monkeypatch):
    def stop(*args, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr("shutil.move", stop)  # how pooch ends a download
    code, _, err = fetch()
    assert code == 130 and "stopped" in err and err.count("\n") == 1 and _files(tmp_path) == []


def test_a_place_that_cannot_be_written(public, fetch, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/made").write_text("a file")
    code, _, err = fetch()
    assert code == 2 and "cannot make the folder" in err and err.count("\n") == 1


def test_checking_says_what_is_there_missing_and_other(public, fetch, tmp_path, capsys):
    folder = tmp_path / "data"
    assert data.main(["check", str(folder)]) == 2 and "there is no directory at" in capsys.readouterr().err
    fetch()
    assert data.main(["check", str(folder)]) == 0
    assert capsys.readouterr().out == "made   2 of 2 as they were published\n"
    (folder / "made/a.png").unlink()
    (folder / "made/b.png").write_bytes(b"not a picture")
    assert data.main(["check", str(folder)]) == 2
    out, err = capsys.readouterr()
    assert "0 of 2" in out and "missing: a.png" in out and "another hash: b.png" in out
    assert err == f"lipdip: {folder / 'made/b.png'} has another hash than what was published\n"
    (folder / "made/b.png").write_bytes(_encoded("PNG", 70))  # other bytes, the same pixels
    assert data.main(["check", str(folder)]) == 0


def test_where_there_is_no_picture_at_all_the_check_fails(public, tmp_path, capsys):
    assert data.main(["check", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"lipdip: none of these pictures is in {tmp_path}; python -m lipdip.data")


def test_a_file_is_refused_as_the_directory_before_anything_is_downloaded(public, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(PublicFile, "fetch", lambda *_: pytest.fail("tried to download"))
    (tmp_path / "file").write_text("")
    assert data.main(["fetch", "made", "--to", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err == f"lipdip: {tmp_path / 'file'} is a file; --to takes a directory\n"


def test_the_usual_directory_is_that_of_runs(public, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("LIPDIP_DATA", str(tmp_path / "mine"))
    assert data.main(["fetch", "made"]) == 0 and (tmp_path / "mine/made/a.png").is_file()
    assert data.main(["check"]) == 0


def test_listing_and_names_that_there_are_not(capsys):
    assert data.main(["list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("set5", "set14", "set12", "dip")) and "https://" in out
    assert data.main(["fetch", "set6"]) == 2
    assert capsys.readouterr().err == "lipdip: no standard set is called 'set6'; there are set5, set14, set12, dip\n"
    assert data.main([]) == 2 and capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("place", "command"),
    [
        ("set5/baby.png", "`python -m lipdip.data fetch set5 --to '{}'`"),
        ("dip/kate_mask.png", "`python -m lipdip.data fetch dip --to '{}'`"),
        ("set5/mine.png", None),
        ("set6/baby.png", None),
    ],
)
def test_a_missing_picture_of_a_set_names_the_command_that_fetches_it(tmp_path, place, command):
    folder = tmp_path / "my data"
    with pytest.raises(UserError, match="there is no picture at") as caught:
        read(str(folder / place))
    said = str(caught.value)
    assert (command.format(folder) in said) if command else ("put it there" in said and "lipdip.data" not in said)


def test_nothing_is_downloaded_unasked(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)  # importing it would fail
    with pytest.raises(UserError, match=r"lipdip\.data fetch set5"):
        read(str(tmp_path / "set5/baby.png"))


def test_a_folder_is_its_pictures_by_name(tmp_path):
    for name in ("b.png", "a.bmp", "10.png", ".hidden.png"):
        (tmp_path / name).write_bytes(PNG)
    (tmp_path / "more").mkdir()
    assert [picture.name for picture in read_folder(str(tmp_path))] == ["10", "a", "b"]


def test_what_is_no_picture_by_its_name_is_left_out_and_told(tmp_path):
    for name in ("b.png", "a.png"):
        (tmp_path / name).write_bytes(PNG)
    (tmp_path / "Thumbs.db").write_bytes(b"x")
    first, second = read_folder(str(tmp_path))
    assert any("Thumbs.db" in note for note in first.notes) and not any("Thumbs" in note for note in second.notes)


def test_relative_paths_may_lie_below_the_data_directory(tmp_path, monkeypatch):
    (tmp_path / "CBM3D").mkdir()
    (tmp_path / "CBM3D" / "house.png").write_bytes(PNG)
    monkeypatch.chdir(tmp_path / "CBM3D")
    there = f"paths.data_dir={tmp_path}"
    for own in (["image=folder", "image.path=CBM3D"], ["image=file", "image.path=CBM3D/house.png"], ["image=cbm3d"]):
        (picture,) = _read_all(*own, there)
        assert picture.name == "house"
    (several,) = _read_all("image=file", "image.path=[CBM3D/house.png]", there)
    assert several.name == "house"
    with pytest.raises(UserError, match=r"no picture at CBM3D/other\.png"):
        _read_all("image=file", "image.path=CBM3D/other.png", there)


def test_set14_has_one_kind_of_picture_and_set12_names_of_its_own(tmp_path):
    grey = io.BytesIO()
    Image.new("L", (32, 32), 99).save(grey, format="PNG")
    for name in ("set14", "set12"):
        (tmp_path / name).mkdir()
        for source in compose(f"image={name}").image.pictures.values():
            colour = name == "set14" and "bridge" not in source.path
            (tmp_path / name / Path(source.path).name).write_bytes(PNG if colour else grey.getvalue())
    found = _read_all("image=set14", f"paths.data_dir={tmp_path}")
    assert {picture.pixels.shape[0] for picture in found} == {3} and len(found) == 14
    (bridge,) = _read_all("image=set14/bridge", f"paths.data_dir={tmp_path}")
    assert bridge.pixels.shape[0] == 1, "by itself it stays grey"
    assert _read_all("image=set12", f"paths.data_dir={tmp_path}")[0].name == "set12_01"


def test_folders_that_hold_no_pictures(tmp_path):
    with pytest.raises(UserError, match=r"add image\.path=DIR"):
        read_folder(None)
    with pytest.raises(UserError, match="must be the path of one folder"):
        read_folder(["a", "b"])
    with pytest.raises(UserError, match="there is no folder at"):
        read_folder(str(tmp_path / "nowhere"))
    (tmp_path / "sub").mkdir()
    with pytest.raises(UserError, match="holds no pictures"):
        read_folder(str(tmp_path))
    (tmp_path / "notes.txt").write_text("sigma 25")
    with pytest.raises(UserError, match="holds no pictures"):
        read_folder(str(tmp_path))
    (tmp_path / "bad.png").write_text("sigma 25")
    with pytest.raises(UserError, match=r"bad\.png is not a picture"):
        read_folder(str(tmp_path))
    with pytest.raises(UserError, match=r"notes\.txt is a file; image=file"):
        read_folder(str(tmp_path / "notes.txt"))
