"""`runframe runs` and `runframe projects`: what a server has, as tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any

import typer

from runframe.cli.options import ApiKey, BaseUrl, connect
from runframe.cli.output import count, note
from runframe.cli.tables import Format, Row, fitting, terminal_width, write_rows
from runframe.errors import UsageError

if TYPE_CHECKING:
    from runframe.frames import Frame
    from runframe.resources.runs import Runs

FormatOption = Annotated[Format, typer.Option("--format", metavar="table|json|csv", help="What to write.")]

# The columns of every table of runs; the ones that tell the runs apart follow as far as they fit.
ALWAYS = ("id", "name", "state")
RUN_COLUMNS = ("created_at", "user", "group", "job_type", "tags")
BATCH = 1000


def runs(
    path: Annotated[str, typer.Argument(metavar="ENTITY/PROJECT")],
    filters: Annotated[
        str | None, typer.Option(metavar="JSON", help='A MongoDB-style filter, as in {"config.lr": {"$lt": 0.1}}.')
    ] = None,
    order: Annotated[
        str, typer.Option(metavar="KEY", help="A key with + or - before it, as in -summary_metrics.accuracy.")
    ] = "+created_at",
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="The first so many; else all.")] = None,
    columns: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Names with commas between them; patterns too, as in name,config.*"),
    ] = None,
    form: FormatOption = Format.table,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
) -> None:
    """List the runs of a project as typed columns.

    A table shows the columns that fit the terminal and tells runs apart; --columns chooses others, and json and csv
    have all of them.
    """
    chosen = None if columns is None else _names(columns)
    filter_ = _filter(filters)
    with connect(base_url, api_key) as api:
        listed = api.runs(path, filter_, order, per_page=min(limit or BATCH, BATCH), lazy=False)
        frame = _frame(listed, limit, chosen)
        if chosen is not None:
            write_rows(_matching(chosen, frame.columns), _rows(frame), form)
        elif form is not Format.table:
            write_rows(frame.columns, _rows(frame), form)
        else:
            _write_fitting(frame)


def projects(
    entity: Annotated[
        str | None, typer.Argument(metavar="ENTITY", help="A user or team; else the default entity.")
    ] = None,
    form: FormatOption = Format.table,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
) -> None:
    """List the projects of an entity."""
    from runframe.frames.storage import plain_table

    with connect(base_url, api_key) as api:
        table = plain_table(api.projects(entity).to_arrow())
    names = ["entity", "name", "created_at", "owner"] if form is Format.table else table.column_names
    write_rows(names, table.to_pylist(), form)


def _frame(listed: Runs, limit: int | None, columns: list[str] | None) -> Frame:
    """The runs as a flattened frame; with a limit, no more is asked for than it takes."""
    exact = columns if columns is not None and not any(map(_is_pattern, columns)) else None
    if limit is None:
        return listed.frame(exact)
    from runframe.frames import Frame, flatten

    listed[:limit]  # these pages stay, and are what the batches begin with
    return flatten(Frame(listed.schema, lambda: _head(listed.to_batches(), limit)), exact)


def _head(batches: Iterator[Any], rows: int) -> Iterator[Any]:
    """The first rows of a stream, and nothing asked for after them."""
    for batch in batches:
        yield batch.slice(0, rows)
        rows -= batch.num_rows
        if rows <= 0:
            return


def _rows(frame: Frame) -> Iterator[Row]:
    from runframe.frames.storage import plain_table

    for batch in frame.to_batches():
        import pyarrow as pa

        yield from plain_table(pa.Table.from_batches([batch])).to_pylist()


def _write_fitting(frame: Frame) -> None:
    """The columns that every table has, and of the rest as many as the line holds."""
    rows = list(_rows(frame))
    candidates = [name for name in ALWAYS if name in frame.columns] + _telling(frame, rows)
    shown = candidates[: fitting(candidates, rows, terminal_width())]
    write_rows([name for name in frame.columns if name in shown], rows, Format.table)
    rest = len(frame.columns) - len(shown)
    note(f"{count(len(rows), 'run')}; {count(rest, 'more column')}: --columns chooses, --format csv has all")


def _telling(frame: Frame, rows: list[Row]) -> list[str]:
    """The columns in which runs differ, those that differ most first: config and summary by turns."""
    distinct = {name: _distinct(name, rows) for name in frame.columns}
    telling = sorted((name for name in distinct if distinct[name] > 1), key=lambda name: -distinct[name])
    config = [name for name in telling if name.startswith("config.")]
    summary = [name for name in telling if name.startswith("summary.") and not name.startswith("summary._")]
    by_turns = [name for pair in zip_longest(config, summary) for name in pair if name is not None]
    return by_turns + [name for name in RUN_COLUMNS if name in telling]


def _distinct(name: str, rows: Iterable[Row]) -> int:
    """How many different values a column holds; 0 for one that holds objects or lists."""
    values = [row[name] for row in rows]
    if any(isinstance(value, dict | list) for value in values) and name != "tags":
        return 0
    return len({repr(value) for value in values if value is not None})


def _filter(text: str | None) -> dict[str, Any] | None:
    """The filter that the option holds.

    Raises:
        UsageError: it is no JSON object.
    """
    if text is None:
        return None
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f'--filters is no JSON: {error}; expected an object like {{"state": "finished"}}') from error
    if not isinstance(value, dict):
        raise UsageError(f'--filters is {text}; expected a JSON object like {{"state": "finished"}}')
    return value


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError("--columns names no column; expected names with commas between them, like name,config.*")
    return names


def _is_pattern(name: str) -> bool:
    return any(sign in name for sign in "*?[")


def _matching(wanted: list[str], there: list[str]) -> list[str]:
    """The columns that names and patterns stand for, in the order asked for, each once.

    Raises:
        UsageError: one of them stands for nothing.
    """
    from runframe.frames.schema import unknown_column

    found: dict[str, None] = {}
    for name in wanted:
        matches = [each for each in there if each == name or (_is_pattern(name) and fnmatchcase(each, name))]
        if not matches:
            raise unknown_column(name, there, "the runs have")
        found.update(dict.fromkeys(matches))
    return list(found)
