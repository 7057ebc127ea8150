from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runframe.errors import FrameError
from runframe.frames import BOOL, CATEGORY, DOUBLE, INT, JSON, TEXT, TEXTS, TIME, Column, Schema, parse_time, to_batch


def column_of(type_: Any, values: list[Any], **options: Any) -> Any:
    """The column of one field of nodes."""
    schema = Schema("things", [Column("x", type_, "x", "X.", **options)])
    batch = to_batch(schema, [{"x": value} for value in values])
    assert batch.schema.equals(schema.arrow, check_metadata=True)
    return batch.column(0)


def test_no_nodes_give_no_rows_of_the_same_schema() -> None:
    schema = Schema(
        "things", [Column("t", TIME, "t", "T."), Column("j", JSON, "j", "J."), Column("c", CATEGORY, "c", "C.")]
    )
    batch = to_batch(schema, [])
    assert batch.num_rows == 0
    assert batch.schema == schema.arrow


def test_what_nodes_lack_is_null() -> None:
    schema = Schema(
        "things", [Column(str(n), t, str(n), "N.") for n, t in enumerate((TEXT, INT, TIME, JSON, TEXTS, CATEGORY))]
    )
    batch = to_batch(schema, [{}, {"9": 1}])
    assert batch.schema == schema.arrow
    assert all(column.null_count == 2 for column in batch.columns)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-01-02T03:04:05", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2024-01-02T03:04:05Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2024-01-02T03:04:05.123456789Z", datetime(2024, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)),
        ("2024-01-02T03:04:05+02:00", datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
    ],
)
def test_times_are_utc_and_cut_off_at_microseconds(text: str, moment: datetime) -> None:
    assert column_of(TIME, [text, None]).to_pylist() == [moment, None]
    assert parse_time(text) == moment


def test_datetimes_are_taken_as_they_are() -> None:
    moment = datetime(2024, 1, 2, 3, 4, 5)
    assert column_of(TIME, [moment]).to_pylist() == [moment.replace(tzinfo=UTC)]


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_time_comes_back(moment: datetime) -> None:
    assert column_of(TIME, [moment.isoformat()]).to_pylist() == [moment]


def test_json_text_stays_byte_for_byte() -> None:
    text = '{ "a":1.0 ,"b": NaN,"c":"\\u00e9"}'
    assert column_of(JSON, [text, None]).storage.to_pylist() == [text, None]


def test_decoded_json_becomes_compact_text() -> None:
    values = [{"a": float("nan"), "b": 10**30}, [1, "é"], 5, None]
    assert column_of(JSON, values).storage.to_pylist() == ['{"a":NaN,"b":' + str(10**30) + "}", '[1,"é"]', "5", None]


def test_few_distinct_texts_are_encoded_once() -> None:
    column = column_of(CATEGORY, ["running", "running", None, "failed"])
    assert column.dictionary.to_pylist() == ["running", "failed"]
    assert column.to_pylist() == ["running", "running", None, "failed"]


def test_a_source_is_a_path_into_the_node() -> None:
    schema = Schema("things", [Column("user", TEXT, "user.name", "U."), Column("odd", INT, ("a.b", "c"), "O.")])
    nodes = [{"user": {"name": "x"}, "a.b": {"c": 1}}, {"user": None}, {"user": {}}]
    assert to_batch(schema, nodes).to_pylist() == [
        {"user": "x", "odd": 1},
        {"user": None, "odd": None},
        {"user": None, "odd": None},
    ]


def test_context_stands_in_every_row() -> None:
    schema = Schema("runs", [Column("project", CATEGORY, "project.name", "P."), Column("id", TEXT, "name", "I.")])
    batch = to_batch(
        schema, [{"name": "a"}, {"name": "b", "project": {"name": "else"}}], {"project": "p", "entity": "e"}
    )
    assert batch.to_pylist() == [{"project": "p", "id": "a"}, {"project": "p", "id": "b"}]


def test_convert_sees_no_nulls() -> None:
    assert column_of(INT, ["12", None], convert=int).to_pylist() == [12, None]


@pytest.mark.parametrize(
    ("type_", "value", "says"),
    [
        (TEXT, 3, r"holds 3 \(int\), expected string"),
        (TEXT, b"x", r"\(bytes\), expected string"),
        (TEXT, "\ud800", r"\(str\), expected string"),
        (INT, True, r"holds True \(bool\), expected int64"),
        (INT, 1.0, r"holds 1.0 \(float\), expected int64"),
        (INT, 2**63, r"\(int\), expected int64"),
        (DOUBLE, "NaN", r"holds 'NaN' \(str\), expected double"),
        (DOUBLE, 2**53 + 1, r"\(int\), expected double"),
        (BOOL, 1, r"holds 1 \(int\), expected bool"),
        (TEXTS, "abc", r"holds 'abc' \(str\), expected list<string>"),
        (TEXTS, ["a", 1], r"\(list\), expected list<string>"),
        (TIME, "yesterday", r"holds 'yesterday' \(str\), expected timestamp\[us, UTC\]"),
        (TIME, 5, r"\(int\), expected timestamp"),
        (CATEGORY, 5, r"\(int\), expected dictionary<string>"),
        (JSON, {"a": {1, 2}}, r"\(dict\), expected json"),
    ],
)
def test_a_value_of_another_type_is_an_error_that_names_it(type_: Any, value: Any, says: str) -> None:
    schema = Schema("runs", [Column("id", TEXT, "name", "I."), Column("x", type_, "x", "X.")])
    nodes = [{"name": "a"}, {"name": "b", "x": value}]
    with pytest.raises(
        FrameError, match=f"runs: column 'x' of row 1 {says if says.startswith('holds') else '.*' + says}"
    ):
        to_batch(schema, nodes)
    with pytest.raises(FrameError, match="'x' of e/p/b") as raised:
        to_batch(schema, nodes, path_of=lambda node: f"e/p/{node['name']}")
    assert raised.value.path == "e/p/b"


def test_a_convert_that_fails_names_the_row() -> None:
    schema = Schema("runs", [Column("x", INT, "x", "X.", convert=int)])
    with pytest.raises(FrameError, match="column 'x' of row 0 holds 'many'"):
        to_batch(schema, [{"x": "many"}])


def test_a_scalar_on_the_way_is_not_lost() -> None:
    schema = Schema("runs", [Column("user", TEXT, "user.name", "U.")])
    with pytest.raises(FrameError, match="row 0 holds 'me'"):
        to_batch(schema, [{"user": "me"}])


def test_long_values_are_cut_in_messages() -> None:
    schema = Schema("runs", [Column("x", INT, "x", "X.")])
    with pytest.raises(FrameError) as raised:
        to_batch(schema, [{"x": "y" * 10_000}])
    assert len(raised.value.message) < 200


def test_floats_keep_nan_apart_from_null() -> None:
    column = column_of(DOUBLE, [float("nan"), None, 1, float("inf")])
    assert column.null_count == 1
    assert pa.compute.is_nan(column).to_pylist() == [True, None, False, False]
