from __future__ import annotations

import gc
import json
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from runframe.errors import FrameError, UsageError
from runframe.frames import Frame, Provenance, flatten

from .reference import JSON, source_of

HISTORY = pa.schema(
    [
        pa.field("run_id", pa.dictionary(pa.int32(), pa.string())),
        pa.field("step", pa.int64()),
        pa.field("row", JSON, metadata={b"runframe.document": b"row"}),
    ]
)


def history(run: str, rows: list[str]) -> Any:
    """A batch of one run's history, as it comes from the server."""
    steps = [json.loads(row).get("_step") for row in rows]
    arrays = [
        pa.array([run] * len(rows)).dictionary_encode(),
        pa.array(steps, pa.int64()),
        pa.ExtensionArray.from_storage(JSON, pa.array(rows)),
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=HISTORY)


def types_of(frame: Frame) -> dict[str, Any]:
    return {field.name: field.type for field in frame.schema}


def test_configs_of_real_shapes() -> None:
    documents = [
        {
            "lr": {"value": 0.1, "desc": None},
            "optimizer": {"value": {"name": "adam", "betas": [0.9, 0.999]}},
            "optimizer.lr": {"value": 5},
            "layers": {"value": {}},
            "note": {"value": None},
            "_wandb": {"value": {"t": {"1": [1]}}},
        },
        {"lr": {"value": 1}, "optimizer": {"value": "sgd"}},
    ]
    frame = flatten(source_of(documents, kind="config", name="config"))
    assert frame.schema == pa.schema(
        [
            pa.field("id", pa.string()),
            pa.field("config.layers", JSON),
            pa.field("config.lr", pa.float64()),
            pa.field("config.note", pa.null()),
            pa.field("config.optimizer", pa.string()),
            pa.field("config.optimizer.betas", pa.list_(pa.float64())),
            pa.field("config.optimizer.name", pa.string()),
            pa.field(r"config.optimizer\.lr", pa.int64()),
        ]
    )
    assert frame.schema.field(r"config.optimizer\.lr").metadata == {b"runframe.path": b'["config", "optimizer.lr"]'}
    assert frame.to_arrow().to_pylist()[1] == {
        "id": "r1",
        "config.layers": None,
        "config.lr": 1.0,
        "config.note": None,
        "config.optimizer": "sgd",
        "config.optimizer.betas": None,
        "config.optimizer.name": None,
        r"config.optimizer\.lr": None,
    }
    assert frame.conflicts.num_rows == 0


def test_conflicts_are_reported_with_counts_and_first_runs() -> None:
    documents = [{"a": 1, "b": 2**64}, {"a": 2}, {"a": "x", "b": 1}, {"a": [1]}]
    frame = flatten(source_of(documents))
    assert frame.conflicts.to_pylist() == [
        {
            "column": "doc.a",
            "path": '["doc", "a"]',
            "becomes": "json",
            "types": ["int64", "string", "list<int64>"],
            "counts": [2, 1, 1],
            "first_rows": [0, 2, 3],
            "first": ["r0", "r2", "r3"],
        },
        {
            "column": "doc.b",
            "path": '["doc", "b"]',
            "becomes": "json",
            "types": ["int64", "int beyond 64 bits"],
            "counts": [1, 1],
            "first_rows": [2, 0],
            "first": ["r2", "r0"],
        },
    ]
    assert frame.to_arrow().column("doc.a").to_pylist() == ["1", "2", '"x"', "[1]"]
    assert frame.to_arrow().column("doc.b").to_pylist() == [str(2**64), None, "1", None]


def test_runs_are_named_by_path_where_the_source_has_it() -> None:
    table = source_of([{"a": 1}, {"a": "x"}]).append_column("entity", pa.array(["e", "e"]))
    frame = flatten(table.append_column("project", pa.array(["p", "p"])))
    assert frame.conflicts.column("first").to_pylist() == [["e/p/r0", "e/p/r1"]]


def test_a_field_of_a_struct_may_disagree_alone() -> None:
    documents = [{"i": {"_type": "image-file", "size": 1}}, {"i": {"_type": "image-file", "size": "big"}}]
    frame = flatten(source_of(documents))
    assert types_of(frame)["doc.i"] == pa.struct([pa.field("_type", pa.string()), pa.field("size", JSON)])
    assert frame.conflicts.select(["column", "types", "first"]).to_pylist() == [
        {"column": "doc.i.size", "types": ["int64", "string"], "first": ["r0", "r1"]}
    ]
    assert frame.to_arrow().column("doc.i").to_pylist()[1] == {"_type": "image-file", "size": '"big"'}


def test_packed_bins_are_spelled_out_and_kept() -> None:
    packed = {"_type": "histogram", "values": [1, 2], "packedBins": {"min": -1, "size": 0.5, "count": 2}}
    plain = {"_type": "histogram", "values": [3], "bins": [0, 1]}
    rows = flatten(source_of([{"h": packed}, {"h": plain}, {}])).to_arrow().column("doc.h").to_pylist()
    assert rows == [
        {
            "_type": "histogram",
            "bins": [-1.0, -0.5, 0.0],
            "packedBins": {"count": 2, "min": -1.0, "size": 0.5},
            "values": [1, 2],
        },
        {"_type": "histogram", "bins": [0.0, 1.0], "packedBins": None, "values": [3]},
        None,
    ]


def test_histories_become_wide() -> None:
    batches = [
        history("a", ['{"loss":1,"_step":0,"_timestamp":1.7e9,"_runtime":1}', '{"_step":5,"step":7,"loss":NaN}']),
        history("b", ['{"_runtime":2.5,"_step":0,"acc":true,"run_id":"odd"}']),
    ]
    frame = flatten(pa.Table.from_batches(batches))
    assert frame.schema == pa.schema(
        [
            pa.field("run_id", pa.dictionary(pa.int32(), pa.string())),
            pa.field("_step", pa.int64()),
            pa.field("_runtime", pa.float64()),
            pa.field("_timestamp", pa.float64()),
            pa.field("acc", pa.bool_()),
            pa.field("loss", pa.float64()),
            pa.field(r"\run_id", pa.string()),
            pa.field("step", pa.int64()),
        ]
    )
    assert frame.schema.field("_step").metadata == {b"runframe.path": b'["_step"]'}
    assert frame.schema.field(r"\run_id").metadata == {b"runframe.path": b'["run_id"]'}
    rows = frame.to_arrow().to_pylist()
    assert [row["run_id"] for row in rows] == ["a", "a", "b"]
    assert [row["_step"] for row in rows] == [0, 5, 0]
    assert str([row["loss"] for row in rows]) == "[1.0, nan, None]"
    assert [row["step"] for row in rows] == [None, 7, None]


def test_conflicts_in_histories_name_the_run() -> None:
    batches = [history("a", ['{"x":1,"_step":0}']), history("b", ['{"x":"one","_step":0}'])]
    assert flatten(pa.Table.from_batches(batches)).conflicts.column("first").to_pylist() == [["a", "b"]]


def test_many_batches_stay_in_order_with_their_runs() -> None:
    batches = [history(f"run{run}", [f'{{"_step":{step},"v":{run}.5}}' for step in range(7)]) for run in range(50)]
    table = flatten(pa.Table.from_batches(batches)).to_arrow()
    assert table.column("run_id").to_pylist() == [f"run{row // 7}" for row in range(350)]
    assert table.column("v").to_pylist() == [row // 7 + 0.5 for row in range(350)]


def test_a_document_may_be_no_object() -> None:
    frame = flatten(source_of([5, [1], "x", None, {}]))
    assert types_of(frame) == {"id": pa.string(), "doc": JSON}
    assert frame.to_arrow().column("doc").to_pylist() == ["5", "[1]", '"x"', None, None]


def test_no_rows_give_the_columns_that_pass_through() -> None:
    frame = flatten(source_of([]))
    assert frame.to_arrow().schema == pa.schema([pa.field("id", pa.string())])
    assert len(frame) == 0


@pytest.mark.parametrize("made", ["table", "batch", "reader", "polars", "pandas", "large", "sliced"])
def test_text_that_is_json_is_flattened_unasked(made: str) -> None:
    texts = [None, '{"a":1,"b":{"c":[1]}}', ' {"a":2.5}']
    table = pa.table({"id": ["x", "y", "z"], "j": texts, "note": ["{curly}", None, '{"a":1}']})
    sources: dict[str, Any] = {
        "table": table,
        "batch": table.to_batches()[0],
        "reader": pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=1)),
        "polars": pl.DataFrame(table),
        "pandas": table.to_pandas(),
        "large": table.cast(pa.schema([("id", pa.large_string()), ("j", pa.large_string()), ("note", pa.string())])),
        "sliced": pa.concat_tables([table.slice(0, 0), table.slice(0, 1), table.slice(1)]),
    }
    frame = flatten(sources[made])
    assert frame.columns == ["id", "j.a", "j.b.c", "note"]
    assert frame.to_arrow()["j.a"].to_pylist() == [None, 1.0, 2.5]
    assert frame.to_arrow()["note"].to_pylist() == ["{curly}", None, '{"a":1}']


def test_text_is_left_alone_where_the_source_says_what_is_json() -> None:
    text = pa.array(['{"a":1}'])
    table = pa.table({"note": text, "config": pa.array(['{"b":2}'], pa.json_())})
    assert flatten(table).columns == ["note", "config.b"]
    assert flatten(pa.table({"note": text}), documents=[]).columns == ["note"]
    assert flatten(Frame.from_arrow(pa.table({"note": text}))).columns == ["note"]
    assert flatten(pa.table({"list": ["[1]"], "bad": ["{"]})).columns == ["list", "bad"]


def test_a_column_asked_for_makes_its_text_a_document() -> None:
    empty = pa.table({"id": ["x"], "j": pa.array([None], pa.string())})
    assert flatten(empty, schema={"j.a": pa.int64()}).to_arrow().to_pylist() == [{"id": "x", "j.a": None}]
    table = pa.table({"id": ["x", "y"], "j": ['{"a":1}', '{"a":"t"}']})
    assert flatten(table, ["id", "j.a"], pa.schema([("id", pa.string()), ("j.a", pa.int64())]), "null").to_arrow()[
        "j.a"
    ].to_pylist() == [1, None]
    with pytest.raises(FrameError, match="not JSON"):
        flatten(pa.table({"j": ['{"a":1}', "plain"]}))


def test_text_columns_can_be_named_as_documents() -> None:
    frame = flatten(pl.DataFrame({"n": [1, 2], "j": ['{"a":1}', '{"a":2.5}']}), documents=["j"])
    assert types_of(frame) == {"n": pa.int64(), "j.a": pa.float64()}
    assert frame.to_polars()["j.a"].to_list() == [1.0, 2.5]


def test_a_document_that_is_no_text_is_refused() -> None:
    with pytest.raises(UsageError, match="'n' is int64, expected JSON text"):
        flatten(pa.table({"n": [1]}), documents=["n"])
    with pytest.raises(UsageError, match="no column 'm'"):
        flatten(pa.table({"n": [1]}), documents=["m"])


def test_flattening_again_changes_nothing() -> None:
    frame = flatten(source_of([{"a": 1}, {"a": "x"}]))
    again = flatten(frame)
    assert again.schema.equals(frame.schema, check_metadata=True)
    assert again.to_arrow() == frame.to_arrow()


def test_a_text_that_is_not_json_names_the_run() -> None:
    table = pa.table({"id": ["r0", "r1"], "j": ['{"a":1}', '{"a":']})
    with pytest.raises(FrameError, match=r"'j' of r1 \(row 1\) is not JSON") as raised:
        flatten(table, documents=["j"])
    assert raised.value.path == "r1"
    frame = flatten(table, documents=["j"], on_conflict="null")
    assert frame.to_arrow().column("j.a").to_pylist() == [1, None]
    assert frame.conflicts.select(["column", "types", "counts", "first"]).to_pylist() == [
        {"column": "j", "types": ["not JSON"], "counts": [1], "first": ["r1"]}
    ]


def test_raw_control_characters_are_read() -> None:
    table = pa.table({"j": ['{"a":"x\ty"}']})
    assert flatten(table, documents=["j"]).to_arrow().column("j.a").to_pylist() == ["x\ty"]


@pytest.mark.parametrize("depth", [30, 500])
def test_deep_nesting_is_kept(depth: int) -> None:
    document: Any = {"a": 1}
    for _ in range(depth):
        document = {"a": document}
    lists: Any = 1
    for _ in range(depth):
        lists = [lists]
    frame = flatten(source_of([{"deep": document, "lists": lists, "b": 1}]))
    assert len(frame.columns) == 4
    [row] = frame.to_arrow().to_pylist()
    found = next(row[name] for name in frame.columns if name.startswith("doc.deep"))
    levels = next(name for name in frame.columns if name.startswith("doc.deep")).count(".a")
    if levels == depth + 1:
        assert found == 1
    else:
        inner = json.loads(found)
        for _ in range(depth + 1 - levels):
            inner = inner["a"]
        assert inner == 1


@pytest.mark.parametrize(("opened", "closed"), [('{"a":1,"b":', "}"), ("[2,", "]"), ('[{"_type":"x","a":', "}]")])
def test_a_thousand_levels_are_kept_on_every_exit(opened: str, closed: str, tmp_path: Path) -> None:
    levels = 500 if opened.startswith("[{") else 1000
    text = opened * levels + '"deepest"' + closed * levels
    table = pa.table({"j": [f'{{"deep":{text},"n":1}}', '{"n":2}']})
    frame = flatten(table, documents=["j"], memory_budget=0)
    found = frame.to_arrow()
    assert found.column("j.n").to_pylist() == [1, 2]
    assert pa.table(frame) == found == pa.Table.from_batches(pa.ipc.open_stream(_sent(found)))
    pq.read_table(frame.to_parquet(tmp_path / "deep.parquet"))
    assert frame.to_polars().height == len(frame.to_pandas()) == 2
    name = next(column for column in frame.columns if column == "j.deep" or column.endswith(".b"))
    value = found.column(name)[0].as_py()
    seen = name.count(".b")
    while not isinstance(value, str):
        seen += isinstance(value, list)
        value = value[-1] if isinstance(value, list) else value["a"]
    assert '"deepest"' in value
    assert seen + value.count(opened[0]) == levels


def _sent(table: Any) -> Any:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_nesting_that_nothing_can_read_is_an_error() -> None:
    table = pa.table({"j": ['{"a":' * 100_000 + "1" + "}" * 100_000]})
    with pytest.raises(FrameError, match="nested too deeply"):
        flatten(table, documents=["j"])


# columns=


def test_columns_come_in_the_order_asked_for() -> None:
    source = source_of([{"a": 1, "b": {"c": 2, "d": {"e": 3}}, "f": 4}])
    frame = flatten(source, ["doc.b", "id", "doc.a"])
    assert frame.columns == ["doc.b.c", "doc.b.d.e", "id", "doc.a"]
    assert frame.to_arrow().to_pylist() == [{"doc.b.c": 2, "doc.b.d.e": 3, "id": "r0", "doc.a": 1}]


def test_a_document_stands_for_all_its_leaves() -> None:
    assert flatten(source_of([{"a": 1, "b": 2}]), ["doc"]).columns == ["doc.a", "doc.b"]
    batches = [history("a", ['{"x":1,"_step":0}'])]
    assert flatten(pa.Table.from_batches(batches), ["row", "run_id"]).columns == ["x", "run_id"]


def test_leaves_of_histories_are_asked_for_by_their_names() -> None:
    table = pa.Table.from_batches([history("a", ['{"x":1,"_step":0,"y":{"z":2}}'])])
    assert flatten(table, ["y.z", "_step"]).to_arrow().to_pylist() == [{"y.z": 2, "_step": 0}]


def test_a_leaf_comes_with_the_closer_of_two_names() -> None:
    source = source_of([{"a": {"b": 1, "c": 2}, "d": 3}])
    assert flatten(source, ["doc", "doc.a.b", "doc.a"]).columns == ["doc.d", "doc.a.b", "doc.a.c"]


def test_a_leaf_with_the_name_of_another_column_has_one_name_everywhere() -> None:
    table = pa.Table.from_batches([history("a", ['{"run_id":"x","_step":0}'])])
    assert flatten(table, [r"\run_id"]).to_arrow().to_pylist() == [{r"\run_id": "x"}]
    assert flatten(table, ["run_id", r"\run_id"]).to_arrow().to_pylist() == [{"run_id": "a", r"\run_id": "x"}]


def test_no_columns_are_no_columns() -> None:
    assert flatten(source_of([{"a": 1}]), []).columns == []


def test_only_what_is_asked_for_is_read() -> None:
    rows = [{"a": 1, "b": 2}, {"a": 1, "x": 2}, {"b": 1, "a": "t"}] * 20
    frame = flatten(source_of(rows), ["doc.b"])
    assert frame.to_arrow().column("doc.b").to_pylist() == [2, None, 1] * 20
    assert frame.conflicts.num_rows == 0


def test_a_leaf_that_no_row_has_is_null_with_a_warning_that_points_here() -> None:
    with pytest.warns(UserWarning, match=r"no row has 'doc\.zz'") as warned:
        frame = flatten(source_of([{"a": 1}]), ["doc.zz", "id"])
    assert warned[0].filename == __file__
    assert frame.to_arrow().schema == pa.schema([pa.field("doc.zz", pa.null()), pa.field("id", pa.string())])


def test_a_column_that_cannot_be_is_refused_with_near_matches() -> None:
    with pytest.raises(UsageError, match="no column 'idd': did you mean 'id'"):
        flatten(source_of([{"a": 1}]), ["idd"])
    with pytest.raises(UsageError, match="asked for twice"):
        flatten(source_of([{"a": 1}]), ["doc.a", "doc.a"])
    with pytest.raises(UsageError, match="no column 'idd'"):
        flatten(source_of([{"a": 1}]), schema={"idd": pa.int64()})
    with pytest.raises(UsageError, match=r"no column 'doc\.b': did you mean 'doc\.a'"):
        flatten(source_of([{"a": 1}]), ["doc.b"], schema=pa.schema([pa.field("doc.a", pa.int64())]))
    with pytest.raises(UsageError, match="lists of names"):
        flatten(source_of([{"a": 1}]), "doc")


# nulls=


def test_nulls_can_be_told_from_what_is_missing() -> None:
    texts = ['{"a":null,"b":{"c":null}}', "{}", " null ", None, '{"b":null,"a.b":null}', '{"a":1.5,"b":{"c":[null]}}']
    frame = flatten(pa.table({"id": list("abcdef"), "j": texts}), documents=["j"], nulls=True)
    assert frame.columns == ["id", "j.a", r"j.a\.b", "j.b.c", "j.nulls"]
    assert frame.schema.field("j.nulls").metadata == {b"runframe.nulls": b"j"}
    assert frame.to_arrow().column("j.nulls").to_pylist() == [
        ["j.a", "j.b.c"],
        [],
        ["j"],
        None,
        [r"j.a\.b", "j.b"],
        [],
    ]
    assert frame.columns[:-1] == flatten(frame, frame.columns[:-1]).columns


def test_the_column_of_nulls_makes_way_for_a_leaf_of_its_name() -> None:
    frame = flatten(source_of([{"nulls": None, "a": 1}]), nulls=True)
    assert frame.columns == ["id", "doc.a", "doc.nulls", r"\doc.nulls"]
    assert frame.to_arrow().column(r"\doc.nulls").to_pylist() == [["doc.nulls"]]


def test_nulls_of_a_whole_schema_have_no_place() -> None:
    with pytest.raises(UsageError, match="nulls=True adds columns"):
        flatten(source_of([{"a": 1}]), schema=pa.schema([pa.field("doc.a", pa.int64())]), nulls=True)


# schema=


def test_named_types_are_fixed_and_others_found() -> None:
    frame = flatten(source_of([{"a": 1, "b": 1}]), schema={"doc.a": pa.float64(), "id": pa.large_string()})
    assert types_of(frame) == {"id": pa.large_string(), "doc.a": pa.float64(), "doc.b": pa.int64()}


def test_a_column_whose_type_is_fixed_is_there_whatever_the_rows_hold() -> None:
    table = flatten(source_of([{"a": None}]), schema={"doc.b": pa.string(), "doc.a": pa.float64()}).to_arrow()
    assert table.schema == pa.schema(
        [pa.field("id", pa.string()), pa.field("doc.a", pa.float64()), pa.field("doc.b", pa.string())]
    )


def test_a_schema_is_the_whole_frame_and_the_source_streams() -> None:
    opened = []

    def read() -> Iterator[Any]:
        opened.append(1)
        yield from source_of([{"a": 1, "c": 5}, {"a": 2.5}]).to_batches()

    source = Frame(source_of([]).schema, read, Provenance("complete", "e/p"))
    asked = pa.schema([pa.field("doc.b", pa.string()), pa.field("doc.a", pa.float64(), metadata={b"k": b"v"})])
    frame = flatten(source, schema=asked)
    assert opened == []
    assert frame.schema == asked
    assert frame.schema.field("doc.a").metadata == {b"runframe.path": b'["doc", "a"]', b"k": b"v"}
    expected = [{"doc.b": None, "doc.a": 1.0}, {"doc.b": None, "doc.a": 2.5}]
    assert frame.to_arrow().to_pylist() == expected == frame.to_arrow().to_pylist()
    assert len(opened) == 2


def test_a_reader_with_a_schema_can_still_be_read_twice() -> None:
    table = source_of([{"a": 1}])
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    frame = flatten(reader, schema=pa.schema([pa.field("doc.a", pa.int64())]))
    assert frame.to_arrow().to_pylist() == frame.to_arrow().to_pylist() == [{"doc.a": 1}]


FITS = [
    (1, pa.float64(), 1.0),
    (True, pa.float64(), 1.0),
    ("Infinity", pa.float64(), float("inf")),
    (3.0, pa.int64(), 3),
    (200, pa.uint8(), 200),
    (0.5, pa.float32(), 0.5),
    ("x", pa.dictionary(pa.int32(), pa.string()), "x"),
    ("x", pa.large_string(), "x"),
    ([1, 2], pa.list_(pa.float64()), [1.0, 2.0]),
    ([], pa.list_(pa.string()), []),
    ("2024-01-02T00:00:00Z", pa.timestamp("us", "UTC"), pd.Timestamp("2024-01-02", tz="UTC").to_pydatetime()),
    (
        {"_type": "t", "a": 1},
        pa.struct([pa.field("_type", pa.string()), pa.field("a", pa.float64())]),
        {"_type": "t", "a": 1.0},
    ),
    ([1, "a"], JSON, '[1,"a"]'),
    (5, JSON, "5"),
    (None, pa.int64(), None),
]


@pytest.mark.parametrize(("value", "type_", "expected"), FITS)
@pytest.mark.parametrize("whole", [False, True])
def test_what_fits_a_fixed_type(value: Any, type_: Any, expected: Any, whole: bool) -> None:
    schema = pa.schema([pa.field("doc.a", type_)]) if whole else {"doc.a": type_}
    table = flatten(source_of([{"a": value}, {}]), schema=schema).to_arrow()
    assert table.schema.field("doc.a").type == type_
    assert table.column("doc.a").to_pylist() == [expected, None]


MISFITS = [
    ("x", pa.int64()),
    ("1", pa.int64()),
    ("1.5", pa.float64()),
    (1, pa.string()),
    (1.5, pa.int64()),
    (2**53 + 1, pa.float64()),
    (2**63, pa.int64()),
    (300, pa.uint8()),
    (True, pa.int64()),
    (1, pa.bool_()),
    ([1], pa.int64()),
    (1, pa.list_(pa.int64())),
    (["a"], pa.list_(pa.int64())),
    (["1"], pa.list_(pa.int64())),
    ([1], pa.list_(pa.string())),
    ("soon", pa.timestamp("us", "UTC")),
    ({}, pa.int64()),
    ({"_type": "t"}, pa.int64()),
    (1, pa.null()),
]


@pytest.mark.parametrize(("value", "type_"), MISFITS)
@pytest.mark.parametrize("whole", [False, True])
def test_what_does_not_fit_is_an_error_that_names_the_run(value: Any, type_: Any, whole: bool) -> None:
    schema = pa.schema([pa.field("doc.a", type_)]) if whole else {"doc.a": type_}
    with pytest.raises(FrameError, match=r"'doc\.a' of r1 \(row 1\) does not fit") as raised:
        flatten(source_of([{}, {"a": value}]), schema=schema).to_arrow()
    assert raised.value.path == "r1"


@pytest.mark.parametrize(("value", "type_"), MISFITS)
def test_what_does_not_fit_is_null_where_that_is_asked_for(value: Any, type_: Any) -> None:
    frame = flatten(source_of([{}, {"a": value}]), schema={"doc.a": type_}, on_conflict="null")
    assert frame.to_arrow().column("doc.a").to_pylist() == [None, None]
    [conflict] = frame.conflicts.to_pylist()
    assert (conflict["column"], conflict["counts"][-1], conflict["first"][-1]) == ("doc.a", 1, "r1")
    assert conflict["types"][-1].startswith("not ")


def test_conflicts_can_be_errors() -> None:
    with pytest.raises(
        FrameError, match=r"'doc\.a' holds 1 × int64 \(first in r0\), 1 × string \(first in r1\)"
    ) as raised:
        flatten(source_of([{"a": 1}, {"a": "x"}]), on_conflict="error")
    assert raised.value.path == "r1"
    with pytest.raises(UsageError, match="not 'ignore'"):
        flatten(source_of([]), on_conflict="ignore")  # type: ignore[arg-type]


def test_provenance_goes_along() -> None:
    source = source_of([{"a": 1}, {"a": "x"}])
    given = Provenance("complete", "e/p", server_rows=2)
    frame = flatten(Frame.from_arrow(source, given))
    assert frame.provenance == Provenance("complete", "e/p", rows=2, server_rows=2, conflicts=1)
    assert Provenance.from_metadata(frame.schema.metadata) == frame.provenance
    assert flatten(source).provenance is None


# Exactness


@pytest.mark.parametrize("rows", [1, 300])
def test_integers_beyond_64_bits_stay_exact_among_large_floats(rows: int) -> None:
    texts = [f'{{"a":1e30,"b":{10**25 + row},"c":[{2**64}],"d":[{{"e":{2**65}}}]}}' for row in range(rows)]
    table = flatten(pa.table({"j": texts}), documents=["j"]).to_arrow()
    assert table.column("j.a").to_pylist() == [1e30] * rows
    assert table.column("j.b").to_pylist() == [str(10**25 + row) for row in range(rows)]
    assert table.column("j.c").to_pylist() == [f"[{2**64}]"] * rows
    assert table.column("j.d").to_pylist() == [f'[{{"e":{2**65}}}]'] * rows


def test_small_floats_with_many_digits_are_no_integers() -> None:
    texts = ['{"a":0.00012345678901234567}', '{"a":1e30}']
    assert flatten(pa.table({"j": texts}), documents=["j"]).to_arrow().column("j.a").to_pylist() == [
        0.00012345678901234567,
        1e30,
    ]


def test_tokens_inside_texts_are_texts() -> None:
    texts = ['{"a":"NaN","b":NaN,"c":"is NaN","Infinity":-Infinity,"d":[Infinity,1]}', '{"a":"x","b":1}']
    rows = flatten(pa.table({"j": texts}), documents=["j"]).to_arrow().to_pylist()
    assert str(rows[0]) == str(
        {"j.Infinity": float("-inf"), "j.a": "NaN", "j.b": float("nan"), "j.c": "is NaN", "j.d": [float("inf"), 1.0]}
    )


# Memory


def test_the_collector_runs_again_after_errors() -> None:
    assert gc.isenabled()
    for text in ('{"a":', '{"a":' * 100_000, '{"a":1}'):
        with suppress(FrameError):
            flatten(pa.table({"j": [text]}), documents=["j"])
        assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        flatten(source_of([{"a": 1}]))
        assert not gc.isenabled()
    finally:
        gc.enable()


def descriptors() -> int:
    """How many files this process has open; 0 where the system does not say."""
    folder = Path("/proc/self/fd")
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


def test_beyond_the_budget_batches_go_to_a_file_that_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = descriptors()
    documents = [
        {"a": row, "b": [row], "c": {"_type": "t", "n": row}, "d": row if row % 2 else "x"} for row in range(500)
    ]
    kept = flatten(source_of(documents)).to_arrow()
    spooled = flatten(source_of(documents), memory_budget=0)
    assert spooled.to_arrow() == kept
    assert spooled.to_arrow() == kept
    assert descriptors() in (before + 1, 0)
    del spooled
    gc.collect()
    assert list(tmp_path.iterdir()) == []
    assert descriptors() == before


def test_two_readings_at_once_do_not_disturb_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runframe.frames.documents.CHUNK_ROWS", 10)
    frame = flatten(source_of([{"a": row} for row in range(100)]), memory_budget=0)
    pairs = list(zip(frame.to_batches(), frame.to_batches(), strict=True))
    assert len(pairs) == 10
    assert all(left == right for left, right in pairs)


def test_an_error_of_the_source_is_not_swallowed() -> None:
    def read() -> Iterator[Any]:
        yield from source_of([{"a": 1}]).to_batches()
        raise RuntimeError("the server went away")

    with pytest.raises(RuntimeError, match="went away"):
        flatten(Frame(source_of([]).schema, read))


# Engines


def test_engines_agree() -> None:
    documents = [{"n": 1, "f": float("nan"), "t": "x", "l": [1], "c": 1}, {"n": 2**60 + 1, "t": None, "c": "y"}, {}]
    frame = flatten(source_of(documents))
    arrow, polars_, pandas_ = frame.to_arrow(), frame.to_polars(), frame.to_pandas("pyarrow")
    assert polars_.schema == {
        "id": pl.String(),
        "doc.c": pl.String(),
        "doc.f": pl.Float64(),
        "doc.l": pl.List(pl.Int64()),
        "doc.n": pl.Int64(),
        "doc.t": pl.String(),
    }
    assert str(polars_.rows(named=True)) == str(arrow.to_pylist())
    assert [str(dtype) for dtype in pandas_.dtypes] == [
        "string[pyarrow]",
        "string[pyarrow]",
        "double[pyarrow]",
        "list<item: int64>[pyarrow]",
        "int64[pyarrow]",
        "string[pyarrow]",
    ]
    assert pandas_["doc.n"].to_list() == [1, 2**60 + 1, pd.NA]


def test_flattened_frames_can_be_written_and_read_by_polars(tmp_path: Path) -> None:
    documents = [
        {"": 1, "a": [], "b": {}, "c": {"_type": "t", "x": {"y": 1}}, "n": None, "m": 1},
        {"m": "x", "l": [None]},
    ]
    frame = flatten(source_of(documents))
    found = pl.read_parquet(frame.to_parquet(tmp_path / "x.parquet"))
    assert found.columns == frame.columns
    assert found["doc.m"].ext.storage().to_list() == ["1", '"x"']
