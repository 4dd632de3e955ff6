"""``python -m lipdip.run``, the same as ``lipdip run``."""

import sys

if __name__ == "__main__":
    from lipdip.cli.start import main

    sys.exit(main())
