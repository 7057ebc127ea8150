"""Tables in artifacts: written, read back, as frames; and media objects."""

from __future__ import annotations

import datetime as dt
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from runframe import Api, Artifact, FrameError, Table
from runframe.resources.artifacts.tables.dtypes import column_types, types_by_column
from runframe.resources.artifacts.tables.table import JoinedTable, PartitionedTable

MOMENT = dt.datetime(2024, 1, 2, 3, 4, 5, 678000, tzinfo=dt.UTC)


def put(artifact: Artifact, path: str, document: Any) -> None:
    """Adds a JSON document as it is."""
    with artifact.new_file(path) as file:
        json.dump(document, file)


def saved(api: Api, **documents: Any) -> Artifact:
    """An artifact with documents at ``NAME.KIND.json``; the kind is the document's ``_type``."""
    artifact = Artifact("tables", "dataset")
    for name, document in documents.items():
        put(artifact, f"{name}.{document['_type']}.json", document)
    artifact.save(api=api)
    return artifact


def table_json(columns: list[str], data: list[list[Any]], **more: Any) -> dict[str, Any]:
    return {"_type": "table", "columns": columns, "data": data, "ncols": len(columns), "nrows": len(data), **more}


def described(**types: Any) -> dict[str, Any]:
    return {"wb_type": "typedDict", "params": {"type_map": types}}


# Written and read.


def test_a_table_comes_back_as_it_was(own: Api) -> None:
    artifact = Artifact("tables", "dataset")
    table = Table(
        columns=["i", "f", "s", "b", "when", "l", "d"],
        data=[
            [1, 1.5, "x", True, MOMENT, [1, 2], {"k": 1}],
            [2**62 + 1, math.inf, "é", False, None, [3], {"k": 2, "m": [None]}],
            [None, -math.inf, None, None, dt.date(2024, 1, 3), None, None],
        ],
    )
    artifact.add(table, "t")
    artifact.save(api=own)
    found = own.artifact("tables:v0").get("t")
    assert isinstance(found, Table)
    assert found.columns == table.columns
    assert found.data[:2] == table.data[:2]
    assert found.data[2] == [None, -math.inf, None, None, dt.datetime(2024, 1, 3, tzinfo=dt.UTC), None, None]
    assert artifact["t"].columns == table.columns  # type: ignore[union-attr]
    assert repr(found) == "<Table 3 × 7>"


def test_a_table_is_a_frame_with_types(api: Api) -> None:
    frame = api.artifact("p/data:first").table("tab")
    assert frame.columns == ["i", "f", "s", "when"]
    assert [field.type for field in frame.schema] == [
        pa.int64(), pa.float64(), pa.string(), pa.timestamp("us", "UTC"),
    ]  # fmt: skip
    assert frame.to_polars().rows() == [(1, 1.5, "x", MOMENT), (2, math.inf, None, None)]
    assert frame.require_complete().provenance.source == "local/p/data:first/tab.table.json"  # type: ignore[union-attr]
    assert list(frame.to_batches()) == list(frame.to_batches())
    assert frame.to_pandas()["i"].tolist() == [1, 2]
    assert pl.DataFrame(frame).height == 2


def test_columns_of_disagreeing_types_are_reported(own: Api) -> None:
    artifact = saved(own, t=table_json(["m", "n"], [[1, 1], ["a", 2.5], [[1], None], [2, 3]]))
    frame = artifact.table("t")
    assert frame.to_polars()["m"].to_list() == ["1", '"a"', "[1]", "2"]
    assert frame.to_polars()["n"].to_list() == [1.0, 2.5, None, 3.0]
    (conflict,) = frame.conflicts.to_pylist()
    assert (conflict["column"], conflict["types"], conflict["counts"], conflict["first_rows"]) == (
        "m",
        ["int64", "string", "list<int64>"],
        [2, 1, 1],
        [0, 1, 2],
    )
    assert frame.provenance.conflicts == 1  # type: ignore[union-attr]


def test_a_table_with_fewer_rows_than_it_says_is_not_complete(own: Api) -> None:
    document = table_json(["a"], [[1]]) | {"nrows": 5}
    with pytest.raises(FrameError, match="1 rows, and the server counted 5"):
        saved(own, t=document).table("t").require_complete()


def test_objects_stay_json_and_media_become_structs(own: Api) -> None:
    image = {"_type": "image-file", "path": "media/x.png", "width": 4}
    artifact = saved(own, t=table_json(["o", "m", "l"], [[{"k": 1}, image, [{"a": 1}]], [None, None, []]]))
    schema = artifact.table("t").schema
    assert schema.field("o").type == schema.field("l").type == pa.json_()
    assert schema.field("m").type == pa.struct({"_type": pa.string(), "path": pa.string(), "width": pa.int64()})
    assert artifact.table("t").to_arrow()["m"].to_pylist() == [image, None]


@pytest.mark.parametrize(
    "document",
    [
        {"_type": "table"},
        {"_type": "table", "columns": ["a"], "data": [5]},
        {"_type": "table", "columns": ["a"], "data": [[1, 2]]},
        {"_type": "table", "columns": ["a", "a"], "data": [[1, 2]]},
    ],
)
def test_a_malformed_table_is_an_error_that_names_it(own: Api, document: dict[str, Any]) -> None:
    with pytest.raises(FrameError, match="table") as caught:
        saved(own, t=document).table("t")
    assert caught.value.path == "local/p/tables:v0/t.table.json"


def test_what_is_no_json_is_an_error_that_names_it(own: Api) -> None:
    artifact = Artifact("tables", "dataset")
    with artifact.new_file("t.table.json") as file:
        file.write("[")
    artifact.save(api=own)
    with pytest.raises(FrameError, match=r"t.table.json is not JSON"):
        artifact.get("t")


def test_only_tables_are_tables(api: Api) -> None:
    artifact = api.artifact("p/data:first")
    with pytest.raises(ValueError, match="no table"):
        artifact.table("a.txt")
    with pytest.raises(KeyError, match="nope"):
        artifact.table("nope")
    assert artifact.get("nope") is None
    assert artifact.get("a.txt") is None


# Kinds of tables.


def test_times_are_milliseconds_in_the_file(own: Api) -> None:
    types = {"when": {"wb_type": "union", "params": {"allowed_types": [{"wb_type": "none"}, {"wb_type": "timestamp"}]}}}
    document = table_json(["when"], [[1704164645678], [None], ["?"]], column_types=described(**types))
    found = saved(own, t=document).get("t")
    assert isinstance(found, Table)
    assert found.data == [[MOMENT], [None], ["?"]]


def test_arrays_may_be_kept_beside_the_table(own: Api) -> None:
    arrays = {"wb_type": "ndarray", "params": {"shape": [2], "serialization_path": {"path": "media/x.npz", "key": "k"}}}
    artifact = Artifact("tables", "dataset")
    put(artifact, "t.table.json", table_json(["v"], [[None], [None]], column_types=described(v=arrays)))
    with artifact.new_file("media/x.npz", "xb") as file:
        content = io.BytesIO()
        np.savez(content, k=np.array([[1.0, 2.0], [3.0, 4.0]]))
        file.write(content.getvalue())
    artifact.save(api=own)
    assert artifact.table("t").to_polars()["v"].to_list() == [[1.0, 2.0], [3.0, 4.0]]


def test_parts_are_one_table(own: Api) -> None:
    artifact = Artifact("tables", "dataset")
    put(artifact, "parts/1.table.json", table_json(["q"], [[1], [2]]))
    put(artifact, "parts/2.table.json", table_json(["q"], [[3]]))
    put(artifact, "whole.partitioned-table.json", {"_type": "partitioned-table", "parts_path": "parts"})
    artifact.save(api=own)
    found = artifact.get("whole")
    assert isinstance(found, PartitionedTable)
    assert [row for _, row in found.iterrows()] == [[1], [2], [3]]
    assert (list(found.parts), len(found)) == (["parts/1.table.json", "parts/2.table.json"], 3)
    assert artifact.table("whole").to_polars()["q"].to_list() == [1, 2, 3]


def test_parts_of_different_columns_are_refused(own: Api) -> None:
    artifact = Artifact("tables", "dataset")
    put(artifact, "parts/1.table.json", table_json(["q"], [[1]]))
    put(artifact, "parts/2.table.json", table_json(["r"], [[3]]))
    put(artifact, "whole.partitioned-table.json", {"_type": "partitioned-table", "parts_path": "parts"})
    artifact.save(api=own)
    with pytest.raises(FrameError, match=r"'parts/2.table.json' has the columns \['r'\]"):
        artifact.get("whole")


def test_joined_tables_are_two(own: Api) -> None:
    artifact = Artifact("tables", "dataset")
    put(artifact, "one.table.json", table_json(["id", "x"], [[1, "a"]]))
    put(artifact, "two.table.json", table_json(["id", "y"], [[1, "b"]]))
    names = {"table1": "one.table.json", "table2": "two.table.json", "join_key": "id"}
    put(artifact, "j.joined-table.json", {"_type": "joined-table", **names})
    artifact.save(api=own)
    found = artifact.get("j")
    assert isinstance(found, JoinedTable)
    assert (found.table1.columns, found.table2.columns, found.join_key) == (["id", "x"], ["id", "y"], "id")
    with pytest.raises(ValueError, match="no table"):
        artifact.table("j")


def increments(api: Api) -> Artifact:
    artifact = Artifact("run-1-incr-t", "tables")
    for path, number, rows in (("1-20.t", 1, [[2]]), ("None-10.t", 0, [[1]]), ("2-30.t", 2, [[3], [4]])):
        document = table_json(["q"], rows, log_mode="INCREMENTAL", increment_num=number)
        put(artifact, f"{path}.table.json", document)
    artifact.save(api=api)
    return api.artifact("run-1-incr-t:latest")


def test_increments_are_read_together_in_their_order(own: Api) -> None:
    artifact = increments(own)
    for name in ("None-10.t", "1-20.t", "2-30.t"):
        assert artifact.table(name).to_polars()["q"].to_list() == [1, 2, 3, 4]


def test_increments_of_an_older_version_lack_the_later_ones(own: Api) -> None:
    artifact = increments(own)
    artifact.aliases = []
    with pytest.warns(UserWarning, match="not the latest") as caught:
        assert len(artifact.table("1-20.t")) == 4
    assert caught[0].filename == __file__


def test_an_increment_without_a_number_is_empty(own: Api) -> None:
    artifact = saved(own, t=table_json(["q"], [[1]], log_mode="INCREMENTAL"))
    assert len(artifact.table("t")) == 0


# References and media.


def test_a_table_of_another_artifact_is_added_as_a_reference(own: Api) -> None:
    first = saved(own, t=table_json(["q"], [[1]]))
    table = first.get("t")
    assert isinstance(table, Table)
    second = Artifact("second", "dataset")
    entry = second.add(table, "again")
    assert entry.ref == first.get_entry("t").ref_url()
    second.save(api=own)
    assert second.table("again").to_polars()["q"].to_list() == [1]


def test_a_table_that_was_changed_is_written_anew(own: Api) -> None:
    table = saved(own, t=table_json(["q"], [[1]])).get("t")
    assert isinstance(table, Table)
    table.data[0][0] = 7
    second = Artifact("second", "dataset")
    assert second.add(table, "again").ref is None
    second.save(api=own)
    assert second.table("again").to_polars()["q"].to_list() == [7]


def test_media_are_given_undecoded(own: Api) -> None:
    artifact = Artifact("tables", "dataset")
    with artifact.new_file("media/images/x.png", "xb") as file:
        file.write(b"png")
    put(artifact, "pic.image-file.json", {"_type": "image-file", "path": "media/images/x.png", "width": 4})
    put(artifact, "names.classes.json", {"_type": "classes", "class_set": [{"id": 1, "name": "one"}]})
    artifact.save(api=own)
    picture: Any = artifact.get("pic")
    assert (picture.kind, picture.path, picture.fields["width"]) == ("image-file", "media/images/x.png", 4)
    assert Path(picture.download("out")).read_bytes() == b"png"
    assert repr(picture) == "<Media image-file media/images/x.png>"
    classes: Any = artifact.get("names")
    assert (classes.to_json()["class_set"], classes.path) == ([{"id": 1, "name": "one"}], None)
    with pytest.raises(ValueError, match="no file"):
        classes.download()


# Tables in memory.


@pytest.mark.parametrize(
    "source",
    [
        pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pl.DataFrame({"a": [1, 2], "b": ["x", None]}),
        pa.table({"a": [1, 2], "b": ["x", None]}),
        Table(columns=["a", "b"], data=[[1, "x"], [2, None]]),
    ],
    ids=["pandas", "polars", "arrow", "table"],
)
def test_a_table_is_made_from_anything_that_speaks_arrow(source: Any) -> None:
    table = Table(data=source)
    assert (table.columns, table.data) == (["a", "b"], [[1, "x"], [2, None]])


def test_a_table_takes_arrays_and_odd_scalars() -> None:
    table = Table(columns=["a", "b"], data=np.array([[1, 2], [3, 4]]))
    assert table.data == [[1, 2], [3, 4]]
    table = Table(columns=["a"], data=[[np.float32(1.5)], [b"x"], [(1, 2)], [{3, 4}], [pd.NaT], [np.arange(2)]])
    assert [row[0] for row in table.data] == [1.5, "x", [1, 2], [3, 4], None, [0, 1]]
    with pytest.raises(TypeError, match="object"):
        Table(columns=["a"], data=[[object()]])
    assert Table(dataframe=pd.DataFrame({"a": [1]})).data == [[1]]


def test_rows_and_columns_are_added() -> None:
    table = Table(columns=["a"])
    table.add_data(1)
    table.add_row(2)
    table.add_column("b", ["x", "y"])
    assert (table.data, len(table)) == ([[1, "x"], [2, "y"]], 2)
    assert table.get_column("b") == ["x", "y"]
    assert table.get_column("a", convert_to="numpy").tolist() == [1, 2]  # type: ignore[union-attr]
    assert table.get_dataframe()["b"].tolist() == ["x", "y"]
    assert table.to_polars().rows() == [(1, "x"), (2, "y")]
    with pytest.raises(FrameError, match="1 cells for 2 columns"):
        table.add_data(1)
    with pytest.raises(FrameError, match="1 cells for 2 rows"):
        table.add_column("c", [1])
    with pytest.raises(FrameError, match="'b' already"):
        table.add_column("b", [1, 2])
    with pytest.raises(KeyError, match="nope"):
        table.get_column("nope")


def test_nan_is_null_in_the_file_and_infinity_a_token() -> None:
    table = Table(columns=["a"], data=[[math.nan], [math.inf], [MOMENT], [[math.nan]]])
    assert table.to_json()["data"] == [[None], [math.inf], [1704164645678], [[None]]]


def test_columns_are_described() -> None:
    rows: list[list[Any]] = [
        [1, "x", [1], {"k": 1}, MOMENT, None],
        [2.5, None, [2, 3], {"k": "a"}, None, None],
        [True, "y", [], {}, None, None],
    ]
    types = types_by_column(column_types(list("abcdef"), rows))

    def names(name: str) -> list[str]:
        return [item["wb_type"] for item in types[name]["params"]["allowed_types"]]

    assert names("a") == ["none", "number", "boolean"]
    assert names("b") == ["none", "string"]
    assert names("c") == ["none", "list"]
    assert types["c"]["params"]["allowed_types"][1]["params"] == {"element_type": {"wb_type": "number"}, "length": None}
    assert names("e") == ["none", "timestamp"]
    assert types["f"] == {"wb_type": "none"}
    inner = types["d"]["params"]["allowed_types"][1]["params"]["type_map"]["k"]["params"]["allowed_types"]
    assert [item["wb_type"] for item in inner] == ["number", "string", "none"]
