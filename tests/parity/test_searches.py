"""Generated filters and orders give both clients the runs that plain Python gives; generated paths mean the same."""

from __future__ import annotations

from typing import Any

import pytest
from case import Raised, attempt, differences
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from searched import FIELDS, PROJECT, RUNS, in_order, matches, record
from stage import Stage

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
PLAYED = settings(
    max_examples=60, derandomize=True, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip

TEXTS = st.sampled_from(
    ["r0", "r3", "alpha", "beta", "a", "b", "x", "x y", "sgd", "0.1", "", "Done", "done", "failed", "漢"]
)
NUMBERS = st.sampled_from([0, 0.1, 0.5, 1, 1.0, -2, 2, 3, 0.75, 2**53, 2**53 + 1, 2**60, 1e300])
SCALARS = st.one_of(TEXTS, NUMBERS, st.booleans(), st.none())
ORDERED = st.one_of(TEXTS, NUMBERS)
PATTERNS = st.sampled_from(["alpha", "^alpha$", "^a", "a$", "[xy]", "漢", "(?i)DONE", r"\d", "", "r[0-4]", "x y", "."])
CONFIG = ["lr", "seed", "opt", "opt.name", "opt.k", "flag", "list", "big", "nothing", "opt.nothing"]
SUMMARY = ["loss", "val", "val.acc", "val.best", "val.best.epoch", "word", "nothing", "none"]
KEYS = [
    *(f"config.{key}" for key in CONFIG),
    *(f"config.{head}.value{dot}{rest}" for head, dot, rest in (key.partition(".") for key in CONFIG)),
    *(f"summary_metrics.{key}" for key in SUMMARY),
]
MOMENTS = ["createdAt", "created_at", "heartbeatAt", "heartbeat_at"]
PLAIN = [name for name in FIELDS if name not in MOMENTS]


def asked(values: st.SearchStrategy[Any], ordered: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What is asked of one key: a value, or operators."""
    several = st.lists(values, min_size=1, max_size=3)
    operators = {
        "$eq": values, "$ne": values, "$gt": ordered, "$gte": ordered, "$lt": ordered, "$lte": ordered, "$in": several,
        "$nin": several, "$exists": st.booleans(), "$regex": PATTERNS,
    }  # fmt: skip
    one = st.sampled_from(sorted(operators)).flatmap(lambda name: st.fixed_dictionaries({name: operators[name]}))
    two = st.tuples(one, one).map(lambda pair: pair[0] | pair[1])
    return st.one_of(values, one, one, two)


def filters(moments: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Filters on all fields; times are those of runs, and some around them."""
    leaf = st.one_of(
        st.tuples(st.sampled_from([*PLAIN, *KEYS]), asked(SCALARS, ORDERED)),
        st.tuples(st.sampled_from(MOMENTS), asked(st.sampled_from(moments), st.sampled_from(moments)).filter(timed)),
    ).map(lambda pair: dict([pair]))
    return st.recursive(
        st.one_of(leaf, st.tuples(leaf, leaf).map(lambda pair: pair[0] | pair[1])),
        lambda inner: st.tuples(st.sampled_from(["$and", "$or", "$nor"]), st.lists(inner, min_size=1, max_size=3)).map(
            lambda pair: dict([pair])
        ),
        max_leaves=4,
    )


def timed(asked: Any) -> bool:
    return not isinstance(asked, dict) or "$regex" not in asked


@pytest.fixture(scope="module")
def known(stage: Stage) -> list[dict[str, Any]]:
    """All runs of the project, as the official client shows them; they are what was written."""
    found = [record(run) for run in stage.official.runs(PROJECT)]
    assert [each["name"] for each in found] == list(RUNS)
    for each in found:
        wanted = RUNS[each["name"]]
        assert (each["config"], each["summary_metrics"]) == (wanted.get("config", {}), wanted.get("summary", {}))
        assert (each["tags"], each["group"]) == (wanted.get("tags", []), wanted.get("group"))
    return found


def ids(api: Any, **options: Any) -> Any:
    api.flush()
    return attempt(lambda: [run.id for run in api.runs(PROJECT, **options)])


@PLAYED
@given(data=st.data())
def test_a_filter_gives_what_plain_python_gives(stage: Stage, known: list[dict[str, Any]], data: st.DataObject) -> None:
    times = [each["createdAt"] for each in known] + [each["heartbeatAt"] for each in known]
    query = data.draw(filters([*times, "2000-01-01", "2100-01-01T00:00:00+02:00"]))
    expected = [each["name"] for each in known if matches(each, query)]
    assert ids(stage.ours, filters=query) == expected
    assert ids(stage.official, filters=query) == expected


@pytest.mark.parametrize("key", [*FIELDS, *KEYS])
def test_every_field_is_found_by_what_it_holds(stage: Stage, known: list[dict[str, Any]], key: str) -> None:
    from searched import MISSING, value_of

    held = next((value for value in (value_of(each, key) for each in known) if value not in (MISSING, None)), "none")
    query = {key: {"$in": [held]}}
    expected = [each["name"] for each in known if matches(each, query)]
    assert ids(stage.ours, filters=query) == ids(stage.official, filters=query) == expected


@PLAYED
@given(sign=st.sampled_from(["+", "-", ""]), key=st.sampled_from([*KEYS, *PLAIN, *MOMENTS]), per_page=st.integers(1, 4))
def test_an_order_is_the_one_of_plain_python(
    stage: Stage, known: list[dict[str, Any]], sign: str, key: str, per_page: int
) -> None:
    order = sign + key
    mine, theirs = (ids(api, order=order, per_page=per_page) for api in (stage.ours, stage.official))
    assert list(differences(mine, theirs)) == []
    if not isinstance(mine, Raised):
        assert mine == in_order(known, order)
    else:
        assert key == "tags"


NAMES = st.sampled_from(
    ["local", "lab", "run-0", "runs", "sweeps", "reports", "none", "x:y", ":", "", " ", "a b", "ü", "latest"]
)
SEPARATORS = st.sampled_from(["/", "/", "/", ":", "//", "/runs/", "/sweeps/", "/reports/", "--", "-"])
PATHS = st.one_of(
    st.tuples(NAMES, st.lists(st.tuples(SEPARATORS, NAMES), max_size=4)).map(
        lambda parts: parts[0] + "".join(separator + name for separator, name in parts[1])
    ),
    st.sampled_from(["/", "/local/lab/run-0/", " local/lab/run-0", "local/lab/", "/lab", "lab/runs/run-0"]),
)


def parsed(call: Any, *names: str) -> Any:
    """What a path was taken for, told without asking whether it is there."""
    found = attempt(call)
    return found if isinstance(found, Raised) else [getattr(found, name) for name in names]


@PLAYED
@example(path="lab")
@example(path="local/lab/run-0")
@example(path="local/lab/runs/run-0")
@example(path="a/b/c/d/e")
@given(path=PATHS)
def test_a_path_of_a_run_means_the_same(stage: Stage, path: str) -> None:
    mine, theirs = (
        parsed(lambda api=api: api.run(path), "entity", "project", "id") for api in (stage.ours, stage.official)
    )
    assert list(differences(mine, theirs)) == []
