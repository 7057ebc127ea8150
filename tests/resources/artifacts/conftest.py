"""A store of artifacts, written by our own client through the server's own doors; folders and caches of its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from artifact_files import write_files

from runframe import Api, Artifact, Table
from runframe.server import open_local


@pytest.fixture(autouse=True)
def _folders_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cache, staging and working folder are below the test's own folder."""
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with four files, one of them below another folder."""
    return write_files(tmp_path / "files")


def fill(api: Api, folder: Path) -> None:
    """Two versions of a dataset, a model that is linked, and a table."""
    run = api.create_run("logger", "p")
    first = Artifact("data", "dataset", description="rows", metadata={"rows": 3, "deep": {"a": [1, 2]}})
    first.add_dir(str(folder))
    first.add(
        Table(
            columns=["i", "f", "s", "when"],
            data=[[1, 1.5, "x", dt.datetime(2024, 1, 2, 3, 4, 5, 678000)], [2, float("inf"), None, None]],
        ),
        "tab",
    )
    first.save(run=run, aliases=["first", "best"], tags=["red", "big one"])
    second = Artifact("data", "dataset")
    second.add_file(str(folder / "a.txt"))
    second.save(run=run, tags=["red"])
    model = Artifact("net", "model")
    model.add_file(str(folder / "B.txt"), "w.bin")
    model.ttl = dt.timedelta(days=3)
    model.save("p", api=api, tags="prod")
    model.link("p/zoo", ["champion"])
    api.create_run("user", "p").use_artifact(api.artifact("p/data:first"))


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a store with artifacts in it. For reading alone."""
    root = tmp_path_factory.mktemp("artifacts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_CACHE_DIR", str(root / "cache"))
        patch.setenv("WANDB_DATA_DIR", str(root / "data"))
        with open_local(root / "store"):
            pass
        with Api(f"local:{root / 'store'}") as api:
            fill(api, write_files(root / "files"))
    return root / "store"


@pytest.fixture(scope="module")
def api(stocked: Path) -> Iterator[Api]:
    """An `Api` on the store that is for reading."""
    with Api(f"local:{stocked}") as api:
        yield api


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Api]:
    """An `Api` on an empty store of its own, to write to."""
    with open_local(tmp_path / "store"):
        pass
    with Api({"base_url": f"local:{tmp_path / 'store'}", "project": "p"}) as api:
        yield api


@pytest.fixture
def draft(folder: Path) -> Artifact:
    """A draft with the four files."""
    artifact = Artifact("data", "dataset")
    artifact.add_dir(str(folder))
    return artifact
