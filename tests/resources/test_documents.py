"""The documents that the client sends are valid in the protocol's schema, and each is used."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest
from graphql import build_schema, parse, validate

import runframe
from runframe.resources.documents import document, operations
from runframe.server.resolvers.schema import schema_text

FOLDER = files("runframe.resources.documents")
NOUNS = sorted(entry.name.removesuffix(".graphql") for entry in FOLDER.iterdir() if entry.name.endswith(".graphql"))
SCHEMA = build_schema(schema_text())
DOCUMENTS = [(noun, name) for noun in NOUNS for name in operations(noun)]


def test_there_are_documents_and_a_wrong_one_is_noticed() -> None:
    assert {"account", "artifacts", "files", "history", "projects", "runs"} <= set(NOUNS)
    assert len(DOCUMENTS) > 50
    assert validate(SCHEMA, parse("query Q { viewer { nonsense } }")) != []


@pytest.mark.parametrize(("noun", "name"), DOCUMENTS)
def test_each_document_is_valid_and_holds_only_what_it_needs(noun: str, name: str) -> None:
    found = document(noun, name)
    assert found.name == name
    assert validate(SCHEMA, found.node) == []


@pytest.mark.parametrize(("noun", "name"), DOCUMENTS)
def test_each_document_is_sent_by_something(noun: str, name: str) -> None:
    package = Path(runframe.__file__).parent
    places = [package / "api.py", *package.glob("resources/**/*.py"), *package.glob("export/**/*.py")]
    sources = [path.read_text(encoding="utf-8") for path in places]
    assert any(re.search(rf'"{name}"', source) for source in sources)


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="Nonsense"):
        document("runs", "Nonsense")
