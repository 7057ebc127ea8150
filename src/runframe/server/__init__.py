"""The embedded server: enough of W&B's protocol for the official SDK and for runframe, over one folder."""

from __future__ import annotations

from runframe.server.importing import ImportedRun
from runframe.server.local import LocalServer, open_local

__all__ = ["ImportedRun", "LocalServer", "open_local"]
