"""What scans ask, as a short record."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from runframe.resources.client import Client
from runframe.resources.runs import Runs

if TYPE_CHECKING:
    from conftest import Asked


@dataclass
class Sent:
    """One request: the fields that it selects of a run, its filter, page size and keys."""

    fields: set[str]
    filters: Any
    size: int
    keys: list[str] | None


class Watch:
    """The requests for runs since the last look."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked

    def look(self) -> list[Sent]:
        found = [
            Sent(
                set(re.findall(r"\b\w+\b", document.partition("node {")[2].partition("cursor")[0])),
                json.loads(variables["filters"]),
                variables["perPage"],
                variables.get("keys"),
            )
            for (name, variables), document in zip(self.asked.operations, self.asked.documents, strict=True)
            if name in ("Runs", "FullRuns")
        ]
        self.asked.operations.clear()
        self.asked.documents.clear()
        return found

    def one(self) -> Sent:
        [sent] = self.look()
        return sent


@pytest.fixture
def watch(asked: Asked) -> Watch:
    return Watch(asked)


@pytest.fixture
def runs(client: Client) -> Runs:
    return Runs(client, "local", "digits")
