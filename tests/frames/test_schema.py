from __future__ import annotations

import pyarrow as pa
import pytest

from runframe.errors import UsageError
from runframe.frames import CATEGORY, JSON, TEXT, TIME, Column, Schema

RUNS = Schema(
    "runs",
    [
        Column("id", TEXT, "name", "The run's id."),
        Column("state", CATEGORY, "state", "How it stands."),
        Column("created_at", TIME, "createdAt", "When it began."),
        Column("config", JSON, "config", "What it was | given.", cost="heavy", document="config"),
    ],
)


def test_arrow_schema_carries_types_and_metadata() -> None:
    assert RUNS.arrow == pa.schema(
        [
            pa.field("id", pa.string()),
            pa.field("state", pa.dictionary(pa.int32(), pa.string())),
            pa.field("created_at", pa.timestamp("us", "UTC")),
            pa.field("config", pa.json_()),
        ]
    )
    assert RUNS.arrow.field("config").metadata == {
        b"runframe.meaning": b"What it was | given.",
        b"runframe.cost": b"heavy",
        b"runframe.document": b"config",
    }


def test_select_keeps_the_order_asked_for() -> None:
    assert RUNS.select(["config", "id"]).names == ["config", "id"]


def test_select_nothing_is_nothing() -> None:
    assert RUNS.select([]).names == []


def test_unknown_column_names_near_matches() -> None:
    with pytest.raises(UsageError, match=r"no column 'craeted_at': did you mean 'created_at'\?"):
        RUNS.select(["craeted_at"])


def test_unknown_column_far_from_all_names_what_there_is() -> None:
    with pytest.raises(UsageError, match="runs have id, state, created_at, config"):
        RUNS["zzzzzz"]


def test_a_text_is_no_list_of_columns() -> None:
    with pytest.raises(UsageError, match="list of names"):
        RUNS.select("id")


def test_a_name_stands_once() -> None:
    with pytest.raises(UsageError, match="declares id more than once"):
        Schema("runs", [Column("id", TEXT, "a", "A."), Column("id", TEXT, "b", "B.")])


def test_light_leaves_heavy_columns_out() -> None:
    assert RUNS.light().names == ["id", "state", "created_at"]


def test_markdown_is_a_table_with_a_row_a_column() -> None:
    assert RUNS.markdown() == (
        "| column | type | meaning |\n"
        "|---|---|---|\n"
        "| `id` | `string` | The run's id. |\n"
        "| `state` | `dictionary<string>` | How it stands. |\n"
        "| `created_at` | `timestamp[us, UTC]` | When it began. |\n"
        r"| `config` | `json` | What it was \| given. (heavy: fetched only where asked for) |" + "\n"
    )
