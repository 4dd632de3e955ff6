"""What commands print: where to, and numbers and names in words."""

import os
import sys
from contextlib import suppress
from typing import NoReturn

from rich.console import Console
from rich.text import Text
from typing_extensions import override

UNREAD = 141  # exit code where nobody reads what is printed any more: 128 + SIGPIPE
_LONGEST = 600  # characters of an error; the rest helps nobody


class _Screen(Console):
    """Rich's console, which ends the process with code 1 where nobody reads what it prints."""

    @override
    def on_broken_pipe(self) -> NoReturn:
        self.quiet = True
        print_no_more()
        raise SystemExit(UNREAD)


def console() -> Console:
    """Where progress goes: as wide as the terminal, or wide enough for a table where there is none."""
    plain = _Screen()
    return plain if plain.is_terminal else _Screen(width=120)


def plain_console() -> Console:
    """Standard output without markup; at least 80 columns wide, and 80 where it is no terminal."""
    plain = _Screen(file=sys.stdout, highlight=False, markup=False, emoji=False)
    plain.width = max(plain.width, 80)  # in a narrower terminal lines wrap, which loses nothing
    return plain


def say(screen: Console, text: str) -> None:
    """Print ``text``, whatever is in it, as one line."""
    screen.print(safe(text, screen), soft_wrap=True)


def complain(text: str) -> None:
    """Print ``text``, whatever is in it, as one line on standard error, with the program's name before it."""
    with suppress(OSError):  # where nobody can be told, the exit code still says it
        print(f"lipdip: {printable(joined(text))}", file=sys.stderr, flush=True)


def joined(text: str) -> str:
    """A text of several lines as one line."""
    return " ".join(filter(None, map(str.strip, text.splitlines()))) if len(text.splitlines()) > 1 else text


def shortened(text: str) -> str:
    """A text as one line of at most 600 characters; of a longer one its two ends."""
    line = joined(text)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 150]} ... {line[-145:]}"


def print_no_more() -> None:
    """Turn standard output away from what cannot be written to, so that its closing says nothing either."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def safe(text: str, screen: Console) -> Text:
    """Text that stays one line and orders the terminal nothing, in characters that it can show."""
    return Text(printable(text).encode(screen.encoding, "backslashreplace").decode(screen.encoding))


def printable(text: str) -> str:
    r"""Text with escapes such as ``\x1b`` for line ends and other characters that are not shown."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def span(seconds: float) -> str:
    """A time in words: seconds, minutes or hours."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def count(number: int, name: str) -> str:
    """A number and what it counts."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
