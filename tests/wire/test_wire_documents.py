"""A document is parsed once, when it is made."""

from __future__ import annotations

import json
import pickle

import pytest

from runframe.wire import Document


def test_a_document_knows_its_operation() -> None:
    assert (Document("query Runs { a }").name, Document("query Runs { a }").is_mutation) == ("Runs", False)
    assert Document("mutation Upsert { a }").is_mutation


def test_fragments_may_stand_beside_the_operation() -> None:
    assert Document("fragment F on Run { id } query Runs { run { ...F } }").name == "Runs"


@pytest.mark.parametrize("text", ["query Runs {", "", "query A { a } query B { b }", "fragment F on R { a }"])
def test_anything_but_one_operation_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Document(text)


def test_the_body_of_a_request_is_json() -> None:
    body = json.loads(Document('query A { a(b: "ü\\n") }').body({"c": "ä\n"}))
    assert body == {"operationName": "A", "query": 'query A { a(b: "ü\\n") }', "variables": {"c": "ä\n"}}


def test_an_operation_may_go_without_a_name() -> None:
    for text in ("{ viewer { id } }", "query ($a: Int) { a(b: $a) }"):
        document = Document(text)
        assert document.name == "anonymous"
        assert json.loads(document.body({"a": 1})) == {"query": text, "variables": {"a": 1}}


def test_it_pickles_as_its_text() -> None:
    assert pickle.loads(pickle.dumps(Document("query A { a }"))).text == "query A { a }"
