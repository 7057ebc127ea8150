"""Recorded runs of real training, and the script that made them."""

from runframe.server.demo.recordings import recordings

__all__ = ["recordings"]
