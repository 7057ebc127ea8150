"""Artifacts that are made and changed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from artifact_making import draft, logged, on_draft, table
from case import Cases, Read, Write, package


def drafted(api: Any) -> list[Any]:
    artifact = draft(api, description="d", metadata={"a": 1, "nan": float("nan")}, incremental=False)
    Path("tmp.table.json").write_text("{}")
    with artifact.new_file("n/x.txt") as file:
        file.write("text")
    added = [
        artifact.add_file("in/a.txt", "again.txt"), artifact.add_file("tmp.table.json", is_tmp=True),
        artifact.add_file("in/sub/b.txt", policy="immutable"),
        artifact.add_file("in/a.txt", "again.txt", overwrite=True),
        *artifact.add_reference("s3://bucket/key", name="ref", checksum=False),
    ]  # fmt: skip
    artifact.add_dir("in", name="in")
    artifact.remove("in/sub")
    artifact.remove(added[0])
    return [
        [[found.path, found.digest, found.size, found.ref, found.extra] for found in added],
        sorted(artifact.manifest.entries), artifact.digest, artifact.size,
        artifact.get_added_local_path_name("in/a.txt"), artifact.is_draft(), artifact.state, artifact.id,
        artifact.name, artifact.type, artifact.metadata, artifact.description, artifact.source_name,
        artifact.incremental, artifact.is_link, artifact.distributed_id, repr(artifact),
        artifact.get_entry("n/x.txt").size, "b.txt" in artifact.manifest.entries,
    ]  # fmt: skip


def tabled(api: Any) -> list[Any]:
    found = package(api).Table(columns=["a", "b"], data=[[1, "x"], [2, None]])
    artifact = package(api).Artifact("t", "dataset")
    artifact.add(found, "tab")
    artifact["other"] = package(api).Table(columns=["a"], data=[[1.5]])
    return [sorted(artifact.manifest.entries), artifact.digest, table(artifact.get("tab")), table(artifact["other"])]


def finalized(api: Any) -> Any:
    artifact = draft(api)
    artifact.finalize()
    return artifact.add_file("in/a.txt")


def changed(api: Any, project: str) -> None:
    artifact = logged(api, project, metadata={"a": 1})
    artifact.aliases = ["latest", "best"]
    artifact.aliases.append("more")
    artifact.tags = ["red one"]
    artifact.description = "größe"
    artifact.metadata["b"] = {"c": [1.5, None]}
    artifact.ttl = dt.timedelta(hours=5)
    artifact.save()
    artifact.aliases.remove("best")
    artifact.tags = ["blue", "green"]
    artifact.save()


def second(api: Any, project: str) -> None:
    artifact = logged(api, project, description="first", metadata={"k": 1})
    new = artifact.new_draft()
    new.remove("sub")
    with new.new_file("c.txt") as file:
        file.write("c")
    if package(api).__name__ == "wandb":
        wandb = package(api)
        with wandb.init(project=project, settings=wandb.Settings(silent=True, console="off")) as run:
            run.log_artifact(new).wait()
    else:
        new.save(project, api=api)


def linked(api: Any, project: str) -> None:
    artifact = logged(api, project)
    artifact.link(f"{project}/shelf", aliases=["prod"])
    artifact.link(f"{project}/other")
    api.artifact(f"{project}/other:v0").unlink()


def used(api: Any, project: str) -> None:
    artifact = logged(api, project)
    run = api.create_run(run_id="user", project=project)
    run.use_artifact(api.artifact("par/data:v0"))
    run.use_artifact(artifact, use_as="input")
    run.log_artifact(artifact, aliases=["relogged"], tags=["tag"])


def new(artifact: Any, name: str, mode: str = "x") -> None:
    with artifact.new_file(name, mode=mode) as file:
        file.write(b"text" if "b" in mode else "text")


CASES: Cases = {
    "Run.use_artifact": {
        "and log_artifact": Write(
            used,
            lambda api, p: [
                [found.source_name for found in api.run(f"{p}/user").used_artifacts()],
                [found.name for found in api.run(f"{p}/user").logged_artifacts()],
                sorted((found := api.artifact(f"{p}/made:v0")).aliases),
                found.tags,
                [r.id for r in found.used_by()],
            ],
            [["data:v0", "made:v0"], ["made:v0"], ["latest", "relogged"], ["tag"], ["user"]],
        ),
        "a draft": Read(lambda api: api.run("lab/running").use_artifact(draft(api))),
        "none at all": Read(lambda api: api.run("lab/running").use_artifact("par/data:v0")),
        "what it gives": Read(
            lambda api: (
                (found := api.artifact("par/data:v0"))
                is api.create_run(run_id="user", project="made").use_artifact(found)
            )
        ),
    },
    "Run.log_artifact": {
        "a draft": Read(lambda api: api.run("lab/running").log_artifact(draft(api))),
        "of another project": Read(lambda api: api.run("lab/running").log_artifact(api.artifact("par/data:v0"))),
        "none at all": Read(lambda api: api.run("lab/running").log_artifact("par/data:v0")),
    },
    "Artifact.ttl": {
        "no time": Read(lambda api: setattr(api.artifact("par/data:v0"), "ttl", dt.timedelta(0))),
        "of a link": Read(lambda api: setattr(api.artifact("par/zoo:v0"), "ttl", dt.timedelta(1))),
        "of a draft": on_draft("ttl"),
    },
    "Artifact.aliases": {
        "that cannot be": Read(lambda api: setattr(api.artifact("par/data:v0"), "aliases", ["a/b"])),
        "of a draft": on_draft("aliases"),
    },
    "Artifact.tags": {"that cannot be": Read(lambda api: setattr(api.artifact("par/data:v0"), "tags", ["a/b"]))},
    "Artifact.metadata": {
        "no mapping": Read(lambda api: setattr(draft(api), "metadata", 3)),
        "too much": Read(lambda api: setattr(draft(api), "metadata", {str(n): n for n in range(101)})),
        "infinite": Read(lambda api: draft(api, metadata={"x": float("inf")})),
    },
    "Artifact.add_file": {
        "and the rest of a draft": Read(drafted),
        "that is not there": Read(lambda api: draft(api).add_file("nothing")),
        "another one of the same name": Read(lambda api: draft(api).add_file("in/a.txt", "sub/b.txt")),
        "to what is logged": Read(lambda api: api.artifact("par/data:v0").add_file("in")),
        "to what is finalized": Read(finalized),
        "above the folder": Read(lambda api: draft(api).add_file("in/a.txt", "../x")),
        "a policy that there is not": Read(lambda api: draft(api).add_file("in/a.txt", "x", policy="nonsense")),
    },
    "Artifact.add_dir": {
        "that is not there": Read(lambda api: draft(api).add_dir("nothing")),
        "below a name": Read(lambda api: [(made := draft(api)).add_dir("in", name="x"), sorted(made.manifest.entries)]),
    },
    "Artifact.new_file": {
        "twice": Read(lambda api: [made := draft(api), new(made, "x"), new(made, "x")]),
        "in bytes": Read(lambda api: [made := draft(api), new(made, "x", "wb"), made.digest][-1]),
    },
    "Artifact.add_reference": {
        "without a scheme": Read(lambda api: draft(api).add_reference("nothing")),
        "of an unknown scheme": Read(lambda api: [x.to_json() for x in draft(api).add_reference("odd://x/y", "n")]),
        "of an unknown scheme, nameless": Read(lambda api: draft(api).add_reference("odd://x/y")),
        "an entry of a version": Read(
            lambda api: [x.to_json() for x in draft(api).add_reference(api.artifact("par/data:v0").get_entry("a.txt"))]
        ),
        "a file that is not there": Read(lambda api: draft(api).add_reference("file:///nothing/at/all")),
    },
    "Artifact.add": {
        "tables": Read(tabled),
        "what is no table": Read(lambda api: draft(api).add("text", "x")),
    },
    "Artifact.remove": {"what is not there": Read(lambda api: draft(api).remove("nothing"))},
    "Artifact.get_added_local_path_name": {
        "of another file": Read(lambda api: draft(api).get_added_local_path_name("nothing"))
    },
    "Artifact.finalize": {
        "and then read": Read(lambda api: [(made := draft(api)).finalize(), made.is_draft(), made.digest])
    },
    "Artifact.new_draft": {
        "and the next version": Write(
            second,
            lambda api, p: [
                (found := api.artifact(f"{p}/made:v1")).description,
                found.metadata,
                sorted(found.manifest.entries),
                found.aliases,
                api.artifact(f"{p}/made:v0").aliases,
            ],
            ["first", {"k": 1}, ["a.txt", "c.txt"], ["latest"], []],
        ),
        "of a draft": on_draft("new_draft"),
    },
    "Artifact.save": {
        "all that can be changed": Write(
            changed,
            lambda api, p: [
                sorted((found := api.artifact(f"{p}/made:v0")).aliases),
                sorted(found.tags),
                found.description,
                found.metadata,
                found.ttl,
                api.artifact_exists(f"{p}/made:best"),
                api.artifact(f"{p}/made:more").version,
            ],
            [
                ["latest", "more"],
                ["blue", "green"],
                "größe",
                {"a": 1, "b": {"c": [1.5, None]}},
                dt.timedelta(hours=5),
                False,
                "v0",
            ],
        )
    },
    "Artifact.wait": {
        "for what is there": Read(lambda api: (found := api.artifact("par/data:v0")).wait() is found),
        "for a draft": on_draft("wait"),
    },
    "Artifact.delete": {
        "with aliases": Read(lambda api: api.artifact("par/data:v0").delete()),
        "a draft": on_draft("delete"),
    },
    "Artifact.link": {
        "and unlink": Write(
            linked,
            lambda api, p: [
                (found := api.artifact(f"{p}/shelf:prod")).source_name,
                found.is_link,
                found.aliases,
                found.version,
                api.artifact_exists(f"{p}/other:v0"),
                [x.name for x in api.artifact(f"{p}/made:v0").linked_artifacts],
            ],
            ["made:v0", True, ["latest", "prod"], "v0", False, ["shelf:v0"]],
        ),
        "a path that is none": Read(lambda api: api.artifact("par/net:v0").link("a/b/c/d")),
    },
    "Artifact.unlink": {
        "what is no link": Read(lambda api: api.artifact("par/net:v0").unlink()),
        "a draft": on_draft("unlink"),
    },
}
