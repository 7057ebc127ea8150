"""`python -m runframe` is the `runframe` command."""

from __future__ import annotations

import sys

from runframe.cli import main

if __name__ == "__main__":
    sys.exit(main())
