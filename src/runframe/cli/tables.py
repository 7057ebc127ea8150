"""Rows on stdout: as a table for people, as JSON or CSV for programs."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import typer

Row = Mapping[str, Any]

# The width of a table that goes into a file or a pipe, where COLUMNS says nothing else.
PIPE_WIDTH = 120
GAP = 2
NOTHING = "–"


class Format(StrEnum):
    """How rows are written."""

    table = "table"
    json = "json"
    csv = "csv"


def write_rows(columns: Sequence[str], rows: Iterable[Row], form: Format) -> None:
    """All rows with these columns, in this order, in one of the three forms."""
    lines: Iterable[str]
    if form is Format.json:
        lines = json_lines(columns, rows)
    elif form is Format.csv:
        lines = csv_lines(columns, rows)
    else:
        lines = table_lines(columns, list(rows))
    for line in lines:
        typer.echo(line)


def json_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """One JSON array with an object a line. NaN and the infinities are text, as W&B's exports have them."""
    yield "["
    line = None
    for row in rows:
        if line is not None:
            yield line + ","
        line = "  " + json.dumps({name: _plain(row[name]) for name in columns}, ensure_ascii=False)
    if line is not None:
        yield line
    yield "]"


def csv_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """A header line and a line a row (RFC 4180, but for the line ends). Null is empty; lists are JSON text."""
    yield _csv_line(columns)
    for row in rows:
        values = (_plain(row[name]) for name in columns)
        yield _csv_line(
            [json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value for value in values]
        )


def _csv_line(values: Sequence[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(values)
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value


def table_lines(columns: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """An aligned table, as wide as its columns need; numbers stand at the right, point under point."""
    cells = [_column(row[name] for row in rows) for name in columns]
    widths = [_width(name, texts) for name, texts in zip(columns, cells, strict=True)]
    right = [bool(rows) and all(_is_number(row[name]) for row in rows) for name in columns]
    heading = _line(columns, widths, right)
    rule = (" " * GAP).join("─" * width for width in widths)
    if _on_terminal():
        heading, rule = typer.style(heading, bold=True), typer.style(rule, dim=True)
    return [heading, rule, *(_line(line, widths, right) for line in zip(*cells, strict=True))]


def fitting(columns: Sequence[str], rows: Sequence[Row], width: int) -> int:
    """How many of the first columns make a table no wider than `width` characters; at least one."""
    used = -GAP
    for number, name in enumerate(columns):
        used += GAP + _width(name, _column(row[name] for row in rows))
        if used > width and number:
            return number
    return len(columns)


def terminal_width() -> int:
    """The characters in a line: the terminal's, else COLUMNS, else 120."""
    if _on_terminal():
        return os.get_terminal_size(sys.stdout.fileno()).columns
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdigit() and int(given) else PIPE_WIDTH


def cell(value: Any) -> str:
    """A value in a table: six significant digits, times to the minute, `–` for nothing."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, list):
        return ", ".join(cell(each) for each in value)
    if isinstance(value, dict):
        return json.dumps(_plain(value), ensure_ascii=False)
    return " ".join(str(value).split())


def _column(values: Iterable[Any]) -> list[str]:
    """The cells of a column; fractions are followed by room, so that the points stand in line."""
    values = list(values)
    texts = [cell(value) for value in values]
    if not any(isinstance(value, float) for value in values) or not all(map(_is_number, values)):
        return texts
    behind = [len(text) - text.find(".") if "." in text else 0 for text in texts]
    return [text + " " * (max(behind) - each) for text, each in zip(texts, behind, strict=True)]


def _line(texts: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = [
        " " * (width - _cells(text)) + text if at_right else text + " " * (width - _cells(text))
        for text, width, at_right in zip(texts, widths, right, strict=True)
    ]
    return (" " * GAP).join(parts).rstrip()


def _width(name: str, texts: Iterable[str]) -> int:
    return max([_cells(name), *map(_cells, texts)])


def _cells(text: str) -> int:
    """The places that a text takes on a terminal: wide characters take two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _on_terminal() -> bool:
    return sys.stdout.isatty()
