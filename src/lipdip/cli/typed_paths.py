"""Settings that are paths, taken as they were typed: Hydra's grammar refuses many names that files have."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from lipdip.cli.quoting import quoted_text
from lipdip.core.files import checked_path

_READ = ("image.path", "task.pixel_mask", "ticket", "ticket.path", "pruner.ticket", "model.path", "dataset.path")
_PLACES = ("paths.output_dir", "paths.data_dir")  # never a list, nor swept
_LONG = 4096  # no path is longer, and Hydra's grammar is slow on such a text
_SETTING = re.compile(r"(?P<how>[+]{0,2})(?P<name>[\w.]+)=(?P<value>.*)", re.DOTALL)


def as_typed(word: str, sweep: bool = False, data_dir: str = "") -> str:
    """A word of the command line; the value of a setting that is a path is quoted where Hydra needs it.

    What Hydra reads as a list, a sweep, an interpolation, null or a quoted text stays that, unless there is a file of
    just this name. A word that went through here once does not change when it does again.

    Args:
        word: as it was typed.
        sweep: whether commas divide the values of a sweep.
        data_dir: where files are looked for too.

    Raises:
        UserError: if no file can have such a name.
    """
    setting = _SETTING.fullmatch(word)
    if setting is None or setting["name"] not in (*_READ, *_PLACES):
        return word
    head = word[: setting.start("value")]
    return head + _value(setting["name"], setting["value"], sweep, data_dir)


def data_directory(words: Iterable[str]) -> str:
    """Where ``paths.data_dir`` points, as far as it can be told from the words alone."""
    given = [word.partition("=")[2] for word in words if word.lstrip("+").startswith("paths.data_dir=")]
    return given[-1].strip("'\"") if given else os.environ.get("LIPDIP_DATA", "data")


def _value(name: str, value: str, sweep: bool, data_dir: str) -> str:
    read = _as_hydra_reads(value)
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" and read is not None
    if is_quoted or value == "null":
        return value
    if _is_plain(read, value):
        checked_path(value or ".", name)
        return value
    if value and _there(value, data_dir):
        return _literal(name, value)
    if len(value) > _LONG:
        checked_path(value, name)
    if name in _PLACES and not (sweep and "," in value):
        return value if read is not None and isinstance(read.value(), str) else _literal(name, value)
    if read is None:
        return _piecewise(name, value, sweep, data_dir)
    return value


def _is_plain(read: Override | None, value: str) -> bool:
    """Whether Hydra reads a value as it was typed."""
    found = None if read is None or read.is_sweep_override() else read.value()
    return isinstance(found, str) and found == value and "${" not in value


def _piecewise(name: str, value: str, sweep: bool, data_dir: str) -> str:
    """A value that Hydra cannot read: of a list or a sweep each part by itself, else all of it is the path."""
    if value[:1] == "[" and value[-1:] == "]":
        parts = [part.strip() for part in _parts(value[1:-1])]
        return f"[{','.join(_value(name, part, False, data_dir) for part in parts)}]"
    parts = list(_parts(value))
    if sweep and len(parts) > 1 and all(parts):
        return ",".join(_value(name, part, False, data_dir) for part in parts)
    return _literal(name, value)


def _literal(name: str, value: str) -> str:
    path = checked_path(value, name)
    return quoted_text(str(path) if value.startswith("~") else value)


def _parts(text: str) -> Iterator[str]:
    """What commas divide, outside quotes and lists."""
    part, quote, depth = "", "", 0
    for character in text:
        if character == "," and not quote and depth <= 0:
            yield part
            part = ""
            continue
        if character in "'\"" and (not part.strip() or quote):
            quote = "" if quote == character else quote or character
        elif not quote and (depth or not part.strip()):
            depth += (character == "[") - (character == "]")
        part += character
    yield part


def _there(value: str, data_dir: str) -> bool:
    try:
        path = Path(value).expanduser()
        return path.exists() or (Path(data_dir).expanduser() / path).exists()
    except (OSError, RuntimeError, ValueError):
        return False


def _as_hydra_reads(value: str) -> Override | None:
    try:
        return OverridesParser.create().parse_override(f"path={value}")
    except HydraException:
        return None
