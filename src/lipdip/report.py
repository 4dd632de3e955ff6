"""``python -m lipdip.report``, the same as ``lipdip report``."""

import sys

if __name__ == "__main__":
    from lipdip.cli.main import command

    sys.exit(command("report"))
