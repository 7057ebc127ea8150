"""What an export remembers between its starts."""

from __future__ import annotations

from runframe.export.state.catalog import Catalog, Entry, PartRecord, Todo
from runframe.export.state.folder import STATE, State, open_state, peek_state
from runframe.export.state.parts import PartWriter, read_part

__all__ = [
    "STATE",
    "Catalog",
    "Entry",
    "PartRecord",
    "PartWriter",
    "State",
    "Todo",
    "open_state",
    "peek_state",
    "read_part",
]
