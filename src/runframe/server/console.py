"""Console lines as they are shown: time, level, label and text taken apart (protocol, section 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runframe import extjson

_LINE = re.compile(
    r"(?P<level>ERROR )?(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?) (?:\[(?P<label>[^\]]*)\] )?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of the console.

    Attributes:
        number: its position, from 0.
        timestamp: ISO-8601 in UTC, empty where the line does not say.
        level: "error" for stderr, otherwise empty.
        label: who wrote it, where several processes write.
        line: its text.
    """

    number: int
    timestamp: str
    level: str
    label: str
    line: str


def parse(number: int, text: str) -> LogLine:
    """The parts of a line of output.log, plain or as a JSON object."""
    if text.startswith("{"):
        structured = _structured(number, text)
        if structured is not None:
            return structured
    match = _LINE.match(text)
    if match is None:
        return LogLine(number, "", "", "", text)
    level = "error" if match["level"] else ""
    return LogLine(number, match["time"], level, match["label"] or "", text[match.end() :])


def _structured(number: int, text: str) -> LogLine | None:
    try:
        value = extjson.loads(text)
    except ValueError:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("content"), str):
        return None
    return LogLine(
        number, str(value.get("ts", "")), str(value.get("level", "")), str(value.get("label", "")), value["content"]
    )
