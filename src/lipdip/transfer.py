"""``python -m lipdip.transfer``, the same as ``lipdip transfer``."""

import sys

if __name__ == "__main__":
    from lipdip.cli.main import command

    sys.exit(command("transfer"))
