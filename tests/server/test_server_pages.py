"""Pages of runs: their cursors, their size, their order, and what goes on meanwhile."""

from __future__ import annotations

import json
from typing import Any

import pytest
from store_client import Client

RUNS = """query Runs($order: String, $filters: JSONString, $cursor: String, $size: Int) {
    project(name: "p") { runCount(filters: $filters)
    runs(order: $order, filters: $filters, after: $cursor, first: $size) {
        totalCount edges { node { name summaryMetrics } cursor } pageInfo { endCursor hasNextPage } } } }"""


def read(client: Client, size: int = 2, between: Any = None, **variables: Any) -> list[str]:
    names: list[str] = []
    cursor, more = None, True
    while more:
        runs = client.graphql(RUNS, cursor=cursor, size=size, **variables)["project"]["runs"]
        assert len(runs["edges"]) <= size
        assert all(edge["cursor"] for edge in runs["edges"])
        names += [edge["node"]["name"] for edge in runs["edges"]]
        more, cursor = runs["pageInfo"]["hasNextPage"], runs["pageInfo"]["endCursor"]
        assert not more or cursor == runs["edges"][-1]["cursor"]
        if between is not None:
            between()
    return names


@pytest.fixture
def filled(client: Client) -> Client:
    for number, loss in enumerate((0.5, None, 0.1, "NaN", 0.3)):
        summary = f'{{"loss": {loss}}}' if loss is not None else "{}"
        client.begin(f"r{number}", summaryMetrics=summary)
    return client


@pytest.mark.parametrize(
    ("order", "names"),
    [
        (None, ["r0", "r1", "r2", "r3", "r4"]),
        ("-created_at", ["r4", "r3", "r2", "r1", "r0"]),
        ("created_at", ["r4", "r3", "r2", "r1", "r0"]),
        ("+summary_metrics.loss", ["r2", "r4", "r0", "r3", "r1"]),
        ("-summary_metrics.loss", ["r0", "r4", "r2", "r3", "r1"]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 5, 50])
def test_every_run_comes_once_in_the_order_asked_for(
    filled: Client, order: str | None, names: list[str], size: int
) -> None:
    assert read(filled, size, order=order) == names


def test_runs_that_are_made_meanwhile_push_nothing_out_or_twice_in(filled: Client) -> None:
    numbers = iter(range(100, 200))
    found = read(filled, 2, between=lambda: filled.begin(f"new{next(numbers)}"), order="-created_at")
    assert found == ["r4", "r3", "r2", "r1", "r0"]


def test_a_run_that_is_deleted_meanwhile_takes_no_other_with_it(filled: Client) -> None:
    first = filled.graphql(RUNS, size=2)["project"]["runs"]
    delete = "mutation D($id: ID!) { deleteRun(input: {id: $id}) { clientMutationId } }"
    filled.graphql(delete, id=filled.run("id", "r1")["id"])
    rest = filled.graphql(RUNS, size=10, cursor=first["pageInfo"]["endCursor"])["project"]["runs"]
    assert [edge["node"]["name"] for edge in rest["edges"]] == ["r2", "r3", "r4"]


def test_filters_reach_the_count_and_the_page(filled: Client) -> None:
    filters = json.dumps({"$or": [{"summary_metrics.loss": {"$lt": 0.4}}, {"name": "r0"}]})
    assert read(filled, 1, filters=filters) == ["r0", "r2", "r4"]
    project = filled.graphql(RUNS, filters=filters, size=1)["project"]
    assert (project["runCount"], project["runs"]["totalCount"]) == (3, 3)


def test_an_empty_cursor_is_the_beginning(filled: Client) -> None:
    assert len(filled.graphql(RUNS, cursor="")["project"]["runs"]["edges"]) == 5


def test_a_page_of_none_has_nothing_to_go_on_from(filled: Client) -> None:
    page = filled.graphql(RUNS, size=0)["project"]["runs"]
    assert page == {"totalCount": 5, "edges": [], "pageInfo": {"endCursor": None, "hasNextPage": False}}


def test_no_page_is_larger_than_a_thousand(client: Client) -> None:
    client.begin()
    with client.local.store.write() as connection:
        project = connection.execute("SELECT id FROM projects").fetchone()[0]
        connection.executemany(
            "INSERT INTO runs (project_id, name, state, created_at, updated_at, heartbeat_at)"
            " VALUES (?, ?, 'finished', '2026', '2026', '2026')",
            [(project, f"n{number}") for number in range(1200)],
        )
    runs = client.graphql(RUNS, size=5000)["project"]["runs"]
    assert (len(runs["edges"]), runs["pageInfo"]["hasNextPage"], runs["totalCount"]) == (1000, True, 1201)


def test_a_node_has_what_official_clients_cannot_do_without(filled: Client) -> None:
    node = filled.run("projectId user { name username } createdAt fileCount id historyKeys tags readOnly", "r0")
    assert isinstance(node["projectId"], int)
    assert node["user"] == {"name": "local", "username": "local"}
    assert node["createdAt"].endswith("Z") and node["fileCount"] == 0 and isinstance(node["id"], str)
