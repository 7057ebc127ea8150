"""The methods of `Run`, a module for each concern; `Run` itself is in `run.py`."""
