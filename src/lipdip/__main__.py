"""``python -m lipdip``, the same as ``lipdip``."""

import sys

if __name__ == "__main__":
    from lipdip.cli.main import main

    sys.exit(main())
