"""Whatever is asked, by whatever face: the rows are those that plain Python finds."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runframe import Api
from runframe.frames.storage import plain_table
from runframe.resources.runs import Runs
from runframe.server import open_local

if TYPE_CHECKING:
    from conftest import Recorder

Row = dict[str, Any]
WORDS = ["adam", "sgd", "7", "true", None]


def made(number: int) -> Row:
    """A run by its number; what is None it doesn't have."""
    return {
        "id": f"r{number:02}",
        "name": f"run {number % 7}",
        "state": "failed" if number % 5 == 0 else "finished",
        "group": ["a", "b", None][number % 3],
        "config.lr": None if number % 6 == 0 else number / 8,
        "config.n": None if number % 4 == 1 else (number * 7) % 11 - 3,
        "config.opt": WORDS[number % 5],
        "config.flag": [True, False, None][number % 3],
        "config.deep.n": None if number % 2 else number,
        "config.mixed": [number, "7", number / 2, True, None][number % 5],
        "summary.x/y": number % 3,
        "summary.loss": [math.nan, math.inf, None, 0.5, 1.5, -math.inf, 2.5][number % 7],
    }


RUNS = [made(number) for number in range(24)]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, recorder: type[Recorder]) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("many")
    with open_local(folder) as local:
        write(recorder(local))
    with Api(f"local:{folder}") as api:
        yield api.runs("many")


def write(record: Recorder) -> None:
    for row in RUNS:
        config = {
            key: row[f"config.{key}"] for key in ("lr", "n", "opt", "flag", "mixed") if row[f"config.{key}"] is not None
        }
        if row["config.deep.n"] is not None:
            config["deep"] = {"n": row["config.deep.n"]}
        summary = {key: row[f"summary.{key}"] for key in ("x/y", "loss") if row[f"summary.{key}"] is not None}
        record.run(
            f"many/{row['id']}",
            displayName=row["name"],
            groupName=row["group"],
            config=config,
            summary=summary,
            exit_code=1 if row["state"] == "failed" else 0,
        )


@dataclass(frozen=True)
class One:
    name: str
    sign: str
    value: Any

    def __repr__(self) -> str:
        return f"{self.name} {self.sign} {self.value!r}"


CONSTANTS: dict[str, list[Any]] = {
    "id": ["r03", "r11", "zz"],
    "name": ["run 1", "run 4"],
    "state": ["finished", "failed", "running"],
    "group": ["a", "b", "c"],
    "config.lr": [0.125, 1.0, 2],
    "config.n": [-3, 0, 4],
    "config.opt": ["adam", "7", "true", "none"],
    "config.deep.n": [0, 6, 100],
    "summary.x/y": [0, 1],
    "summary.loss": [0.5, 2],
}
ORDERED = ("config.lr", "config.n", "config.deep.n", "summary.x/y")
OPS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


def holds(test: One, row: Row) -> bool:
    value = row[test.name]
    if test.sign == "null":
        return value is None
    if value is None:
        return False
    if test.sign == "in":
        return value in test.value
    return OPS[test.sign](value, test.value)


@st.composite
def ones(draw: st.DrawFn) -> One:
    name = draw(st.sampled_from(sorted(CONSTANTS)))
    signs = ["==", "in", "null"]
    signs += ["<", "<="] if name == "summary.loss" else ["!="]  # NaN: polars and DuckDB have it above all numbers
    signs += ["<", "<=", ">", ">="] if name in ORDERED else []
    sign = draw(st.sampled_from(signs))
    if sign == "null":
        return One(name, sign, None)
    if sign == "in":
        return One(name, sign, draw(st.lists(st.sampled_from(CONSTANTS[name][:2]), max_size=3)))
    return One(name, sign, draw(st.sampled_from(CONSTANTS[name])))


def as_polars(test: One) -> pl.Expr:
    column = pl.col(test.name)
    if test.sign == "null":
        return column.is_null()
    if test.sign == "in":
        return reduce(operator.or_, [column == value for value in test.value], pl.lit(False))
    found: pl.Expr = getattr(operator, OPS[test.sign].__name__)(column, test.value)
    return found


def as_arrow(test: One) -> Any:
    column = pc.field(test.name)
    if test.sign == "null":
        return column.is_null()
    if test.sign == "in":
        return reduce(operator.or_, [column == value for value in test.value], pc.scalar(False))
    return OPS[test.sign](column, test.value)


def as_mongo(test: One) -> Row:
    op = {"==": "$eq", "!=": "$ne", "<": "$lt", "<=": "$lte", ">": "$gt", ">=": "$gte", "in": "$in"}
    if test.sign == "null":
        return {test.name: None}
    if test.sign == "!=":
        return {"$and": [{test.name: {"$ne": test.value}}, {test.name: {"$ne": None}}]}
    return {test.name: {op[test.sign]: test.value}}


def as_sql(test: One) -> str:
    column = f'"{test.name}"'
    if test.sign == "null":
        return f"{column} IS NULL"
    if test.sign == "in":
        return f"{column} IN ({', '.join(map(sql, test.value))})" if test.value else "false"
    return f"{column} {test.sign if test.sign != '==' else '='} {sql(test.value)}"


def sql(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else repr(value)


class Joined:
    """Tests that must all hold, or one of them."""

    def __init__(self, parts: list[One], every: bool) -> None:
        self.parts, self.every = parts, every

    def __repr__(self) -> str:
        return f" {'and' if self.every else 'or'} ".join(map(repr, self.parts))

    def ids(self) -> list[str]:
        joined = all if self.every else any
        return [row["id"] for row in RUNS if joined(holds(part, row) for part in self.parts)]

    def polars(self) -> pl.Expr:
        return reduce(operator.and_ if self.every else operator.or_, map(as_polars, self.parts))

    def arrow(self) -> Any:
        return reduce(operator.and_ if self.every else operator.or_, map(as_arrow, self.parts))

    def mongo(self) -> Row:
        return {"$and" if self.every else "$or": [as_mongo(part) for part in self.parts]}

    def sql(self) -> str:
        return (" AND " if self.every else " OR ").join(f"({as_sql(part)})" for part in self.parts)


CONDITIONS = st.builds(Joined, st.lists(ones(), min_size=1, max_size=3), st.booleans())
COLUMNS = st.lists(st.sampled_from(["state", *(name for name in CONSTANTS if "." in name)]), unique=True, max_size=3)
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def plain(row: Row) -> Row:
    """A row in which NaN equals itself."""
    return {key: "nan" if isinstance(value, float) and value != value else value for key, value in row.items()}


@QUIET
@given(condition=CONDITIONS, columns=COLUMNS, limit=st.none() | st.integers(0, 30))
def test_every_face_finds_what_python_finds(
    many: Runs, condition: Joined, columns: list[str], limit: int | None
) -> None:
    names = ["id", *columns]
    ids = condition.ids()[:limit]
    expected = [plain({name: row[name] for name in names}) for row in RUNS if row["id"] in ids]
    for where in (condition.mongo(), condition.polars(), condition.arrow()):
        found = many.to_arrow(names, where=where, limit=limit)
        assert found.column_names == names
        assert [plain(row) for row in found.to_pylist()] == expected, where
    lazy = many.lazy().filter(condition.polars()).select(names)
    collected = (lazy if limit is None else lazy.head(limit)).collect()
    assert [plain(row) for row in collected.to_dicts()] == expected


@settings(QUIET, max_examples=30)
@given(condition=CONDITIONS)
def test_sql_finds_what_python_finds(many: Runs, condition: Joined) -> None:
    scan = many.scan(list(CONSTANTS))
    assert scan.schema.names == list(CONSTANTS)
    found = duckdb.sql(f"SELECT id FROM scan WHERE {condition.sql()} ORDER BY id").to_arrow_table()
    assert found["id"].to_pylist() == condition.ids()


MIXED = ["config.mixed", "config.flag", "config.opt", "summary.loss", "config.lr", "config.n"]
VALUES = st.sampled_from([True, False, 0, 1, 2, 7, 0.5, 2.5, math.inf, -math.inf, math.nan, "7", '"7"', "true", "adam"])


@st.composite
def expressions(draw: st.DrawFn) -> pl.Expr:
    """Any expression, also one that polars has no answer to."""
    column, value = pl.col(draw(st.sampled_from(MIXED))), draw(VALUES)
    kind = draw(st.sampled_from(["compare", "in", "null", "not null", "contains", "between", "missing", "plain"]))
    match kind:
        case "compare":
            found: pl.Expr = OPS[draw(st.sampled_from(sorted(OPS)))](column, pl.lit(value))  # type: ignore[assignment]
        case "in":
            found = column.is_in([value, value])
        case "null" | "not null":
            found = column.is_null() if kind == "null" else column.is_not_null()
        case "contains":
            found = column.str.contains(str(value), literal=True)
        case "between":
            found = column.is_between(0, value)
        case "missing":
            found = column.ne_missing(pl.lit(value))
        case _:
            found = column
    found = ~found if draw(st.booleans()) else found
    if draw(st.integers(0, 3)) == 0:
        other = draw(expressions())
        found = found & other if draw(st.booleans()) else found | other
    return found


@settings(QUIET, max_examples=150)
@given(expression=expressions())
def test_a_pushed_expression_means_what_it_means_to_polars(many: Runs, expression: pl.Expr) -> None:
    """Columns whose values are of several types, NaN and the infinities, negations: what the server leaves out fits."""
    whole = many.to_polars(["id", *MIXED])
    try:
        expected = whole.filter(expression)["id"].to_list()
    except pl.exceptions.PolarsError:
        return
    assert many.to_arrow(["id"], where=expression)["id"].to_pylist() == expected
    assert many.lazy().filter(expression).select("id").collect()["id"].to_list() == expected


@settings(QUIET, max_examples=100)
@given(
    name=st.sampled_from(MIXED),
    value=VALUES,
    sign=st.sampled_from(sorted(OPS)),
    negated=st.booleans(),
    listed=st.booleans(),
)
def test_a_pushed_expression_means_what_it_means_to_arrow(
    many: Runs, name: str, value: Any, sign: str, negated: bool, listed: bool
) -> None:
    column = pc.field(name)
    expression = column.isin([value]) if listed else OPS[sign](column, value)
    expression = ~expression if negated else expression
    whole = plain_table(many.to_arrow(["id", *MIXED]))
    try:
        expected = whole.filter(expression)["id"].to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return
    assert many.to_arrow(["id"], where=expression)["id"].to_pylist() == expected
