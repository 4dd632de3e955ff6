"""Paths on the command line are what was typed, whatever characters they have; Hydra's own grammar still works."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from lipdip.cli.compose import compose
from lipdip.cli.run_command import plain
from lipdip.cli.typed_paths import as_typed
from lipdip.core.errors import UserError

NAMES = (
    *("München.jpg", "写真.png", "my photo.png", "a=b.png", "x[1].png", "{a}.png", "me (1).png", "it's.png"),
    *('q"q.png', "$5 & 10%.png", "a#b@c;d!.png", "back\\slash'.png", "caf\udce9.png", "new\nline.png", "'a'b'", "[a]b"),
)


def _read(word: str) -> object:
    override = OverridesParser.create().parse_override(word)
    value = override._value
    return OmegaConf.create({"path": getattr(value, "text", value)}).path


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sweep", [False, True])
def test_a_name_is_taken_as_it_is_and_only_once(name, sweep):
    for setting in ("image.path", "ticket", "paths.output_dir"):
        word = as_typed(f"{setting}={name}", sweep)
        assert _read(word) == name and as_typed(word, sweep) == word


@pytest.mark.parametrize("name", ["a,b.png", "${x}.png", "[a,b]", "007", "1e3", "true", "choice(a,b)"])
def test_a_file_that_is_there_wins(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = as_typed(f"image.path={name}", True)
    assert before == f"image.path={name}", "for Hydra to read"
    (tmp_path / name).touch()
    assert _read(as_typed(f"image.path={name}", True)) == name


def test_lists_sweeps_and_quoted_names_stay_what_they_are(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    for value in ("[a.png,b.png]", "'x y.png'", '"x,y.png"', "null", "${image.size}", "a\\,b.png", "plain/name.png"):
        assert as_typed(f"image.path={value}") == f"image.path={value}"
    assert as_typed("image.path=[ü.png,~/b.png]") == "image.path=['ü.png','/home/me/b.png']"
    assert as_typed("image.path=ü.png,b.png", sweep=True) == "image.path='ü.png',b.png"
    assert _read(as_typed("image.path=~/ü.png")) == "/home/me/ü.png"
    assert _read(as_typed("paths.output_dir=2024")) == "2024"
    assert as_typed("task.sigma=ü") == "task.sigma=ü", "which is no path"


@pytest.mark.parametrize("value", ["a\0b", "a" * 300, "ü" * 200, "~nosuchuser/a", "\ud800.png", "a/" * 3000])
@pytest.mark.parametrize("setting", ["image.path", "ticket", "pruner.ticket", "paths.output_dir", "paths.data_dir"])
def test_what_no_file_can_be_called_is_refused_with_the_setting(setting, value):
    with pytest.raises(UserError, match=rf"^{setting}: ") as caught:
        compose(f"{setting}={value}")
    assert "\n" not in str(caught.value)


def test_a_configuration_holds_what_was_typed():
    assert plain(compose("image=file", "image.path=me (1).png"))["image"]["path"] == "me (1).png"
