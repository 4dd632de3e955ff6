"""``python -m lipdip.ticket``, the same as ``lipdip ticket``."""

import sys

if __name__ == "__main__":
    from lipdip.cli.main import command

    sys.exit(command("ticket"))
