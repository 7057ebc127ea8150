"""For tests of code that uses runframe or the official SDK: a real backend in milliseconds, and exact comparisons.

The fixtures are there as soon as the package is installed: `runframe_store`, `runframe_api`, `runframe_server`. See
`runframe.testing.plugin`.
"""

from runframe.testing.equality import assert_frame_equal
from runframe.testing.serving import Server, serving

__all__ = ["Server", "assert_frame_equal", "serving"]
