"""``python -m lipdip.ticket``, the same as ``lipdip ticket``."""

import sys

if __name__ == "__main__":
    from lipdip.cli.ticket_command import main

    sys.exit(main())
