"""``python -m lipdip.run``, the same as ``lipdip run``."""

import sys

if __name__ == "__main__":
    from lipdip.cli.main import command

    sys.exit(command("run"))
