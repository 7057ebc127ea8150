"""A project's tables for SQL: what a query names is read, with the columns and filters that DuckDB hands over."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from runframe.errors import Error, UsageError
from runframe.frames.chain import Chain, weakest
from runframe.frames.engines.duckdb import Notes, connect, noted
from runframe.frames.flatten import flatten
from runframe.frames.frame import Frame
from runframe.frames.provenance import Provenance
from runframe.frames.scannable import Scannable
from runframe.resources.artifacts.columns import VERSIONS
from runframe.resources.artifacts.types import ArtifactTypes
from runframe.resources.artifacts.versions import Artifacts
from runframe.resources.client import Client
from runframe.resources.files import Files
from runframe.resources.history.live import HISTORY, history_batches
from runframe.resources.runs import Runs
from runframe.resources.sweeps import Sweeps

_WORD = re.compile(r"\w+")
_QUOTED = re.compile(r'"((?:[^"]|"")+)"')


def query(client: Client, entity: str, project: str, text: str) -> Frame:
    """The answer to a query on a project's tables; see `Api.sql`."""
    tables = _Tables(client, entity, project, text)
    connection = connect()
    import duckdb

    try:
        connection.execute("SET TimeZone = 'UTC'")
        found = {name: tables.table(name) for name in tables.names if name in _named(connection, text)}
        notes = [noted(table) for table in found.values()]
        for name, table in found.items():
            connection.register(name, table)
        try:
            answer = connection.sql(text)
            result = None if answer is None else answer.to_arrow_table()
        except duckdb.Error as error:
            raise _reason(error, notes) from error
    except duckdb.Error as error:
        raise UsageError(f"the query cannot be run: {error}") from error
    finally:
        connection.close()
    if result is None:
        raise UsageError("the query gives no rows: a SELECT was expected")
    said = [provenance for each in notes for provenance in each.provenance()]
    said += [table.provenance for table in found.values() if isinstance(table, Frame) and table.provenance]
    return Frame.from_arrow(result, Provenance(weakest(said), source=f"{entity}/{project}", query=text))


def _named(connection: Any, text: str) -> set[str]:
    """The tables that a query names; where DuckDB cannot tell, all words in it."""
    [[told]] = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [text]).fetchall()
    tree = json.loads(told)
    return {word.lower() for word in _WORD.findall(text)} if tree["error"] else set(_tables_in(tree))


def _tables_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE":
            yield node["table_name"].lower()
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _tables_in(each)


def _reason(error: Exception, notes: Iterable[Notes]) -> Exception:
    """What went wrong while a table was read, where that was it; DuckDB has only its text."""
    for each in notes:
        if isinstance(each.failure, Error):
            return each.failure
    return UsageError(f"the query cannot be run: {error}")


class _Tables:
    """The tables of a project, each made when a query names it."""

    def __init__(self, client: Client, entity: str, project: str, text: str) -> None:
        self._client, self._entity, self._project = client, entity, project
        self._quoted = [found.replace('""', '"') for found in _QUOTED.findall(text)]
        self._makers: Mapping[str, Callable[[], Any]] = {
            "runs": self._runs_wide,
            "configs": lambda: self._runs().scan("id|config.*"),
            "summaries": lambda: self._runs().scan("id|summary.*"),
            "history": self._history,
            "artifacts": lambda: Chain(VERSIONS, self._artifacts, self._place),
            "files": lambda: Chain(Files.SCHEMA, self._files, self._place),
            "sweeps": lambda: Sweeps(client, entity, project),
        }

    @property
    def names(self) -> list[str]:
        return list(self._makers)

    def table(self, name: str) -> Scannable | Frame:
        """The table of a name."""
        made: Scannable | Frame = self._makers[name]()
        return made

    @property
    def _place(self) -> str:
        return f"{self._entity}/{self._project}"

    def _runs(self) -> Runs:
        return Runs(self._client, self._entity, self._project)

    def _runs_wide(self) -> Scannable:
        """The runs, with what the query names of their documents."""
        documents = tuple(f"{name}." for name in ("config", "summary", "system_metrics"))
        named = [name for name in dict.fromkeys(self._quoted) if name.startswith(documents)]
        return self._runs().scan([*Runs.SCHEMA.names, *named] if named else None)

    def _artifacts(self) -> Iterator[Artifacts]:
        for kind in ArtifactTypes(self._client, self._entity, self._project):
            for collection in kind.collections():
                yield Artifacts(self._client, self._entity, self._project, collection.name, kind.name)

    def _files(self) -> Iterator[Files]:
        for run in self._runs():
            yield Files(self._client, run)

    def _history(self) -> Frame:
        runs = self._runs()

        def read() -> Iterator[Any]:
            for run in runs:
                yield from history_batches(run)

        def told() -> Provenance:
            live = any(run.state in ("running", "pending") for run in runs.objects)
            return Provenance("live" if live else "complete", source=self._place)

        return flatten(Frame(HISTORY.arrow, read, told))
