"""Tab completion of settings in bash, for ``lipdip run`` and ``python -m lipdip.run``.

Hydra knows the choices, but its script for bash takes a program of one word only. Other shells have Hydra's own script.
"""

import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

_SCRIPT = """_lipdip_complete() {
    local program
    case $COMP_LINE in
        lipdip\\ *) program=lipdip ;;
        *python*\\ -m\\ lipdip.run\\ *) program="${COMP_WORDS[0]} -m lipdip.run" ;;
        *) return ;;
    esac
    COMPREPLY=($(compgen -W "$(COMP_LINE=$COMP_LINE $program -sc query=bash 2> /dev/null)" -- "$2"))
}
COMP_WORDBREAKS=${COMP_WORDBREAKS//=}
complete -o nospace -o default -F _lipdip_complete """


def completion(words: Sequence[str]) -> bool:
    """Answer the shell where Hydra cannot; prepare ``COMP_LINE`` for it where it can.

    Args:
        words: of the command line of ``lipdip run``.

    Returns:
        Whether all is done.
    """
    if not {"-sc", "--shell-completion"} & set(words):
        return False
    if "install=bash" in words:
        print(_SCRIPT + ("lipdip" if Path(sys.argv[0]).name == "lipdip" else Path(sys.executable).name))
        return True
    line = os.environ.get("COMP_LINE", "")  # Hydra takes the first word for the program
    os.environ["COMP_LINE"] = re.sub(r"^\s*(lipdip run|\S+ -m lipdip\.run)\s*", "lipdip ", line)
    return False


def first_word(commands: Sequence[str], run: Callable[..., int | None]) -> int | None:
    """Complete ``lipdip ...``: the names of commands, then what ``lipdip run`` knows.

    Args:
        commands: that there are.
        run: does a command with the words given.
    """
    line = os.environ.get("COMP_LINE", "")
    if line.split()[1:2] == ["run"] and len(line.split()) + line.endswith(" ") > 2:
        return run("run", *sys.argv[1:])
    if "install=bash" in sys.argv:
        return run("run", *sys.argv[1:])
    if len(line.split()) + line.endswith(" ") == 2:
        print(" ".join(commands))
    return 0
