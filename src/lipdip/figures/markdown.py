"""Tables as Markdown."""

from collections.abc import Mapping, Sequence


def table(header: Sequence[str], rows: Mapping[str, Sequence[str]], corner: str = "") -> str:
    """A Markdown table whose rows have names; its last line ends.

    Args:
        header: what stands over the columns of entries.
        rows: entries by row name, as many in each row as there are columns.
        corner: what stands in the upper left one, such as what the columns are values of.
    """
    lines = [f"| {corner} | ".replace("|  |", "| |") + " | ".join(header) + " |", "|---" * (len(header) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(entries) + " |" for name, entries in rows.items()]
    return "\n".join(lines) + "\n"
