"""Whatever the documents: flattening equals the plain reference, loses nothing, and does not depend on pages."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runframe.frames import documents as documents_module
from runframe.frames import flatten
from runframe.frames.names import join_path, split_name
from runframe.frames.schema import PATH

from .reference import (
    back,
    canonical,
    flattened,
    into,
    leaves,
    read,
    rebuilt,
    source_of,
    typed,
    unwrapped,
    without_nulls,
)
from .strategies import DOCUMENTS, KEYS, SPLITS, families


@pytest.fixture(params=[65_536, 3], ids=["one chunk", "small chunks"], scope="module", autouse=True)
def _chunk_rows(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents_module, "CHUNK_ROWS", request.param)
        yield


def assert_equal(found: Any, expected: Any) -> None:
    assert list(found) == list(expected)
    for path, (type_, values) in expected.items():
        assert found[path][0] == type_, path
        assert canonical(found[path][1]) == canonical(values), path


@given(families() | DOCUMENTS, SPLITS)
@settings(deadline=None, max_examples=300)
def test_equals_the_reference(documents: list[Any], splits: list[int]) -> None:
    frame = flatten(source_of(documents, splits=splits))
    assert_equal(read(frame), flattened(documents, ("doc",)))


@given(st.lists(families(), min_size=1, max_size=3), SPLITS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_many_rows_equal_the_reference(groups: list[list[Any]], splits: list[int], rng: random.Random) -> None:
    """Enough rows for keys to have a kind, and to lose it again."""
    documents = [document for group in groups for document in group]
    documents = [rng.choice(documents) for _ in range(400)] + documents
    frame = flatten(source_of(documents, splits=[10 * split for split in splits]))
    assert_equal(read(frame), flattened(documents, ("doc",)))


@given(families() | DOCUMENTS, SPLITS, st.data())
@settings(deadline=None, max_examples=150)
def test_some_columns_are_those_of_the_whole(documents: list[Any], splits: list[int], data: st.DataObject) -> None:
    whole = flatten(source_of(documents * 9, splits=splits))
    names = data.draw(st.lists(st.sampled_from(whole.columns), unique=True, max_size=3))
    found = flatten(source_of(documents * 9, splits=splits), names)
    expected = [
        column
        for name in names
        for column in whole.columns
        if below(column, name) and name == max((other for other in names if below(column, other)), key=len)
    ]
    assert found.columns == expected
    for name in expected:
        assert found.schema.field(name) == whole.schema.field(name)
        assert canonical(found.to_arrow().column(name).to_pylist()) == canonical(
            whole.to_arrow().column(name).to_pylist()
        )


def below(name: str, other: str) -> bool:
    """Whether a column is the other, or a leaf below it."""
    path, above = split_name(name), split_name(other)
    return path[: len(above)] == above


@given(families() | DOCUMENTS, SPLITS)
@settings(deadline=None, max_examples=100)
def test_the_schema_that_was_found_can_be_given(documents: list[Any], splits: list[int]) -> None:
    found = flatten(source_of(documents))
    given_ = flatten(source_of(documents, splits=splits), schema=found.schema)
    assert given_.schema == found.schema
    assert canonical(given_.to_arrow().to_pylist()) == canonical(found.to_arrow().to_pylist())


@given(families() | DOCUMENTS, SPLITS)
@settings(deadline=None, max_examples=150)
def test_configs_lose_their_wrappers(documents: list[Any], splits: list[int]) -> None:
    wrapped = [
        {key: {"value": value} for key, value in found.items()} if isinstance(found, dict) else found
        for found in documents
    ]
    frame = flatten(source_of(wrapped, kind="config", splits=splits, name="config"))
    assert_equal(read(frame), flattened([unwrapped(found) for found in wrapped], ("config",)))


@given(families() | DOCUMENTS)
@settings(deadline=None, max_examples=150)
def test_a_config_entry_that_is_no_wrapper_stays(documents: list[Any]) -> None:
    frame = flatten(source_of(documents, kind="config", name="config"))
    assert_equal(read(frame), flattened([unwrapped(found) for found in documents], ("config",)))


@given(families() | DOCUMENTS, SPLITS)
@settings(deadline=None, max_examples=150)
def test_documents_can_be_rebuilt(documents: list[Any], splits: list[int]) -> None:
    columns = read(flatten(source_of(documents, splits=splits), memory_budget=0))
    for row, document in enumerate(documents):
        types = {path[1:]: type_ for path, (type_, _) in columns.items()}
        expected = numbers_read(kept(document), types)
        assert canonical(rebuilt(columns, row, 1)) == canonical(expected)


@given(families() | DOCUMENTS, SPLITS)
@settings(deadline=None, max_examples=150)
def test_documents_can_be_rebuilt_with_their_nulls(documents: list[Any], splits: list[int]) -> None:
    documents = documents * 3
    frame = flatten(source_of(documents, splits=splits), nulls=True)
    columns = read(frame)
    types = {path[1:]: type_ for path, (type_, _) in columns.items()}
    paths = {
        field.name: tuple(json.loads(field.metadata[PATH])) for field in frame.schema if PATH in (field.metadata or {})
    }
    listed = frame.to_arrow().column(frame.columns[-1]).to_pylist()
    for row, document in enumerate(documents):
        if document is None:
            assert listed[row] is None
            continue
        found = rebuilt(columns, row, 1)
        for name in listed[row]:
            *above, last = paths.get(name, split_name(name))[1:]
            place = found
            for step in above:
                place = place.setdefault(step, {})
            assert last not in place
            place[last] = None
        assert canonical(found) == canonical(numbers_read(document, types))


def kept(value: Any, *, root: bool = True) -> Any:
    """A document without what a frame cannot tell from missing: nulls, and objects that hold only nulls."""
    if value is None:
        return {}
    if not isinstance(value, dict) or (typed(value) and not root):
        return without_nulls(value)
    found = {}
    for key, item in value.items():
        if item is None:
            continue
        inner = kept(item, root=False)
        if inner == {} and item != {}:
            continue
        found[key] = inner
    return found


def numbers_read(document: Any, types: dict[tuple[str, ...], Any]) -> Any:
    """The document with the texts that stand beside numbers read as numbers."""
    found: Any = {}
    for path, value in leaves(document):
        if not path:
            return None if value is None else back(into(value, types[()]))
        place = found
        for step in path[:-1]:
            place = place.setdefault(step, {})
        place[path[-1]] = None if value is None else back(into(value, types[path]))
    return found


@given(families() | DOCUMENTS, SPLITS, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=150)
def test_types_do_not_depend_on_order_or_pages(documents: list[Any], splits: list[int], rng: random.Random) -> None:
    shuffled = list(documents)
    rng.shuffle(shuffled)
    first = flatten(source_of(documents))
    second = flatten(source_of(shuffled, splits=splits))
    assert second.schema == first.schema
    assert [set(found) for found in second.conflicts.column("types").to_pylist()] == [
        set(found) for found in first.conflicts.column("types").to_pylist()
    ]


@given(families() | DOCUMENTS, SPLITS)
@settings(deadline=None, max_examples=100)
def test_the_report_does_not_depend_on_pages(documents: list[Any], splits: list[int]) -> None:
    assert flatten(source_of(documents, splits=splits)).conflicts == flatten(source_of(documents)).conflicts


@given(
    st.lists(
        KEYS | st.text(st.characters(), max_size=5) | st.sampled_from(["\ud800", "{d800}"]), min_size=1, max_size=4
    )
)
@settings(deadline=None, max_examples=300)
def test_names_turn_back_into_paths(path: list[str]) -> None:
    name = join_path(path)
    name.encode()
    assert split_name(name) == tuple(path)


@given(st.lists(st.lists(KEYS, min_size=1, max_size=3).map(tuple), max_size=8, unique=True))
def test_different_paths_have_different_names(paths: list[tuple[str, ...]]) -> None:
    assert len({join_path(path) for path in paths}) == len(paths)


@given(families())
@settings(deadline=None, max_examples=50)
def test_every_exit_gives_the_same_rows(documents: list[Any]) -> None:
    frame = flatten(source_of(documents))
    table = frame.to_arrow()
    streamed = pa.table(frame)
    assert streamed.schema == table.schema
    assert canonical(streamed.to_pylist()) == canonical(table.to_pylist())
    assert frame.to_polars().shape == (table.num_rows, table.num_columns)
    assert sum(batch.num_rows for batch in frame.to_batches()) == len(documents) == len(frame)
