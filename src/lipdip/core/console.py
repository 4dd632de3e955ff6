"""What commands print: where to, and numbers and names in words."""

import sys

from rich.console import Console
from rich.text import Text


def console() -> Console:
    """Where progress goes: as wide as the terminal, or wide enough for a table where there is none."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=120)


def plain_console() -> Console:
    """Standard output without markup; at least 80 columns wide, and 80 where it is no terminal."""
    plain = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    plain.width = max(plain.width, 80)  # in a narrower terminal lines wrap, which loses nothing
    return plain


def say(screen: Console, text: str) -> None:
    """Print ``text``, whatever is in it, as one line."""
    screen.print(safe(text, screen), soft_wrap=True)


def complain(text: str) -> None:
    """Print ``text`` as one line on standard error, with the program's name before it."""
    print(f"lipdip: {printable(' '.join(text.splitlines()))}", file=sys.stderr, flush=True)


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
