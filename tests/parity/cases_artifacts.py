"""Versions of artifacts: what they say of themselves, what is in them, where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from artifact_making import logged, on_draft, seen_facts, table
from case import Cases, Read, Write

NAMES = [
    "par/data:first", "par/data:v0", "par/data", "local/par/data:latest", "par/net:v0", "par/zoo:champion",
    "par/derived:v0", "par/run-logger-table:latest",
]  # fmt: skip
WRONG = ["nope", "par/nope:v0", "x/y/z:v1", "a/b/c/d", None, "", "par/data:v9", "par/data:", "nobody/par/data:v0"]


def manifest(api: Any, name: str) -> list[Any]:
    found = api.artifact(name).manifest
    return [found.entries, found.to_manifest_json(), found.digest(), len(found)]


def entry(api: Any, path: str) -> list[Any]:
    found = api.artifact("par/data:v0").get_entry(path)
    return [found, found.ref_url(), found.to_json(), found.parent_artifact().qualified_name]


# Not with skip_cache: in the official 0.31.0 that sets a target for all downloads of the process, and mixes up files.
def content(api: Any, name: str, **options: Any) -> dict[str, bytes]:
    assert api.artifact(name).download(root="down", **options) == "down"
    return contained("down")


def contained(root: str) -> dict[str, bytes]:
    files = sorted(path for path in Path(root).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def verified(api: Any, spoil: Any) -> Any:
    artifact = api.artifact("par/data:v1")
    root = Path(artifact.download(root="down"))
    spoil(root)
    return artifact.verify(str(root))


def checked_out(api: Any) -> list[Any]:
    """What is below the folder afterwards, where something else was."""
    Path("here/deep").mkdir(parents=True)
    Path("here/deep/old.txt").write_text("old")
    api.artifact("par/data:v0").download("here")
    return [api.artifact("par/data:v1").checkout("here"), contained("here")]


def read_tree(api: Any) -> list[Any]:
    artifact = api.artifact("par/net:v0")
    found = [
        artifact.download(), artifact.file(), artifact.checkout(), api.artifact("par/zoo:champion").download(),
        artifact.get_entry("w.bin").download(), artifact.get_entry("w.bin").download(root="q"),
        artifact.file(root="r"),
    ]  # fmt: skip
    here = f"{Path.cwd()}/"
    return [artifact.get_path("w.bin").path, *([path.startswith(here), path.removeprefix(here)] for path in found)]


def replaced(path: Path) -> None:
    """Another file in the place of one: what is downloaded may be a link into the cache."""
    path.unlink()
    path.write_text("other")


CASES: Cases = {
    "Api.artifact": {
        **{f"{name}": Read(lambda api, name=name: api.artifact(name)) for name in [*NAMES, *WRONG]},
        "of a type": Read(lambda api: api.artifact("par/data:v0", type="dataset").digest),
        "of another type": Read(lambda api: api.artifact("par/data:v0", type="model")),
        "by name": Read(lambda api: api.artifact(name="par/data:v0", type=None).name),
        "what the other one logged": Write(
            lambda api, project: logged(api, project, description="d", metadata={"a": 1, "b": {"c": [1.5]}}),
            seen_facts("name", "type", "description", "metadata", "digest", "size", "file_count", "aliases", "version"),
            [
                "made:latest",
                "dataset",
                "d",
                {"a": 1, "b": {"c": [1.5]}},
                "f7b56e4c3ae05faaa13cac2fa94c938d",
                10,
                2,
                ["latest"],
                "v0",
            ],
        ),
    },
    "Api.artifact_exists": {
        "all kinds of names": Read(lambda api: [api.artifact_exists(name) for name in NAMES]),
        "none of them": Read(lambda api: [api.artifact_exists(name) for name in WRONG if name is not None]),
        "of a type": Read(lambda api: [api.artifact_exists("par/data:v0", kind) for kind in ("dataset", "model")]),
        "None": Read(lambda api: api.artifact_exists(None)),
    },
    "Run.logged_artifacts": {
        "of a run": Read(lambda api: api.run("par/logger").logged_artifacts()),
        "of a run without": Read(lambda api: list(api.run("lab/running").logged_artifacts())),
    },
    "Run.used_artifacts": {"of a run": Read(lambda api: api.run("par/user").used_artifacts(per_page=1))},
    "Artifact.collection": {"of a link": Read(lambda api: repr(api.artifact("par/zoo:v0").collection))},
    "Artifact.source_collection": {"of a link": Read(lambda api: repr(api.artifact("par/zoo:v0").source_collection))},
    "Artifact.linked_artifacts": {
        "of a version": Read(lambda api: api.artifact("par/net:v0").linked_artifacts),
        "of a link": Read(lambda api: api.artifact("par/zoo:v0").linked_artifacts),
        "of a draft": on_draft("linked_artifacts"),
    },
    "Artifact.source_artifact": {
        "of a link": Read(lambda api: api.artifact("par/zoo:champion").source_artifact),
        "of a version": Read(lambda api: (found := api.artifact("par/net:v0")).source_artifact is found),
    },
    "Artifact.is_draft": {"of a version": Read(lambda api: api.artifact("par/data:v0").is_draft())},
    "Artifact.manifest": {name: Read(lambda api, name=name: manifest(api, name)) for name in NAMES},
    "Artifact.used_by": {
        "runs": Read(lambda api: [[run.id, run.name, run.state] for run in api.artifact("par/derived:v0").used_by()]),
        "a draft": on_draft("used_by"),
    },
    "Artifact.logged_by": {
        "a run": Read(
            lambda api: [getattr(api.artifact("par/data:v0").logged_by(), x) for x in ("id", "name", "state", "config")]
        ),
        "a draft": on_draft("logged_by"),
    },
    "Artifact.json_encode": {
        "a version": Read(lambda api: api.artifact("par/data:first").json_encode()),
        "a draft": on_draft("json_encode"),
    },
    "Artifact.get_entry": {
        **{
            path: Read(lambda api, path=path: entry(api, path))
            for path in ("a.txt", "tab", "tab.table.json", "pic", "nope", "sub", "./a.txt", "ref.txt")
        }
    },
    "Artifact.get_path": {"and default folders": Read(read_tree)},
    "Artifact.get": {
        **{
            f"{path} of {name}": Read(lambda api, name=name, path=path: table(api.artifact(name).get(path)))
            for name, path in (
                ("par/data:v0", "tab"),
                ("par/data:v0", "arrays"),
                ("par/data:v0", "parts/1"),
                ("par/derived:v0", "again"),
                ("par/run-logger-table:latest", "table"),
            )
        },
        "no object": Read(
            lambda api: [api.artifact("par/data:v0").get("nope"), api.artifact("par/data:v0").get("a.txt")]
        ),
        "parts": Read(lambda api: [row for _, row in api.artifact("par/data:v0").get("whole").iterrows()]),
    },
    "Artifact.files": {
        "all": Read(lambda api: api.artifact("par/data:v0").files()),
        "some": Read(lambda api: [file.name for file in api.artifact("par/data:v0").files(names=["a.txt", "nope"])]),
        "in pages": Read(lambda api: [file.name for file in api.artifact("par/data:v0").files(per_page=2)]),
        "of a link": Read(lambda api: [file.name for file in api.artifact("par/zoo:v0").files()]),
        "of a draft": on_draft("files"),
    },
    "Artifact.file": {"several": Read(lambda api: api.artifact("par/data:v0").file()), "a draft": on_draft("file")},
    "Artifact.download": {
        **{f"{name}": Read(lambda api, name=name: content(api, name)) for name in NAMES},
        "by prefix": Read(lambda api: content(api, "par/data:v0", path_prefix="su")),
        "a draft": on_draft("download"),
    },
    "Artifact.checkout": {"where something is": Read(checked_out), "a draft": on_draft("checkout")},
    "Artifact.verify": {
        "as it is": Read(lambda api: verified(api, lambda root: None)),
        "a file is missing": Read(lambda api: verified(api, lambda root: (root / "a.txt").unlink())),
        "a file is another": Read(lambda api: verified(api, lambda root: replaced(root / "a.txt"))),
        "a file too many": Read(lambda api: verified(api, lambda root: (root / "x").write_text("x"))),
        "nothing is there": Read(lambda api: api.artifact("par/data:v1").verify("nothing")),
    },
    "ArtifactManifestEntry.parent_artifact": {
        "of a version": Read(lambda api: api.artifact("par/data:v0").get_entry("a.txt").parent_artifact().name)
    },
    "ArtifactManifestEntry.download": {
        "a reference": Read(
            lambda api: Path(api.artifact("par/derived:v0").get_entry("a.txt").download("q")).read_text()
        )
    },
    "ArtifactManifestEntry.ref_target": {
        # The official client takes what a file is in the end for no reference.
        "of a reference": Read(
            lambda api: api.artifact("par/derived:v0").get_entry("a.txt").ref_target(),
            theirs=lambda api: api.artifact("par/data:v0").get_entry("a.txt").ref_url(),
        ),
        "of a reference to elsewhere": Read(
            lambda api: api.artifact("par/data:v0").get_entry("ref.txt").ref_target(),
            # The official client fetches it, and gives the path of its copy.
            theirs=lambda api: api.artifact("par/data:v0").get_entry("ref.txt").ref,
        ),
        "of none": Read(lambda api: api.artifact("par/data:v0").get_entry("a.txt").ref_target()),
    },
    "ArtifactManifestEntry.ref_url": {
        "of a reference": Read(lambda api: api.artifact("par/derived:v0").get_entry("a.txt").ref_url())
    },
    "ArtifactManifestEntry.to_json": {
        "all": Read(lambda api: [x.to_json() for x in api.artifact("par/data:v0").manifest.entries.values()])
    },
}
