"""Listings that are too long for a few pages, on a real store: side by side, and the same as one after the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runframe import Api
from runframe.resources import collection
from runframe.resources.runs import Runs
from runframe.server import open_local
from runframe.wire import spread

RUNS = 60


@pytest.fixture(scope="module")
def long_store(tmp_path_factory: pytest.TempPathFactory, recorder: Any) -> Path:
    """A store of runs that were created over some days, a few of them in one moment."""
    folder = tmp_path_factory.mktemp("long")
    with open_local(folder) as local:
        record = recorder(local)
        for number in range(RUNS):
            record.run(f"p/run-{number:03}", config={"n": number}, tags=["even"] if number % 2 == 0 else [])
        with local.store.write() as connection:
            for number in range(RUNS):
                at = f"2026-01-{1 + number // 20:02}T{number % 20:02}:{7 * (number // 4) % 60:02}:00.000000Z"
                connection.execute("UPDATE runs SET created_at = ? WHERE name = ?", (at, f"run-{number:03}"))
    return folder


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "BATCH_PAGE", 5)


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Gives what is read of a listing with no two pages under way."""

    def read(runs: Runs) -> list[dict[str, Any]]:
        with monkeypatch.context() as patch:
            patch.setattr(spread, "LONG", 10**9)
            found: list[dict[str, Any]] = runs.to_arrow().to_pylist()
        return found

    return read


@pytest.fixture
def api(long_store: Path) -> Iterator[Api]:
    with Api(f"local:{long_store}") as api:
        yield api


def listing(api: Api, filters: dict[str, Any] | None = None, order: str = "+created_at") -> Runs:
    """A listing that has read nothing yet."""
    return Runs(api.client, "local", "p", filters, order)


def asked_of(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The filters that are sent from now on."""
    sent: list[dict[str, Any]] = []
    submit = api.client.session.submit

    def note(document: Any, variables: Any = None, **options: Any) -> Any:
        sent.append(json.loads(variables.get("filters") or "{}"))
        return submit(document, variables, **options)

    monkeypatch.setattr(api.client.session, "submit", note)
    return sent


@pytest.mark.parametrize("order", ["+created_at", "-created_at", "+heartbeat_at", "-config.n.value"])
@pytest.mark.parametrize("filters", [None, {"tags": "even"}, {"$or": [{"config.n.value": {"$lt": 50}}]}])
def test_every_order_and_filter_gives_what_pages_one_by_one_give(
    api: Api, one_by_one: Any, monkeypatch: pytest.MonkeyPatch, order: str, filters: dict[str, Any] | None
) -> None:
    expected = one_by_one(listing(api, filters, order))
    sent = asked_of(api, monkeypatch)
    assert listing(api, filters, order).to_arrow().to_pylist() == expected
    assert len(expected) in (RUNS, RUNS // 2, 50)
    stretches = [each for each in sent if "created_at" in json.dumps(each)]
    assert bool(stretches) == order.endswith("created_at")


def test_a_scan_of_a_few_columns_with_the_time_is_read_side_by_side_too(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = asked_of(api, monkeypatch)
    found = listing(api).scan(["created_at", "config.n"], where={"config.n": {"$gte": 10}}).to_arrow()
    assert found["config.n"].to_pylist() == list(range(10, RUNS))
    assert any("created_at" in json.dumps(each) and "config" in json.dumps(each) for each in sent)


def test_a_scan_without_the_time_asks_for_it_not_even_then(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = asked_of(api, monkeypatch)
    assert listing(api).scan(["config.n"]).to_arrow()["config.n"].to_pylist() == list(range(RUNS))
    assert not any("created_at" in json.dumps(each) for each in sent)
