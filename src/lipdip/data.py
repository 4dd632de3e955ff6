"""``python -m lipdip.data``, the same as ``lipdip data``."""

import sys

if __name__ == "__main__":
    from lipdip.cli.data_command import main

    sys.exit(main())
