"""A picture's name in results: printable, on one line, and possible as the name of a folder."""

import hashlib
import unicodedata

_MOST = 200  # bytes; a file's name may have 255, and results add to it


def readable_name(name: str) -> str:
    r"""``name`` with what cannot be printed percent-encoded, as in addresses; printable names stay as they are.

    Spaces of every width become plain ones. A name of more than 200 bytes is cut, and ends in a digest of the whole.

    Example:
        >>> readable_name("a photo, 5 $"), readable_name("two\nlines"), readable_name("..")
        ('a photo, 5 $', 'two%0Alines', '%2E%2E')
    """
    if set(name) <= {"."}:  # this folder, and the one above
        return "%2E" * max(len(name), 1)
    shown = "".join(map(_shown, name))
    if len(shown.encode()) <= _MOST:
        return shown
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:8]
    return f"{shown.encode()[: _MOST - 9].decode(errors='ignore')}-{digest}"


def _shown(character: str) -> str:
    if character.isprintable():
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return "".join(f"%{byte:02X}" for byte in character.encode(errors="surrogateescape"))
