"""The pytest plugin. pytest loads it wherever the package is installed, so it imports nothing before a fixture is used.

```python
def test_my_report(runframe_api):
    run = runframe_api.create_run(project="demo")
    ...

def test_my_training(runframe_server):
    subprocess.run([sys.executable, "train.py"], env=runframe_server.environment, check=True)
    assert runframe_server.api().runs("demo")[0].state == "finished"
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from runframe.api import Api
    from runframe.server import LocalServer
    from runframe.testing.serving import Server


@pytest.fixture
def runframe_store(tmp_path: Path) -> Iterator[LocalServer]:
    """An empty W&B store in a folder of its own, opened in this process."""
    from runframe.server import open_local

    with open_local(tmp_path / "runframe-store") as local:
        yield local


@pytest.fixture
def runframe_api(runframe_store: LocalServer, tmp_path: Path) -> Iterator[Api]:
    """A `runframe.Api` on `runframe_store`, without a server between them and without anybody's own settings."""
    from runframe.testing.serving import open_api

    base_url = f"local:{runframe_store.store.directory}"
    with open_api(base_url, runframe_store.api_key, tmp_path / "runframe-home") as api:
        yield api


@pytest.fixture
def runframe_server(runframe_store: LocalServer, tmp_path: Path) -> Iterator[Server]:
    """`runframe_store` served over HTTP on a free port; has `url`, `api_key`, `environment` (for scripts), `api()`."""
    from runframe.testing.serving import serving

    with serving(runframe_store, tmp_path / "runframe-home") as server:
        yield server
