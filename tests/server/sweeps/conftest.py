"""Sweeps of a fresh store."""

from __future__ import annotations

import pytest
from store_client import Client
from sweeping import Sweeping


@pytest.fixture
def sweeping(client: Client) -> Sweeping:
    return Sweeping(client)
