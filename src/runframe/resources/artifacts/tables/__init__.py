"""Tables inside artifacts: read as frames, and written."""
