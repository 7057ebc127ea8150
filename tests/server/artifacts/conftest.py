"""A writer of artifacts to an empty store."""

from __future__ import annotations

import pytest
from artifact_writer import Writer
from store_client import Client


@pytest.fixture
def writer(client: Client) -> Writer:
    client.begin()
    return Writer(client)
