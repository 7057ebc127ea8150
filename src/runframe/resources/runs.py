"""The runs of a project: as objects, as columns, and their documents side by side."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, overload

from runframe import extjson
from runframe.errors import NotFoundError, UsageError
from runframe.frames.columns import json_columns
from runframe.frames.schema import BOOL, CATEGORY, INT, JSON, TEXT, TEXTS, TIME, Column, Schema
from runframe.resources.artifacts.notices import warn
from runframe.resources.client import Client
from runframe.resources.collection import KeptPage, SizedCollection
from runframe.resources.config import parse_document, split_config
from runframe.resources.errors import as_comm_error
from runframe.resources.history.pages import LIVE_STATES, last_step_of
from runframe.resources.history.sampled import history_misuse, sampled_rows
from runframe.resources.run import Run
from runframe.wire.pages import Connection
from runframe.wire.spread import Cut

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from runframe.export import ExportReport
    from runframe.frames.columns import Columns
    from runframe.frames.frame import Frame
    from runframe.frames.patterns import Pattern
    from runframe.progress import Report
    from runframe.resources.sweeps import Sweep

Format = Literal["frame", "polars", "pandas", "default"]

CREATED = ("created_at", "createdAt")
"""What an order by the time of creation may be called."""


def _text_or_null(text: str) -> str | None:
    """A JSON document's text; servers send "" for one that was never written."""
    return text or None


def _last_step(history_keys: Any) -> int | None:
    last = last_step_of(history_keys)
    return None if last < 0 else last


class Runs(SizedCollection[Run]):
    """The runs of a project that match a filter, in an order.

    Iterating gives runs with their light fields; the first run whose config or summary is touched fetches its own,
    the second one those of its whole page, and later pages come with them.

    Args:
        client: the connection.
        entity: the user or team.
        project: the project's name.
        filters: a MongoDB-style filter, sent as it is.
        order: a key with ``+`` (ascending) or ``-``.
        per_page: runs asked for at once when objects are read; None means 50.
        include_sweeps: accepted for code written against the official client; runs of sweeps are always listed, and
            `run.sweep` is asked for when it is first read, once for each sweep.
        lazy: False asks for config and summary from the first page on.

    Attributes:
        entity, project, filters, order: as given.

    Raises:
        TypeError: the filter has no JSON form.
    """

    SCHEMA = Schema(
        "runs",
        [
            Column("id", TEXT, "name", "The run's id, as in its address.", filter="name"),
            Column("name", TEXT, "displayName", "The name that people see.", filter="display_name"),
            Column(
                "state", CATEGORY, "state", "`running`, `finished`, `failed`, `crashed`, `killed`, …", filter="state"
            ),
            Column("entity", CATEGORY, "entity", "User or team that it belongs to."),
            Column("project", CATEGORY, "project", "Project that it belongs to."),
            Column("user", CATEGORY, "user.username", "Name of the user who started it.", filter="username"),
            Column("created_at", TIME, "createdAt", "When it was started.", filter="created_at"),
            Column("heartbeat_at", TIME, "heartbeatAt", "When the server last heard of it.", filter="heartbeat_at"),
            Column("group", CATEGORY, "group", "Group of runs that it belongs to.", filter="group"),
            Column(
                "job_type", CATEGORY, "jobType", "What it does within its group, as in `train` or `eval`.",
                filter="job_type",
            ),
            Column("tags", TEXTS, "tags", "Tags.", filter="tags"),
            Column("notes", TEXT, "notes", "Notes.", filter="notes"),
            Column("description", TEXT, "description", "Description."),
            Column("sweep", CATEGORY, "sweepName", "Id of the sweep that it belongs to.", filter="sweep"),
            Column("commit", TEXT, "commit", "Commit of the code.", filter="commit"),
            Column("read_only", BOOL, "readOnly", "Whether it may not be changed."),
            Column("history_line_count", INT, "historyLineCount", "Rows of its history."),
            Column("storage_id", TEXT, "id", "The server's own id of the run."),
            Column("last_history_step", INT, "historyKeys", "Last step of its history.", "heavy", _last_step),
            Column(
                "config", JSON, "config", "Its config, as the server stores it.", "heavy", _text_or_null, "config",
                "config",
            ),
            Column(
                "summary", JSON, "summaryMetrics", "Last value of each metric.", "heavy", _text_or_null, "summary",
                "summary_metrics",
            ),
            Column(
                "system_metrics", JSON, "systemMetrics", "Last sample of the machine's metrics.", "heavy",
                _text_or_null,
            ),
        ],
    )  # fmt: skip
    CONNECTION = Connection(("project", "runs"), total=("project", "runCount"))
    NODE_FIELDS = frozenset({"id", "name", "state"})
    FILTER_VARIABLE = "filters"
    KEYED: ClassVar = {"summary": ("Run", "summaryMetrics")}

    def __init__(
        self,
        client: Client,
        entity: str,
        project: str,
        filters: Mapping[str, Any] | None = None,
        order: str | None = "+created_at",
        per_page: int | None = None,
        include_sweeps: bool = True,
        *,
        lazy: bool = True,
    ) -> None:
        if not isinstance(filters, Mapping | None):
            raise TypeError(f"filters are a mapping such as {{'state': 'finished'}}, not {filters!r}")
        self.entity = entity
        self.project = project
        self.filters = dict(filters or {})
        self.order = order or "+created_at"
        variables = {
            "project": project,
            "entity": entity,
            "order": self.order,
            "filters": json.dumps(self.filters),
        }
        super().__init__(client, variables, per_page)
        self._full = not lazy
        self._touched = 0
        self._sweeps: dict[str, Sweep] = {}

    def _operation(self, full: bool) -> tuple[str, str]:
        return "runs", "FullRuns" if full else "Runs"

    def _checked(self, data: dict[str, Any]) -> dict[str, Any]:
        if data.get("project") is None:
            path = f"{self.entity}/{self.project}"
            raise NotFoundError(f"Could not find project {path}", path=path)
        return data

    def _object(self, node: dict[str, Any]) -> Run:
        return Run(
            self.client, self.entity, self.project, node["name"], node,
            loader=self._complete_page_of, sweeps=self._sweeps,
        )  # fmt: skip

    def _context(self) -> dict[str, Any]:
        return {"entity": self.entity, "project": self.project}

    def _path_of(self, node: Mapping[str, Any]) -> str:
        return f"{self.entity}/{self.project}/{node.get('name')}"

    def _source(self) -> str:
        return f"{self.entity}/{self.project}"

    def _query(self) -> str:
        return f"{extjson.dumps(self.filters)} {self.order}" if self.filters else self.order

    def _cut(self, variables: Mapping[str, Any]) -> Cut | None:
        order = variables.get("order")
        if not isinstance(order, str) or order.lstrip("+-") not in CREATED or "filters" not in variables:
            return None
        given = json.loads(variables["filters"] or "{}")

        def between(first: datetime | None, last: datetime | None) -> dict[str, str]:
            bounds = {"$gte": first, "$lte": last}
            told = {"created_at": {name: at.isoformat() for name, at in bounds.items() if at is not None}}
            return {"filters": json.dumps({"$and": [given, told]} if given else told)}

        return Cut("createdAt", between, descending=not order.startswith("+"))

    def _is_live(self, node: Mapping[str, Any]) -> bool:
        return node.get("state") in LIVE_STATES

    # Heavy fields.

    def _is_full(self, node: Mapping[str, Any]) -> bool:
        return "config" in node

    def _wants_full(self) -> bool:
        return self._full

    def _complete(self, item: Run, node: Mapping[str, Any]) -> None:
        item._take(node)

    def _complete_page_of(self, run: Run) -> None:
        """Fetches the heavy fields of a run's whole page, from the second run on that asks for them."""
        self._touched += 1
        if self._touched == 1:
            return
        self._full = True
        position = next((i for i, other in enumerate(self._objects) if other is run), None)
        if position is None:
            return
        kept = self._kept[bisect_right([page.first for page in self._kept], position) - 1]
        self._upgrade(kept)

    def upgrade_to_full(self) -> None:
        """Fetches config and summary of all runs read so far, page by page, and of later pages with them."""
        self._full = True
        for kept in list(self._kept):
            nodes = self._nodes[kept.first : kept.first + kept.size]
            if not all(map(self._is_full, nodes)):
                self._upgrade(kept)

    def _upgrade(self, kept: KeptPage) -> None:
        self._absorb(next(self._pages(kept.cursor, kept.size, full=True, ahead=False)).nodes)

    # Documents side by side.

    def frame(self, columns: Sequence[str] | None = None, *, on_conflict: Literal["json", "null"] = "json") -> Frame:
        """All runs as one wide frame: their attributes, and a typed column for each entry of config and summary.

        Args:
            columns: columns of `SCHEMA` or flattened ones (``config.optimizer.lr``); None for all.
            on_conflict: what becomes of a column whose values have no type in common: ``"json"`` text, or null.
        """
        from runframe.frames.flatten import flatten

        if columns is None:
            return flatten(self._table(None), on_conflict=on_conflict)
        if not any(column in json_columns(self.SCHEMA) for column in columns):
            return self.scan(list(columns), on_conflict=on_conflict).frame()
        sources = dict.fromkeys(name if name in self.SCHEMA else name.partition(".")[0] for name in columns)
        return flatten(self._table(list(sources)), columns, on_conflict=on_conflict)

    @overload
    def configs(self, format: Literal["frame"] = ...) -> Frame: ...

    @overload
    def configs(self, format: Literal["polars"]) -> pl.DataFrame: ...

    @overload
    def configs(self, format: Literal["pandas"]) -> pd.DataFrame: ...

    @overload
    def configs(self, format: Literal["default"]) -> list[dict[str, Any]]: ...

    @overload
    def configs(self, format: Format) -> Frame | pl.DataFrame | pd.DataFrame | list[dict[str, Any]]: ...

    def configs(self, format: Format = "frame") -> Frame | pl.DataFrame | pd.DataFrame | list[dict[str, Any]]:
        """The configs of all runs, a row a run, with the run's id in `id`.

        Args:
            format: ``"frame"``, ``"polars"`` or ``"pandas"`` for typed columns (``config.optimizer.lr``);
                ``"default"`` for a list of plain dicts as `run.config` gives them, each with `run_id` added.

        Raises:
            UsageError: another format is asked for.
        """
        return self._documents("config", format)

    @overload
    def summaries(self, format: Literal["frame"] = ...) -> Frame: ...

    @overload
    def summaries(self, format: Literal["polars"]) -> pl.DataFrame: ...

    @overload
    def summaries(self, format: Literal["pandas"]) -> pd.DataFrame: ...

    @overload
    def summaries(self, format: Literal["default"]) -> list[dict[str, Any]]: ...

    @overload
    def summaries(self, format: Format) -> Frame | pl.DataFrame | pd.DataFrame | list[dict[str, Any]]: ...

    def summaries(self, format: Format = "frame") -> Frame | pl.DataFrame | pd.DataFrame | list[dict[str, Any]]:
        """The summaries of all runs, a row a run, with the run's id in `id`; see `configs`."""
        return self._documents("summary", format)

    def _documents(self, column: str, format: str) -> Frame | pl.DataFrame | pd.DataFrame | list[dict[str, Any]]:
        if format not in ("frame", "polars", "pandas", "default"):
            raise UsageError(f"format must be 'frame', 'polars', 'pandas' or 'default', not {format!r}")
        if format == "default":
            return [self._plain(node, column) for nodes in self._stream(full=True) for node in nodes]
        from runframe.frames.flatten import flatten

        frame = flatten(self._table(["id", column]))
        if format == "polars":
            return frame.to_polars()
        return frame.to_pandas() if format == "pandas" else frame

    def _plain(self, node: Mapping[str, Any], column: str) -> dict[str, Any]:
        if column == "config":
            config, _ = split_config(parse_document(node.get("config"), "config"))
            return {"run_id": node["name"], **config}
        return {"run_id": node["name"], **parse_document(node.get("summaryMetrics"), "summary")}

    @overload
    def histories(
        self,
        samples: int = ...,
        keys: list[str] | None = ...,
        x_axis: str = ...,
        format: Literal["default"] = ...,
        stream: Literal["default", "system"] = ...,
    ) -> list[dict[str, Any]]: ...

    @overload
    def histories(
        self,
        samples: int = ...,
        keys: list[str] | None = ...,
        x_axis: str = ...,
        *,
        format: Literal["pandas"],
        stream: Literal["default", "system"] = ...,
    ) -> pd.DataFrame: ...

    @overload
    def histories(
        self,
        samples: int = ...,
        keys: list[str] | None = ...,
        x_axis: str = ...,
        *,
        format: Literal["polars"],
        stream: Literal["default", "system"] = ...,
    ) -> pl.DataFrame: ...

    @overload
    def histories(
        self,
        samples: int = ...,
        keys: list[str] | None = ...,
        x_axis: str = ...,
        format: Literal["default", "pandas", "polars"] = ...,
        stream: Literal["default", "system"] = ...,
    ) -> list[dict[str, Any]] | pd.DataFrame | pl.DataFrame: ...

    @as_comm_error
    def histories(
        self,
        samples: int = 500,
        keys: list[str] | None = None,
        x_axis: str = "_step",
        format: Literal["default", "pandas", "polars"] = "default",
        stream: Literal["default", "system"] = "default",
    ) -> list[dict[str, Any]] | pd.DataFrame | pl.DataFrame:
        """The sampled histories of all runs, one after the other, with `run_id` in each row; see `Run.history`.

        Args:
            samples: rows a run.
            keys: only rows that have all of these keys.
            x_axis: the key of the x axis, for `keys`.
            format: ``"default"`` for a list of dicts, ``"pandas"`` or ``"polars"`` for a frame.
            stream: ``"default"`` for what was logged, ``"system"`` for the machine's metrics.

        Raises:
            ArgumentError: (a CommError and a ValueError) another format is asked for.
            CommError: the server could not be asked.
        """
        if format not in ("default", "pandas", "polars"):
            raise ValueError(f"format must be 'default', 'pandas' or 'polars', not {format!r}")
        problem = history_misuse(keys, stream)
        if problem:
            # As `Run.history`: the official client says so and goes on with nothing.
            warn(f"histories: {problem}; no rows are given")
        runs: Iterable[Run] = [] if problem else self
        sampled = ((run, sampled_rows(run.live_history, samples, keys, x_axis, stream)) for run in runs)
        tables = [[{**row, "run_id": run.id} for row in rows] for run, rows in sampled if rows]
        if format == "default":
            return [row for rows in tables for row in rows]
        if format == "pandas":
            import pandas as pd

            if not tables:
                return pd.DataFrame()
            whole = pd.concat([pd.DataFrame.from_records(rows) for rows in tables], ignore_index=True)
            return whole[sorted(whole.columns)]
        import polars as pl

        if not tables:
            return pl.DataFrame()
        frames = [pl.DataFrame(rows, infer_schema_length=None) for rows in tables]
        return pl.concat([frame.select(sorted(frame.columns)) for frame in frames], how="diagonal_relaxed")

    def histories_frame(
        self,
        keys: Sequence[str] | Pattern | None = None,
        how: Literal["any", "all"] = "any",
        min_step: int | None = None,
        max_step: int | None = None,
        tail: int | None = None,
        shape: Literal["wide", "long"] = "wide",
        *,
        x: str | None = None,
    ) -> Frame:
        """The complete histories of all runs as one frame: runs as listed, in each the steps ascending.

        The arguments and the columns are those of `Run.history_frame`; `tail` counts rows a run. A metric has one
        type over all runs. The runs are listed anew, a thousand a request, and several are read at once. A run that
        is deleted meanwhile is warned of, and its rows are missing from the frame's count.

        Raises:
            UsageError: an argument is malformed.
            NotFoundError: there is no such project.
            CommError: the server could not be asked.
        """
        from runframe.resources.history.frames import runs_frame

        return runs_frame(self, keys, how, min_step=min_step, max_step=max_step, tail=tail, shape=shape, x=x)

    def tables(self, key: str, *, missing: Literal["warn", "error", "ignore"] = "warn") -> Frame:
        """The tables that the runs logged under one key, as one frame: `run_id`, and the union of their columns.

        Each table is the one in its run's summary; see `Run.table`. A column has one type over all runs.

        Args:
            key: what they were logged as.
            missing: what is done about runs that have no such table: "warn", "error" or "ignore".

        Raises:
            UsageError: an argument is malformed.
            NotFoundError: there is no such project; or a run has no such table, where that is an error.
            FrameError: what a run logged under the key is no table, or malformed.
            CommError: a table could not be fetched.
        """
        from runframe.resources.tables import runs_tables

        return runs_tables(self, key, missing)

    def to_parquet(
        self,
        path: str | Path,
        columns: Columns = None,
        *,
        where: Any = None,
        limit: int | None = None,
        tables: Iterable[str] | str | None = None,
        layout: str = "wide",
        files: Iterable[str] | str = (),
        memory: int | str | None = None,
        progress: bool | Report | None = None,
    ) -> Path | ExportReport:
        """Writes these runs to one Parquet file, or with their complete histories to a dataset.

        A path that ends in ``.parquet`` is a file, of the columns and rows asked for; see `scan`. Any other path is a
        folder: it becomes a dataset, or the one that is there is brought up to date, as `Api.export` does it, for the
        runs that match the filter. The dataset has them in the order of their creation.

        Args:
            path: the file, or the dataset's folder: new, empty, or an earlier export of the same runs. A dataset may
                be in an object store as well, as in ``s3://bucket/folder``.
            columns: of a file: as in `scan`.
            where: of a file: as in `scan`.
            limit: of a file: as in `scan`.
            tables: of a dataset: the tables to write, see `Api.export`; None for ``runs`` and ``history``, "all" for
                all.
            layout: of a dataset: "wide" for a history with a column a metric, "long" for one with a row a value.
            files: of a dataset: names of files whose content is fetched too, with ``*`` for any text.
            memory: of a dataset: how much memory it may use for what it holds, as in ``512MB``.
            progress: of a dataset: False shows nothing, True a bar; a function gets every change.

        Returns:
            The file's path; of a dataset what was written and noticed.

        Raises:
            UsageError: the folder holds something else, or an argument is malformed or belongs to the other form.
            NotFoundError: there is no such project.
            CommError: the server refused, or could not be reached.
        """
        of_a_file = Path(path).suffix == ".parquet"
        if of_a_file and "://" in str(path):
            raise UsageError(f"a single file goes to a folder of this machine; without .parquet {path} is a dataset")
        if not of_a_file and (columns is not None or where is not None or limit is not None):
            raise UsageError(f"columns, where and limit are for a file: {path} is a folder (no .parquet at its end)")
        if of_a_file:
            if tables is not None or layout != "wide" or files or memory is not None:
                raise UsageError(f"tables, layout, files and memory are for a dataset: {path} is a single file")
            return self.scan(columns, where, limit).frame().to_parquet(path)
        from runframe.export import export_runs

        source = (self.client, self.entity, self.project, self.filters)
        asked: dict[str, Any] = {"tables": tables, "layout": layout, "files": files, "memory": memory}
        return export_runs(*source, to=path, **asked, progress=progress)

    def __repr__(self) -> str:
        return f"<Runs {self.entity}/{self.project}>"
