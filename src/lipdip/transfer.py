"""``python -m lipdip.transfer``, the same as ``lipdip transfer``."""

import sys

if __name__ == "__main__":
    from lipdip.cli.transfer_command import main

    sys.exit(main())
