"""Times as the store keeps them: ISO-8601 texts in UTC, always with six digits of microseconds and a Z."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def now() -> str:
    """This moment."""
    return stored(datetime.now(UTC))


def ago(seconds: float) -> str:
    """The moment so many seconds before this one."""
    return stored(datetime.now(UTC) - timedelta(seconds=seconds))


def stored(moment: datetime) -> str:
    """A moment's text; one without a zone is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
