"""Documents: what is taken although it is odd, because official clients send it."""

from __future__ import annotations

import json

import pytest
from graphql import validate
from store_client import Client

from runframe.server.execution import Executor
from runframe.server.resolvers.schema import schema


def test_variables_that_the_document_does_not_declare_are_passed_over(client: Client) -> None:
    assert client.graphql("query Viewer { viewer { username } }", usedAs="x")["viewer"] == {"username": "local"}


def test_a_text_is_taken_where_a_list_is_declared(client: Client) -> None:
    client.begin()
    query = 'query Q($s: [JSONString!]!) { project(name: "p") { run(name: "r") { sampledHistory(specs: $s) } } }'
    assert client.graphql(query, s='{"keys": ["a"]}')["project"]["run"]["sampledHistory"] == [[]]


def test_an_empty_operation_name_is_none(client: Client) -> None:
    body = {"query": "query A { viewer { id } }", "operationName": "", "variables": None}
    assert client.request("POST", "/graphql", json=body).json()["data"]["viewer"]["id"]


def test_an_unknown_operation_is_named_however_many_there_are(client: Client) -> None:
    answer = client.request("POST", "/graphql", json={"query": "{ one two }"})
    assert answer.status_code == 400
    assert "one" in answer.text and "two" in answer.text


def test_a_document_is_parsed_and_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    times = []

    def counting(*arguments: object) -> list[object]:
        times.append(1)
        return validate(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("runframe.server.execution.validate", counting)
    executor = Executor(schema())
    assert executor.prepare("{ viewer { id } }") is executor.prepare("{ viewer { id } }")
    assert len(times) == 1


def test_only_so_many_documents_are_remembered() -> None:
    executor = Executor(schema())
    first = executor.prepare("{ viewer { id } }")
    for number in range(600):
        executor.prepare(f"query Q{number} {{ viewer {{ id }} }}")
    assert executor.prepare("{ viewer { id } }") is not first


def test_who_asks(client: Client) -> None:
    query = """query Viewer { viewer { id entity username email flags admin deletedAt
        teams { edges { node { name } } } apiKeys { edges { node { id name description } } } } }"""
    viewer = client.graphql(query)["viewer"]
    assert (viewer["entity"], viewer["username"], viewer["admin"], viewer["deletedAt"]) == (
        "local",
        "local",
        True,
        None,
    )
    assert json.loads(viewer["flags"]) == {}
    assert viewer["teams"]["edges"] == [{"node": {"name": "local"}}]
    shown = viewer["apiKeys"]["edges"][0]["node"]["name"]
    assert client.local.api_key not in json.dumps(viewer) and client.local.api_key.startswith(shown[:4])


def test_what_the_server_says_of_itself(client: Client) -> None:
    info = client.graphql("{ serverInfo { features { name isEnabled } cliVersionInfo } }")["serverInfo"]
    assert {"name": "TOTAL_COUNT_IN_FILE_CONNECTION", "isEnabled": True} in info["features"]
    assert isinstance(info["cliVersionInfo"], dict)


def test_the_entity_has_no_organization(client: Client) -> None:
    query = (
        '{ entity(name: "local") { isTeam organization { coreWeaveOrganizationId } } none: entity(name: "x") { id } }'
    )
    assert client.graphql(query) == {"entity": {"isTeam": False, "organization": None}, "none": None}


def test_the_front_door_says_what_this_is(client: Client) -> None:
    answer = client.request("GET", "/", auth=None)
    assert (answer.status_code, answer.json()["name"]) == (200, "runframe")
    assert client.request("HEAD", "/", auth=None).status_code == 200
