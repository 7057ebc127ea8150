"""What a frame says of itself: whether it is complete, where it came from, and what was counted on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal, get_args

from runframe.errors import FrameError

Completeness = Literal["complete", "sampled", "live", "unread"]
"""``complete``: everything that the server had at the watermark. ``sampled``: rows were left out on purpose.
``live``: read while it was still being written, so that a later read may hold more. ``unread``: it shows when it is
read, and that has not been done to the end."""

PREFIX = "runframe."


@dataclass(frozen=True)
class Provenance:
    """Where a frame comes from. Every field is kept in the Arrow schema's metadata, as ``runframe.<field>``.

    Attributes:
        completeness: complete, sampled, live or unread.
        source: the path of what was read, as in "entity/project".
        rows: the rows of the frame; None while they have not been counted.
        server_rows: the rows that the server counted; None where it does not say.
        rows_read: the rows that were read, where that is not the number of the frame's own rows: a history of chosen
            keys has fewer, a long one has others. It is what `server_rows` is held against then.
        query: what was asked for, as text: the filter and the order, or the query's name.
        watermark: the server's time up to which the frame is known to be complete.
        conflicts: the columns whose types disagreed; the report is the frame's `conflicts`.
    """

    completeness: Completeness
    source: str | None = None
    rows: int | None = None
    server_rows: int | None = None
    query: str | None = None
    watermark: datetime | None = None
    conflicts: int = 0
    rows_read: int | None = None

    def to_metadata(self) -> dict[bytes, bytes]:
        """The fields as metadata of an Arrow schema; what is None is left out."""
        found: dict[bytes, bytes] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                text = value.isoformat() if isinstance(value, datetime) else str(value)
                found[(PREFIX + field.name).encode()] = text.encode()
        return found

    @classmethod
    def from_metadata(cls, metadata: Mapping[bytes, bytes] | None) -> Provenance | None:
        """The provenance in an Arrow schema's metadata; None where there is none.

        Raises:
            FrameError: the metadata was not written by `to_metadata`.
        """
        given: dict[str, Any] = {}
        for field in fields(cls):
            value = (metadata or {}).get((PREFIX + field.name).encode())
            if value is not None:
                given[field.name] = value.decode()
        if "completeness" not in given:
            return None
        try:
            for name in ("rows", "server_rows", "conflicts", "rows_read"):
                if name in given:
                    given[name] = int(given[name])
            if "watermark" in given:
                given["watermark"] = datetime.fromisoformat(given["watermark"])
        except ValueError as error:
            raise FrameError(f"the schema's runframe metadata cannot be read: {json.dumps(given)}") from error
        if given["completeness"] not in get_args(Completeness):
            raise FrameError(
                f"the schema's metadata says {given['completeness']!r}, expected complete, sampled, live or unread"
            )
        return cls(**given)

    def counted(self, rows: int) -> Provenance:
        """The same with the rows that were counted."""
        return replace(self, rows=rows)

    @property
    def gap(self) -> str | None:
        """Why the frame is not complete, in a few words; None if nothing speaks against it."""
        if self.completeness == "unread":
            return "it has not been read to its end"
        if self.completeness == "sampled":
            return "it was sampled"
        if self.completeness == "live":
            return "it was read while it was being written"
        if self.server_rows is not None and self._held is not None and self._held != self.server_rows:
            if self.rows_read is not None:
                return f"{self.rows_read} rows were read for it, and the server counted {self.server_rows}"
            return f"it has {self.rows} rows, and the server counted {self.server_rows}"
        return None

    @property
    def _held(self) -> int | None:
        """The rows to be held against the server's count."""
        return self.rows if self.rows_read is None else self.rows_read

    def __str__(self) -> str:
        counts_differ = self.completeness == "complete" and self.gap is not None
        parts: list[str] = ["incomplete" if counts_differ else self.completeness]
        if self.source is not None:
            parts.append(self.source)
        if self.server_rows is not None and self._held is not None and self.server_rows != self._held:
            parts.append(f"{self._held} of {self.server_rows} rows")
        if self.query is not None:
            parts.append(self.query)
        if self.watermark is not None:
            parts.append(f"as of {self.watermark.isoformat(sep=' ', timespec='seconds')}")
        if self.conflicts:
            parts.append(f"{self.conflicts} type {'conflict' if self.conflicts == 1 else 'conflicts'}")
        return " · ".join(parts)
