"""The demo store, opened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runframe import Api


@pytest.fixture
def demo(demo_store: Path) -> Iterator[Api]:
    with Api(f"local:{demo_store}") as api:
        yield api
