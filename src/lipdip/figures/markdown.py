"""Text and tables as Markdown, in which nothing that a name or a setting holds is markup."""

from collections.abc import Mapping, Sequence

from lipdip.core.console import printable

_MARKUP = str.maketrans(
    {"\\": r"\\", "|": r"\|", "`": r"\`", "*": r"\*", "[": r"\[", "<": "&lt;", ">": "&gt;", "&": "&amp;"}
)


def text(content: str) -> str:
    """Any text, to be shown as it is."""
    return printable(" ".join(content.splitlines())).translate(_MARKUP)


def table(header: Sequence[str], rows: Mapping[str, Sequence[str]], corner: str = "") -> str:
    """A Markdown table whose rows have names; its last line ends.

    Args:
        header: what stands over the columns of entries, any text.
        rows: entries by row name, as many in each row as there are columns; any texts.
        corner: what stands in the upper left one, such as what the columns are values of.
    """
    first = f"| {text(corner)} | ".replace("|  |", "| |")
    lines = [first + " | ".join(map(text, header)) + " |", "|---" * (len(header) + 1) + "|"]
    lines += [f"| {text(name)} | " + " | ".join(map(text, entries)) + " |" for name, entries in rows.items()]
    return "\n".join(lines) + "\n"
