"""``python -m lipdip.data``, the same as ``lipdip data``."""

import sys

if __name__ == "__main__":
    from lipdip.cli.main import command

    sys.exit(command("data"))
