"""Jobs: programs that were kept as artifacts, to be run again from a launch queue."""
