"""Documents that select less: valid in the protocol's schema, whatever columns are asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from runframe.resources.client import Client
from runframe.resources.files import Files
from runframe.resources.projection import projected
from runframe.resources.projects import Project, Projects
from runframe.resources.queues.items import QueuedRuns
from runframe.resources.reports import Reports
from runframe.resources.runs import Runs
from runframe.resources.sweeps import Sweeps
from runframe.server.resolvers.schema import schema_text

NOUNS: dict[str, Callable[[Client], Any]] = {
    "runs": lambda client: Runs(client, "local", "digits"),
    "projects": lambda client: Projects(client, "local"),
    "files": lambda client: Files(client, Runs(client, "local", "digits")[0]),
    "reports": lambda client: Reports(client, Project(client, "local", "digits")),
    "queued runs": lambda client: QueuedRuns(client, "local", "queue"),
    "sweeps": lambda client: Sweeps(client, "local", "digits"),
}


@pytest.fixture(scope="module")
def protocol() -> GraphQLSchema:
    return build_schema(schema_text())


@pytest.mark.parametrize("noun", NOUNS)
def test_a_document_for_each_column_is_valid(noun: str, client: Client, protocol: GraphQLSchema) -> None:
    collection = NOUNS[noun](client)
    for name in collection.SCHEMA.names:
        said = collection.scan([name], limit=1).explain()
        assert said.document is not None
        assert validate(protocol, parse(said.document)) == []


def test_keys_and_heavy_fields_come_and_go(runs: Runs, protocol: GraphQLSchema) -> None:
    document = runs.scan(["summary.loss", "config"]).explain().document
    assert document is not None
    assert validate(protocol, parse(document)) == []
    for wanted in ("summaryMetrics(keys: $keys)", "$keys: [String!]", "config"):
        assert wanted in document
    for absent in ("systemMetrics", "historyKeys", "tags", "fragment"):
        assert absent not in document


def test_without_a_wish_the_document_is_the_nouns_own() -> None:
    whole = projected("runs", "Runs", ("project", "runs"), None, frozenset())
    assert "fragment LightRun" in whole.text
    assert projected("runs", "Runs", ("project", "runs"), None, frozenset({"config"})) is whole
    assert projected("runs", "Runs", ("nowhere",), frozenset({"id"}), frozenset()) is whole
    assert whole.name == projected("runs", "Runs", ("project", "runs"), frozenset({"id"}), frozenset()).name == "Runs"
