"""``python -m lipdip.report``, the same as ``lipdip report``."""

import sys

if __name__ == "__main__":
    from lipdip.cli.report_command import main

    sys.exit(main())
