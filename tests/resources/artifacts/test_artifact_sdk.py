"""The official client and ours on one server: what one writes the other reads, and both read alike."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from artifact_files import write_files

import runframe
from runframe.server import open_local
from runframe.testing import Server, serving

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    # The official package's own modules warn while they are imported and used.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*is a reference"),
]

FACTS = [
    "id", "name", "entity", "project", "version", "qualified_name", "source_entity", "source_project",
    "source_version", "source_name", "source_qualified_name", "type", "description", "metadata", "ttl", "aliases",
    "tags", "distributed_id", "incremental", "use_as", "state", "digest", "size", "commit_hash", "file_count",
    "created_at", "updated_at", "url", "is_link", "history_step", "linked_at",
]  # fmt: skip
COLLECTION = [
    "id", "name", "type", "entity", "project", "organization", "description", "tags", "aliases", "created_at",
    "updated_at", "project_id", "project_internal_id",
]  # fmt: skip
KINDS = ("CommError", "ValueError", "KeyError", "TypeError", "AttributeError", "FileNotFoundError")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose artifacts the official SDK logged."""
    root = tmp_path_factory.mktemp("sdk")
    program = Path(__file__).with_name("logging_artifacts.py")
    with open_local(root / "store") as local, serving(local, root / "home") as server:
        folder = write_files(root / "files")
        command = [sys.executable, str(program), str(folder)]
        subprocess.run(command, env=server.environment, cwd=root, check=True, timeout=120)
        yield server


@pytest.fixture
def official(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    server.use(monkeypatch)
    monkeypatch.delenv("WANDB_ARTIFACT_DIR")
    import wandb

    return wandb.Api(timeout=60)


@pytest.fixture
def ours(server: Server) -> Iterator[runframe.Api]:
    with runframe.Api({"base_url": server.url}, api_key=server.api_key) as api:
        yield api


def facts(artifact: Any) -> dict[str, Any]:
    return {name: getattr(artifact, name) for name in FACTS}


def entry(found: Any) -> list[Any]:
    return [found.path, found.digest, found.ref, found.birth_artifact_id, found.size, found.extra, found.to_json()]


def described(collection: Any) -> list[Any]:
    return [*(getattr(collection, name) for name in COLLECTION), collection.is_sequence(), repr(collection)]


def plain(value: Any) -> Any:
    """A table's cells as both clients can give them."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return plain(value.tolist()) if hasattr(value, "tolist") else value


def table(found: Any) -> list[Any]:
    return [found.columns, plain(found.data)]


# Not with skip_cache: in the official 0.31.0 that sets a target for all downloads of the process, and mixes up files.
def content(api: Any, name: str, **options: Any) -> dict[str, bytes]:
    root = Path(f"{type(api).__module__}-{name.replace('/', '-')}")
    assert api.artifact(name).download(root=str(root), **options) == str(root)
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def deleted_file(api: Any) -> None:
    content(api, "par/data:v1")
    artifact = api.artifact("par/data:v1")
    root = next(Path().glob(f"{type(api).__module__}-par-data*"))
    (root / "a.txt").unlink()
    artifact.verify(str(root))


READS: dict[str, Callable[[Any], Any]] = {
    **{
        f"facts of {name}": lambda api, name=name: facts(api.artifact(name))
        for name in (
            "par/data:first", "par/data:v0", "par/data", "local/par/data:latest", "par/net:v0", "par/zoo:champion",
            "par/derived:v0", "par/run-logger-table:latest",
        )
    },
    **{
        f"artifact {name}": lambda api, name=name: api.artifact(name)
        for name in ("nope", "par/nope:v0", "x/y/z:v1", "a/b/c/d", None, "", "par/data:v9", "par/data:")
    },
    **{
        f"exists {name}": lambda api, name=name: api.artifact_exists(name)
        for name in ("par/data:v0", "par/nope:v0", "x/y/z:v1", "a/b/c/d", "par/data:v9")
    },
    **{
        f"manifest of {name}": lambda api, name=name: (
            {path: entry(found) for path, found in api.artifact(name).manifest.entries.items()},
            api.artifact(name).manifest.to_manifest_json(),
            api.artifact(name).manifest.digest(),
            len(api.artifact(name).manifest),
        )
        for name in ("par/data:v0", "par/derived:v0", "par/zoo:champion")
    },
    **{
        f"entry {path}": lambda api, path=path: (
            entry(api.artifact("par/data:v0").get_entry(path)),
            api.artifact("par/data:v0").get_entry(path).ref_url(),
        )
        for path in ("a.txt", "tab", "tab.table.json", "pic", "nope", "sub", "./a.txt", "ref.txt")
    },
    **{
        f"content of {name}": lambda api, name=name: content(api, name)
        for name in ("par/data:v0", "par/derived:v0", "par/zoo:champion", "par/run-logger-table:latest")
    },
    **{
        f"collections of {kind}": lambda api, kind=kind: [
            described(found) for found in api.artifact_collections("par", kind)
        ]
        for kind in ("dataset", "model", "run_table", "nope")
    },
    **{
        f"table {path} of {name}": lambda api, name=name, path=path: table(api.artifact(name).get(path))
        for name, path in (
            ("par/data:v0", "tab"), ("par/data:v0", "arrays"), ("par/data:v0", "parts/1"), ("par/derived:v0", "again"),
            ("par/run-logger-table:latest", "table"),
        )
    },
    "wrong type": lambda api: api.artifact("par/data:v0", type="model"),
    "types": lambda api: [(found.name, found.id, found.type, repr(found)) for found in api.artifact_types("par")],
    "type": lambda api: (api.artifact_type("dataset", "par").id, api.artifact_type("dataset", "par").project),
    "missing type": lambda api: api.artifact_type("nope", "par"),
    "types of nothing": lambda api: list(api.artifact_types("nope")),
    "types of a project": lambda api: [found.name for found in api.project("par").artifacts_types()],
    "collections of a project": lambda api: [described(found) for found in api.project("par").collections()],
    "collection": lambda api: described(api.artifact_collection("model", "par/zoo")),
    "missing collection": lambda api: api.artifact_collection("model", "par/data"),
    "collection exists": lambda api: [
        api.artifact_collection_exists(name, kind)
        for name, kind in (("par/data", "dataset"), ("par/data", "model"), ("par/nope", "dataset"))
    ],
    "versions": lambda api: [facts(found) for found in api.artifacts("dataset", "par/data")],
    "versions of a portfolio": lambda api: [facts(found) for found in api.artifacts("model", "par/zoo")],
    "number of versions": lambda api: len(api.artifacts("dataset", "par/data", per_page=1)),
    "versions by tags": lambda api: [found.name for found in api.artifacts("dataset", "par/data", tags=["red"])],
    "versions by no tags": lambda api: [
        found.name for found in api.artifacts("dataset", "par/data", tags=["red", "zz"])
    ],
    "versions in order": lambda api: [found.name for found in api.artifacts("dataset", "par/data", order="created_at")],
    "versions in no order": lambda api: list(api.artifacts("dataset", "par/data", order="a b")),
    "versions of nothing": lambda api: list(api.artifacts("dataset", "par/nope")),
    "old name of versions": lambda api: [found.name for found in api.artifact_versions("dataset", "par/data")],
    "logged": lambda api: [facts(found) for found in api.run("par/logger").logged_artifacts()],
    "used": lambda api: [facts(found) for found in api.run("par/user").used_artifacts()],
    "number of logged": lambda api: len(api.run("par/logger").logged_artifacts(per_page=2)),
    "creator": lambda api: [
        getattr(api.artifact("par/data:v0").logged_by(), name) for name in ("id", "name", "project", "state", "config")
    ],
    "users": lambda api: [(run.id, run.name, run.state) for run in api.artifact("par/data:v0").used_by()],
    "no users": lambda api: api.artifact("par/data:v1").used_by(),
    "encoded": lambda api: api.artifact("par/data:first").json_encode(),
    "files": lambda api: [
        [getattr(file, name) for name in ("id", "name", "size", "md5", "mimetype", "updated_at")]
        for file in api.artifact("par/data:v0").files()
    ],
    "some files": lambda api: [file.name for file in api.artifact("par/data:v0").files(names=["a.txt", "nope"])],
    "number of files": lambda api: len(api.artifact("par/data:v0").files(per_page=2)),
    "links": lambda api: [facts(found) for found in api.artifact("par/net:v0").linked_artifacts],
    "source": lambda api: facts(api.artifact("par/zoo:champion").source_artifact),
    "home": lambda api: repr(api.artifact("par/zoo:v0").collection),
    "source home": lambda api: repr(api.artifact("par/zoo:v0").source_collection),
    "content by prefix": lambda api: content(api, "par/data:v0", path_prefix="su"),
    "default folders": lambda api: [
        api.artifact("par/zoo:champion").download(),
        api.artifact("par/net:v0").file(),
        api.artifact("par/net:v0").checkout(),
        api.artifact("par/net:v0").get_entry("w.bin").download(),
        api.artifact("par/net:v0").get_entry("w.bin").download(root="q"),
    ],
    "several files as one": lambda api: api.artifact("par/data:v0").file(),
    "verified": deleted_file,
    "parts": lambda api: [row for _, row in api.artifact("par/data:v0").get("whole").iterrows()],
    "no object": lambda api: (api.artifact("par/data:v0").get("nope"), api.artifact("par/data:v0").get("a.txt")),
    "no reference": lambda api: api.artifact("par/data:v0").get_entry("a.txt").ref_target(),
}  # fmt: skip


def outcome(read: Callable[[Any], Any], api: Any) -> Any:
    try:
        return read(api)
    except Exception as error:
        return error


@pytest.mark.parametrize("name", READS)
def test_both_clients_read_alike(official: Any, ours: runframe.Api, name: str) -> None:
    theirs, mine = (outcome(READS[name], api) for api in (official, ours))
    if not isinstance(theirs, Exception):
        assert mine == theirs
    else:
        assert isinstance(mine, Exception)
        kinds = {kind.__name__ for kind in type(theirs).__mro__} & set(KINDS)
        assert kinds <= {kind.__name__ for kind in type(mine).__mro__}


def test_increments_are_read_completely(ours: runframe.Api) -> None:
    # The official client gives the first row twice, and the last one not at all.
    artifact = ours.artifact("par/run-logger-incr-inc:latest")
    frames = [artifact.table(path).to_polars().rows() for path in artifact.manifest.entries]
    assert frames == [[(0, 0.0), (1, 0.5), (2, 1.0)]] * 3


def test_frames_hold_what_the_tables_do(official: Any, ours: runframe.Api) -> None:
    frame = ours.artifact("par/data:v0").table("tab").to_polars()
    theirs = official.artifact("par/data:v0").get("tab").get_dataframe()
    assert frame.columns == list(theirs.columns)
    assert frame["i"].to_list() == theirs["i"].tolist()
    assert frame["when"].to_list() == [moment.to_pydatetime() for moment in theirs["when"]]
    assert frame["arr"].to_list() == [[0, 1, 2], [0, 1, 2]]


# Written by one, read by the other.


@pytest.fixture
def written(ours: runframe.Api, folder: Path) -> runframe.Artifact:
    """What our client logged."""
    artifact = runframe.Artifact("ours", "dataset", description="text", metadata={"a": 1, "b": {"c": [1.5]}})
    artifact.add_dir(str(folder))
    artifact.add_reference(f"file://{folder}/a.txt", "ref.txt")
    table = runframe.Table(
        columns=["i", "f", "s", "when", "l", "d"],
        data=[[1, 1.5, "x", dt.datetime(2024, 1, 2), [1, 2], {"k": 1}], [2, None, None, None, [3], {"k": 2}]],
    )
    artifact.add(table, "tab")
    artifact.ttl = dt.timedelta(hours=5)
    artifact.save("written", api=ours, aliases=["mine"], tags=["red one"])
    return artifact


def test_what_we_log_the_official_client_reads(official: Any, ours: runframe.Api, written: runframe.Artifact) -> None:
    theirs = official.artifact("written/ours:v0")
    assert facts(theirs) == facts(ours.artifact("written/ours:v0"))
    assert (theirs.ttl, theirs.aliases, theirs.tags) == (dt.timedelta(hours=5), ["latest", "mine"], ["red one"])
    assert theirs.digest == theirs.manifest.digest() == written.digest
    assert content(official, "written/ours:v0") == content(ours, "written/ours:v0")
    assert table(theirs.get("tab")) == table(written.get("tab"))
    assert theirs.get("tab").get_dataframe()["i"].tolist() == [1, 2]
    creator = theirs.logged_by()
    assert (creator.job_type, creator.state) == ("auto", "finished")


def test_what_we_change_the_official_client_sees(official: Any, written: runframe.Artifact) -> None:
    written.aliases = ["latest", "better"]
    written.tags.append("blue")
    written.metadata["a"] = 2
    written.description = "new"
    written.ttl = None
    written.save()
    theirs = official.artifact("written/ours:v0")
    assert facts(theirs) == facts(written)
    assert (theirs.aliases, theirs.tags, theirs.ttl) == (["latest", "better"], ["red one", "blue"], None)


def test_what_the_official_client_changes_we_see(official: Any, ours: runframe.Api, written: runframe.Artifact) -> None:
    theirs = official.artifact("written/ours:v0")
    theirs.aliases.append("seen")
    theirs.tags = ["green"]
    theirs.description = "theirs"
    theirs.save()
    mine = ours.artifact("written/ours:seen")
    assert (mine.tags, mine.description) == (["green"], "theirs")


def test_links_are_seen_both_ways(official: Any, ours: runframe.Api, written: runframe.Artifact) -> None:
    link = written.link("written/shelf", aliases=["prod"])
    assert facts(official.artifact("written/shelf:prod")) == facts(ours.artifact("written/shelf:prod"))
    official.artifact("written/shelf:prod").unlink()
    assert not ours.artifact_exists("written/shelf:prod")
    official.artifact("written/ours:v0").link("written/other")
    assert ours.artifact("written/other").source_name == "ours:v0"
    assert link.id == written.id


def test_runs_are_seen_both_ways(official: Any, ours: runframe.Api, written: runframe.Artifact) -> None:
    run = ours.create_run(project="written")
    run.use_artifact(ours.artifact("par/data:v0"))
    run.log_artifact(written, aliases=["relogged"])
    theirs = official.run(f"written/{run.id}")
    assert [found.qualified_name for found in theirs.used_artifacts()] == ["local/par/data:v0"]
    assert [found.qualified_name for found in theirs.logged_artifacts()] == ["local/written/ours:v0"]
    assert "relogged" in official.artifact("written/ours:v0").aliases


def test_collections_are_changed_both_ways(official: Any, ours: runframe.Api, written: runframe.Artifact) -> None:
    mine = ours.artifact_collection("dataset", "written/ours")
    mine.description, mine.tags = "text", ["a", "b"]
    mine.save()
    theirs = official.artifact_collection("dataset", "written/ours")
    assert (theirs.description, sorted(theirs.tags)) == ("text", ["a", "b"])
    theirs.tags = ["b"]
    theirs.save()
    mine.load()
    assert mine.tags == ["b"]


def test_drafts_are_made_alike(official: Any, folder: Path) -> None:
    import wandb

    digests = []
    for package in (wandb, runframe):
        draft = package.Artifact("x", "dataset")
        draft.add_dir(str(folder), name="in")
        draft.add_file(str(folder / "a.txt"), is_tmp=True)
        draft.add_reference(f"file://{folder}", name="refs", checksum=False)
        with draft.new_file("n/x.txt") as file:
            file.write("text")
        draft.remove("in/sub")
        digests.append((draft.digest, draft.size, sorted(draft.manifest.entries)))
    assert digests[0] == digests[1]


def test_what_we_delete_is_gone_for_both(official: Any, ours: runframe.Api, folder: Path) -> None:
    artifact = runframe.Artifact("gone", "dataset")
    artifact.add_file(str(folder / "a.txt"))
    artifact.save("written", api=ours)
    artifact.delete(delete_aliases=True)
    assert not official.artifact_exists("written/gone:v0")
    ours.artifact_collection("dataset", "written/gone").delete()
    assert not official.artifact_collection_exists("written/gone", "dataset")
