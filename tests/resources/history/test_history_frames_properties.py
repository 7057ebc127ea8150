"""Union, intersection, tail, and the two shapes, against plain Python over `scan_history` of random histories."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from runframe import Api, extjson
from runframe.frames.names import join_path
from runframe.server import open_local

if TYPE_CHECKING:
    from conftest import Recorder

KEYS = ["a", "b", "val/c", "a.b", "d"]
NUMBERS = st.integers(-(2**62), 2**62) | st.floats() | st.booleans() | st.sampled_from([0.5, 1, 2])
VALUES = st.one_of(
    NUMBERS, st.none(), st.text("xy\n", max_size=2), st.lists(st.integers(0, 3), max_size=2),
    st.just({"_type": "image-file", "path": "p"}), st.dictionaries(st.sampled_from(["b", "c"]), NUMBERS, max_size=2),
)  # fmt: skip
ROWS = st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4), max_size=12)
CHOICE = st.lists(st.sampled_from([*KEYS, r"a\.b", "a.c", "d.b"]), max_size=3, unique=True)
NUMBER = itertools.count()
HELD = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, recorder: type[Recorder]) -> Iterator[tuple[Recorder, Api]]:
    folder = tmp_path_factory.mktemp("random")
    with open_local(folder) as local, Api(f"local:{folder}") as api:
        yield recorder(local), api


def written(both: tuple[Recorder, Api], rows: list[Mapping[str, Any]]) -> Any:
    record, api = both
    name = f"p/r{next(NUMBER)}"
    record.run(name, rows=rows)
    return api.run(name)


def leaves(row: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for key, value in row.items():
        if isinstance(value, dict) and value and "_type" not in value:
            found |= leaves(value, (*prefix, key))
        else:
            found[(*prefix, key)] = value
    return found


def chosen(rows: list[dict[str, Any]], names: list[str], how: str) -> list[dict[str, Any]]:
    test = all if how == "all" else any
    return [row for row in rows if names and test(has(row, name) for name in names)]


def has(row: dict[str, Any], name: str) -> bool:
    return any(name in names_of(path) for path in leaves(row))


def frame_of(run: Any, *args: Any, **kwargs: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # keys that no row has
        return run.history_frame(*args, **kwargs)


@HELD
@given(rows=ROWS, names=CHOICE, how=st.sampled_from(["any", "all"]), tail=st.none() | st.integers(0, 5))
def test_chosen_rows_are_those_that_have_the_keys(
    both: tuple[Recorder, Api], rows: list[Any], names: list[str], how: str, tail: int | None
) -> None:
    run = written(both, rows)
    expected = chosen(list(run.scan_history()), names, how)
    if tail is not None:
        expected = expected[max(0, len(expected) - tail) :]
    for shape in ("wide", "long"):
        frame = frame_of(run, names, how, tail=tail, shape=shape)
        if shape == "wide":
            assert frame.to_arrow()["_step"].to_pylist() == [row["_step"] for row in expected]
        steps = {row["_step"] for row in expected}
        assert set(frame.to_arrow()["_step" if shape == "wide" else "step"].to_pylist()) <= steps


@HELD
@given(rows=ROWS)
def test_the_long_frame_holds_every_value_of_every_row(both: tuple[Recorder, Api], rows: list[Any]) -> None:
    run = written(both, rows)
    found = run.history_frame(shape="long").to_arrow().to_pylist()
    expected = {
        (row["_step"], join_path(path)): value
        for row in run.scan_history()
        for path, value in leaves(row).items()
        if value is not None and path[0] not in ("_step", "_timestamp", "_runtime")
    }
    assert {(row["step"], row["key"]) for row in found} == set(expected)
    assert len(found) == len(expected)
    for row in found:
        assert same(value_of(row), expected[row["step"], row["key"]]), row


@HELD
@given(rows=ROWS, pattern=st.sampled_from(["*", "a*", "val/*", "?", "a|b", "a.b", "d*|_s*"]))
def test_a_pattern_is_the_list_of_what_it_matches(both: tuple[Recorder, Api], rows: list[Any], pattern: str) -> None:
    run = written(both, rows)
    paths = {path for row in run.scan_history() for path in leaves(row)}
    assume(len({".".join(path) for path in paths}) == len(paths))  # a name in a list stands for either of two such keys
    matching = [path for path in sorted(paths) if any(fits(name, pattern) for name in names_of(path))]
    names = [join_path(path) for path in matching]
    assert frame_of(run, pattern).columns[2:] == [name for name in names if name != "_step"]
    for how in ("any", "all"):
        by_pattern, by_names = frame_of(run, pattern, how).to_arrow(), frame_of(run, names, how).to_arrow()
        assert by_pattern["_step"].to_pylist() == by_names["_step"].to_pylist()


def fits(name: str, pattern: str) -> bool:
    alternatives = [each for each in pattern.split("|") if each.startswith("_") or not name.startswith("_")]
    return any(fnmatchcase(name, each) for each in alternatives)


def names_of(path: tuple[str, ...]) -> list[str]:
    starts = [path[:length] for length in range(1, len(path) + 1)]
    return [name for start in starts for name in (join_path(start), ".".join(start))]


def value_of(row: dict[str, Any]) -> Any:
    """The value in a long row, as what its type says."""
    if row["type"] == "string":
        return row["text"]
    if row["json"] is not None:
        return extjson.loads(row["json"])
    return {"bool": bool, "int64": int, "double": float}[row["type"]](row["value"])


def same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, float) and math.isnan(left):
        return math.isnan(right)
    return bool(left == right)
