"""Histories of runs: complete ones by pages of steps, and the server's samples."""
