"""Tables that runs logged, by their keys: from the artifact, else from the file; of one run and of many."""

from __future__ import annotations

import datetime as dt
import json
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runframe import Api, Artifact, Frame, FrameError, NotFoundError, Table, UsageError, extjson
from runframe.resources.artifacts.digests import to_hex
from runframe.resources.artifacts.tables.arrow import Conflicts, array_of
from runframe.resources.artifacts.tables.joining import JoinedTables

if TYPE_CHECKING:
    from conftest import Recorder

MOMENT = dt.datetime(2024, 1, 2, 3, 4, tzinfo=dt.UTC)
FILE = "media/table/tab_0_ab.table.json"


def rows_of(frame: Frame) -> list[dict[str, Any]]:
    return list(frame.to_arrow().to_pylist())


def value(**more: Any) -> dict[str, Any]:
    return {"_type": "table-file", "path": FILE, "nrows": 2, "ncols": 2, **more}


def content(columns: list[Any], data: list[Any]) -> bytes:
    return extjson.dumps({"columns": columns, "data": data}).encode()


def in_artifact(api: Api, table: Table) -> str:
    """Where a table is that was put into an artifact."""
    artifact = Artifact("tables", "dataset")
    artifact.add(table, "tab")
    artifact.save("p", api=api)
    return f"wandb-artifact://{to_hex(artifact.id or '')}/tab.table.json"


def test_a_table_comes_from_its_file(written: tuple[Recorder, Api]) -> None:
    record, api = written
    data = [[1, "a"], [2.5, None]]
    record.run("p/r", summary={"tab": value(), "deep": {"tab": value()}}, files={FILE: content(["n", "s"], data)})
    for key in ("tab", "deep.tab"):
        frame = api.run("p/r").table(key)
        assert rows_of(frame) == [{"n": 1.0, "s": "a"}, {"n": 2.5, "s": None}]
        assert frame.schema.field("n").type == pa.float64()
        assert frame.require_complete().provenance.source == f"local/p/r/{FILE}"  # type: ignore[union-attr]


def test_a_table_comes_from_its_artifact_where_there_is_one(written: tuple[Recorder, Api]) -> None:
    record, api = written
    picture = {"_type": "image-file", "path": "media/a.png", "sha256": "0"}
    uri = in_artifact(api, Table(["when", "image"], [[MOMENT, picture], [None, None]]))
    summary = {"tab": value(artifact_path=uri), "old": value(artifact_path="wandb-artifact://51/tab.table.json")}
    record.run("p/r", summary=summary, files={FILE: content(["when"], [["2024-01-02"], [None]])})
    frame = api.run("p/r").table("tab")
    assert rows_of(frame) == [{"when": MOMENT, "image": picture}, {"when": None, "image": None}]
    assert frame.schema.field("when").type == pa.timestamp("us", "UTC")
    assert pa.types.is_struct(frame.schema.field("image").type)
    assert frame.provenance is not None
    assert frame.provenance.source == "local/p/tables:v0/tab.table.json"
    assert rows_of(api.run("p/r").table("old"))[0] == {"when": "2024-01-02"}  # that artifact is no more


def test_a_file_of_fewer_rows_than_were_logged_says_so(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/r", summary={"tab": value(nrows=20_000)}, files={FILE: content(["n"], [[1]])})
    with pytest.raises(FrameError, match="1 rows, and the server counted 20000"):
        api.run("p/r").table("tab").require_complete()


def test_a_table_of_an_earlier_step(written: tuple[Recorder, Api]) -> None:
    record, api = written
    files = {f"t{number}.json": content(["n"], [[number]]) for number in range(3)}
    rows: list[Any] = [{"tab": value(path="t0.json", nrows=1)}, {"x": 1}, {"tab": value(path="t1.json", nrows=1)}]
    record.run("p/r", rows=rows, summary={"tab": value(path="t2.json", nrows=1)}, files=files)
    run = api.run("p/r")
    assert [rows_of(run.table("tab", step=step))[0]["n"] for step in (0, 1, 2, 99)] == [0, 0, 1, 1]
    assert rows_of(run.table("tab"))[0]["n"] == 2
    with pytest.raises(NotFoundError, match="no table 'tab' up to step -1"):
        run.table("tab", step=-1)


def test_a_table_that_is_not_in_the_summary_is_found_in_the_history(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/r", rows=[{"tab": value(nrows=1)}, {"x": 1}], summary={"x": 1}, files={FILE: content(["n"], [[7]])})
    assert rows_of(api.run("p/r").table("tab")) == [{"n": 7}]


def test_what_is_no_table_is_refused(written: tuple[Recorder, Api]) -> None:
    record, api = written
    summary = {"table": value(), "x": 1.5, "picture": {"_type": "image-file"}, "gone": value(path="gone.json"),
               "nowhere": {"_type": "table-file"}, "bad": value(path="bad.json"), "torn": value(path="torn.json"),
               "ragged": value(path="ragged.json"), "twice": value(path="twice.json")}  # fmt: skip
    files = {"bad.json": b"[]", "torn.json": b"{", "ragged.json": content(["a"], [[1], [1, 2]]),
             "twice.json": content(["a", "a"], [[1, 2]])}  # fmt: skip
    record.run("p/r", summary=summary, files=files)
    run = api.run("p/r")
    for key, said in {
        "x": "'x' of local/p/r is no table but float",
        "picture": "no table but image-file",
        "bad": "bad.json has no lists",
        "torn": "torn.json is not JSON",
        "ragged": "row 1 of local/p/r/ragged.json",
        "twice": "several columns 'a'",
    }.items():
        with pytest.raises(FrameError, match=said):
            run.table(key)
    for key, said in {
        "tabel": "no table 'tabel': its tables are 'table'",
        "gone": "has neither an artifact nor a file",
        "nowhere": "has neither an artifact nor a file",
    }.items():
        with pytest.raises(NotFoundError, match=said):
            run.table(key)
    for wrong in ("", None, 3):
        with pytest.raises(UsageError, match="key must be"):
            run.table(wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="step must be"):
        run.table("table", step="1")  # type: ignore[arg-type]


# Of many runs.


def test_tables_of_all_runs_are_one_frame(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/a", summary={"tab": value(nrows=1)}, files={FILE: content(["n", "run_id"], [[1, "x"]])})
    record.run("p/b", summary={"other": 1})
    record.run("p/c", summary={"tab": value()}, files={FILE: content(["n", "late"], [[0.5, [1]], [math.nan, None]])})
    runs = api.runs("p")
    with pytest.warns(UserWarning, match="local/p: one run has no table 'tab': b") as seen:
        frame = runs.tables("tab")
    assert seen[0].filename == __file__
    assert frame.columns == ["run_id", "n", r"\run_id", "late"]
    found = rows_of(frame)
    assert math.isnan(found[2].pop("n"))
    found[2]["n"] = None
    assert [tuple(row[name] for name in frame.columns) for row in found] == [
        ("a", 1.0, "x", None), ("c", 0.5, None, [1]), ("c", None, None, None),
    ]  # fmt: skip
    assert frame.schema.field("run_id").type == pa.dictionary(pa.int32(), pa.string())
    assert frame.require_complete().provenance.server_rows == 3  # type: ignore[union-attr]
    assert runs.tables("tab", missing="ignore").num_rows == 3
    with pytest.raises(NotFoundError, match="one run has no table"):
        runs.tables("tab", missing="error")
    with pytest.raises(UsageError, match="'drop'"):
        runs.tables("tab", missing="drop")  # type: ignore[arg-type]


def test_tables_of_no_run_are_an_empty_frame(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/a", summary={})
    with pytest.warns(UserWarning, match="no table 'tab': a"):
        frame = api.runs("p").tables("tab")
    assert (frame.columns, frame.num_rows) == (["run_id"], 0)


def test_types_that_disagree_are_reported_with_their_runs(written: tuple[Recorder, Api]) -> None:
    record, api = written
    record.run("p/a", summary={"tab": value(nrows=1)}, files={FILE: content(["n"], [[1]])})
    record.run("p/b", summary={"tab": value()}, files={FILE: content(["n"], [["one"], [2]])})
    frame = api.runs("p").tables("tab")
    assert [json.loads(row["n"]) for row in rows_of(frame)] == [1, "one", 2]
    (conflict,) = frame.conflicts.to_pylist()
    assert conflict == {
        "column": "n", "path": '["n"]', "becomes": "json", "types": ["int64", "string"], "counts": [2, 1],
        "first_rows": [0, 1], "first": ["a", "b"],
    }  # fmt: skip
    assert frame.provenance is not None
    assert frame.provenance.conflicts == 1


CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**65), 2**65), st.integers(-9, 9), st.floats(), st.text("ab", max_size=2),
    st.sampled_from(["NaN", "Infinity"]), st.lists(st.integers(0, 3) | st.floats(), max_size=2),
    st.just({"_type": "image-file", "path": "p"}), st.just({"_type": "image-file", "width": 4}),
    st.just({"a": 1}), st.just(MOMENT),
)  # fmt: skip
FAMILY = st.sampled_from(
    [CELLS, st.integers(-3, 3) | st.floats(), st.none() | st.booleans(), st.just(MOMENT) | st.none()]
)


@example(tables=[[{"_type": "image-file", "path": "p"}], [0, "NaN"]])
@example(tables=[["text"], [[0, "NaN"]]])
@settings(deadline=None)
@given(tables=FAMILY.flatmap(lambda cells: st.lists(st.lists(cells, max_size=4), min_size=1, max_size=4)))
def test_a_split_into_runs_changes_no_type(tables: list[list[Any]]) -> None:
    joined = JoinedTables()
    for number, cells in enumerate(tables):
        joined.add(f"r{number}", ["c"], [[cell] for cell in cells])
    whole = array_of("c", [cell for cells in tables for cell in cells], Conflicts())
    parts = pa.Table.from_batches(list(joined.batches()), joined.schema).column("c")
    assert parts.type == whole.type
    for ours, theirs in zip(parts.to_pylist(), whole.to_pylist(), strict=True):
        assert same(ours, theirs, isinstance(whole.type, pa.JsonType)), (ours, theirs)


def same(left: Any, right: Any, is_json: bool) -> bool:
    """Whether two cells are alike; in JSON a whole number of a column of doubles may have a fraction."""
    if is_json and left is not None and right is not None:
        left, right = extjson.loads(left), extjson.loads(right)
    return repr(_plain(left)) == repr(_plain(right))


def _plain(cell: Any) -> Any:
    if isinstance(cell, list):
        return [_plain(item) for item in cell]
    if isinstance(cell, dict):
        return {key: _plain(item) for key, item in sorted(cell.items()) if item is not None}
    return float(cell) if isinstance(cell, int) and abs(cell) < 2**53 else cell
