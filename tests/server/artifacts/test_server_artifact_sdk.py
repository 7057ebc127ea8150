"""The official SDK logs, uses, edits and deletes artifacts over HTTP, and its client reads them back."""

from __future__ import annotations

import datetime
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
from served_process import Official, ServerProcess

pytestmark = [pytest.mark.sdk, pytest.mark.slow]

HELPERS = """
import pathlib
def draft(name, files, kind="dataset", **rest):
    made = wandb.Artifact(name, kind, **rest)
    for path, text in files.items():
        with made.new_file(path) as file:
            file.write(text)
    return made
def refusal(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__ + ": " + str(error)
def content(root):
    root = pathlib.Path(root)
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}
"""


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Official]:
    home = tmp_path_factory.mktemp("official")
    server = ServerProcess(home / "store")
    try:
        yield Official(server, home)
    finally:
        assert server.stop() == 0


def run(official: Official, code: str) -> Any:
    return official.run(f"{HELPERS}\nresult = {{}}\n{textwrap.dedent(code)}")


LOG = """
folder = pathlib.Path("data")
(folder / "sub").mkdir(parents=True)
(folder / "a.txt").write_text("alpha")
(folder / "sub" / "b.txt").write_text("beta")
(folder / "empty").write_text("")
table = wandb.Table(columns=["a", "b"], data=[[1, "x"], [2, "y"]])
def whole():
    made = wandb.Artifact("data", "dataset", description="first", metadata={"x": 1, "odd": float("nan")})
    made.add_dir("data")
    made.add_reference((folder / "a.txt").resolve().as_uri(), name="local.txt")
    made.add(table, "t")
    return made
with wandb.init(project="p", id="maker") as run:
    first = run.log_artifact(whole(), aliases=["best"], tags=["t 1", "t2"]).wait()
    names = ("name", "version", "state", "aliases", "tags", "metadata", "description", "size", "file_count", "ttl",
             "qualified_name", "source_name", "history_step")
    result["first"] = {name: getattr(first, name) for name in names}
    right = first.digest == first.manifest.digest()
    result["ids"] = (first.id, right, first.url.endswith("/artifacts/dataset/data/v0"))
    again = run.log_artifact(whole(), aliases=["again"]).wait()
    result["again"] = (again.id == first.id, sorted(again.aliases))
    run.log({"loss": 1})
    second = run.log_artifact(draft("data", {"a.txt": "other"})).wait()
    result["second"] = (second.name, second.aliases, second.history_step)
    result["wrong type"] = refusal(lambda: run.log_artifact(draft("data", {"a": "b"}, "model")).wait())
    run.log({"table": table})
    elsewhere = wandb.Artifact("elsewhere", "links")
    elsewhere.add_reference("https://example.invalid/x.csv", name="ref.csv", checksum=False)
    elsewhere = run.log_artifact(elsewhere).wait()
    result["elsewhere"] = [(file.name, file.size, file.direct_url) for file in elsewhere.files()]
with wandb.init(project="p", id="user") as run:
    used = run.use_artifact("data:best")
    made = draft("made", {"m.json": "{}"}, "model")
    made.add_reference(used.get_entry("a.txt"), name="copied.txt")
    made = run.use_artifact(made).wait()
    result["draft"] = (made.name, made.state, [run.id for run in made.used_by()], made.logged_by())
    linked = run.link_artifact(used, "prod", aliases=["live"])
    result["linked"] = (linked.qualified_name, linked.aliases, linked.is_link, linked.source_qualified_name)
"""


@pytest.fixture(scope="module")
def logged(official: Official) -> Any:
    return run(official, LOG)


def test_a_logged_version_says_what_was_given(logged: Any) -> None:
    assert logged["first"] == {
        "name": "data:v0",
        "version": "v0",
        "state": "COMMITTED",
        "aliases": ["latest", "best"],
        "tags": ["t 1", "t2"],
        "metadata": {"x": 1, "odd": None},
        "description": "first",
        "size": logged["first"]["size"],
        "file_count": 5,
        "ttl": None,
        "qualified_name": "local/p/data:v0",
        "source_name": "data:v0",
        "history_step": None,
    }
    assert logged["ids"][1:] == (True, True)


def test_the_same_content_is_no_new_version(logged: Any) -> None:
    assert logged["again"] == (True, ["again", "best", "latest"])
    assert logged["second"] == ("data:v1", ["latest"], 0)


def test_a_collection_holds_one_type(logged: Any) -> None:
    assert logged["wrong type"].startswith("ValueError") and "'dataset'" in logged["wrong type"]


def test_a_reference_elsewhere_is_listed_as_it_is(logged: Any) -> None:
    assert logged["elsewhere"] == [("ref.csv", 0, "https://example.invalid/x.csv")]


def test_a_draft_is_used_and_a_version_is_linked(logged: Any) -> None:
    assert logged["draft"] == ("made:v0", "COMMITTED", ["user"], None)
    assert logged["linked"] == ("local/p/prod:v0", ["latest", "live"], True, "local/p/data:v0")


@pytest.fixture(scope="module")
def read(official: Official, logged: Any) -> Any:
    return run(
        official,
        """
        api = wandb.Api()
        v0 = api.artifact("p/data:v0")
        result["types"] = [found.name for found in api.artifact_types("p")]
        result["collections"] = [(found.name, found.is_sequence(), sorted(found.aliases))
                                 for found in api.artifact_collections("p", "dataset")]
        result["versions"] = [(found.name, found.aliases, found.is_link)
                              for found in api.artifacts("dataset", "p/data")]
        result["tagged"] = [found.name for found in api.artifacts("dataset", "p/data", tags="t2")]
        result["prod"] = [(found.name, found.version, found.source_name, found.is_link)
                          for found in api.artifacts("dataset", "p/prod")]
        result["len"] = (len(api.artifacts("dataset", "p/data")), len(v0.files()))
        result["exists"] = [api.artifact_exists(name) for name in ("p/data:best", "p/data:v9", "p/no:v0", "no/data:v0")]
        result["exists"] += [api.artifact_collection_exists("p/data", kind) for kind in ("dataset", "model")]
        result["by"] = (v0.logged_by().id, [run.id for run in v0.used_by()])
        maker, user = api.run("p/maker"), api.run("p/user")
        result["logged"] = ([found.name for found in maker.logged_artifacts()], len(maker.logged_artifacts(per_page=1)))
        result["used"] = [found.name for found in user.used_artifacts()]
        result["links"] = [(found.name, found.aliases) for found in v0.linked_artifacts]
        result["files"] = [(file.name, file.size) for file in v0.files(per_page=2)]
        result["chosen"] = [file.name for file in v0.files(names=["sub/b.txt", "nope"])]
        made = api.artifact("p/made:latest")
        result["made"] = content(made.download("made", skip_cache=True))
        result["copied from"] = made.manifest.entries["copied.txt"].ref == v0.get_entry("a.txt").ref_url()
        made.verify("made")
        result["table"] = v0.get("t").data
        root = v0.download("down", path_prefix="sub")
        result["prefix"] = content(root)
        result["entry"] = pathlib.Path(v0.get_entry("sub/b.txt").download("entry", skip_cache=True)).read_text()
        pathlib.Path("made/extra").write_text("x")
        result["extra"] = refusal(lambda: made.verify("made"))
        made.checkout("made")
        result["checked out"] = sorted(content("made"))
        result["jobs"] = api.list_jobs("local", "p")
        result["registry"] = refusal(lambda: api.artifact("wandb-registry-model/x:v0"))
        result["filtered"] = [found.name for found in
            api.artifact_type("dataset", "p").collections(filters={"name": {"$regex": "^p"}}, order="-name")]
        result["runs"] = [found.id for found in api.runs("p", {"inputArtifacts": "local/p/data:v0"})]
        result["ordered"] = [found.name for found in api.artifacts("dataset", "p/data", order="+createdAt")]
        """,
    )


def test_types_collections_and_versions_are_listed(read: Any) -> None:
    assert read["types"] == ["dataset", "links", "model", "run_table"]
    assert read["collections"] == [
        ("data", True, ["again", "best", "latest", "v0", "v1"]),
        ("prod", False, ["latest", "live", "v0"]),
    ]
    assert read["versions"] == [("data:v1", ["latest"], False), ("data:v0", ["best", "again"], False)]
    assert (read["tagged"], read["ordered"]) == (["data:v0"], ["data:v0", "data:v1"])
    assert read["prod"] == [("prod:v0", "v0", "data:v0", True)]
    assert (read["len"], read["filtered"]) == ((2, 5), ["prod"])
    assert read["exists"] == [True, False, False, False, True, False]


def test_lineage_is_read_both_ways(read: Any) -> None:
    assert read["by"] == ("maker", ["user"])
    assert read["logged"] == (["data:v0", "data:v1", "run-maker-table:v0", "elsewhere:v0"], 4)
    assert read["used"] == ["data:v0", "made:v0"]
    assert read["links"] == [("prod:v0", ["v0", "latest", "live"])]
    assert read["runs"] == ["user"]


def test_files_are_listed_downloaded_and_verified(read: Any) -> None:
    names = ["a.txt", "empty", "local.txt", "sub/b.txt", "t.table.json"]
    assert [name for name, _ in read["files"]] == names
    assert dict(read["files"])["sub/b.txt"] == 4
    assert read["chosen"] == ["sub/b.txt"]
    assert read["made"] == {"m.json": "{}", "copied.txt": "alpha"} and read["copied from"]
    assert read["prefix"] == {"sub/b.txt": "beta"}
    assert read["entry"] == "beta"
    assert read["table"] == [[1, "x"], [2, "y"]]
    assert "extra" in read["extra"]
    assert read["checked out"] == ["copied.txt", "m.json"]


def test_what_is_not_there_is_said_so(read: Any) -> None:
    assert read["jobs"] == []
    assert "organization" in read["registry"]


@pytest.fixture(scope="module")
def edited(official: Official) -> Any:
    return run(
        official,
        """
        import datetime
        api = wandb.Api()
        with wandb.init(project="e", id="maker") as run:
            for text in "012":
                run.log_artifact(draft("d", {"a.txt": text}), aliases=["v-" + text]).wait()
            timed = draft("timed", {"a": "b"})
            timed.ttl = datetime.timedelta(days=2)
            result["ttl"] = run.log_artifact(timed).wait().ttl
            back = run.log_artifact(draft("d", {"a.txt": "0"})).wait()
            result["back"] = (back.name, back.aliases)
        def state(name):
            found = api.artifact(name)
            return found.description, found.metadata, sorted(found.aliases), sorted(found.tags), found.ttl
        one = api.artifact("e/d:v1")
        one.description, one.tags, one.ttl = "changed", ["x", "y"], datetime.timedelta(hours=1)
        one.metadata["deep"] = {"list": [1, 2.5, None]}
        one.aliases.append("best")
        one.save()
        result["saved"] = state("e/d:v1")
        one = api.artifact("e/d:best")
        one.aliases, one.tags, one.ttl = [], ["y"], None
        one.save()
        result["saved again"] = state("e/d:v1")
        result["refused"] = refusal(lambda: api.artifact("e/d:latest").delete())
        api.artifact("e/d:latest").delete(delete_aliases=True)
        api.artifact("e/d:v1").delete()
        result["left"] = [found.name for found in api.artifacts("dataset", "e/d")]
        collection = api.artifact_collection("dataset", "e/d")
        collection.name, collection.description, collection.tags = "renamed", "of things", ["q", "r"]
        collection.save()
        collection = api.artifact_collection("dataset", "e/renamed")
        result["collection"] = (collection.name, collection.description, sorted(collection.tags))
        collection.type, collection.tags = "moved", ["r"]
        collection.save()
        collection = api.artifact_collection("moved", "e/renamed")
        result["moved"] = (collection.type, collection.tags, [found.type for found in collection.artifacts()])
        source = api.artifact("e/timed:v0")
        result["link"] = [source.link("e/prod", aliases=["live"]).name, source.link("e/prod").name]
        linked = api.artifact("e/prod:live")
        linked.aliases = ["other"]
        linked.save()
        result["link aliases"] = (api.artifact("e/prod:v0").aliases, api.artifact("e/timed:v0").aliases)
        linked.unlink()
        result["unlinked"] = [api.artifact_exists(name) for name in ("e/prod:v0", "e/timed:v0")]
        result["linked again"] = source.link("e/prod").version
        api.artifact("e/prod:latest").delete()
        result["link deleted"] = [api.artifact_exists(name) for name in ("e/prod:v1", "e/timed:v0")]
        source.link("e/prod")
        portfolio = api.artifact_collection("dataset", "e/prod")
        portfolio.description = "linked"
        portfolio.save()
        portfolio.delete()
        api.artifact_collection("moved", "e/renamed").delete()
        result["collections"] = [(kind.name, [found.name for found in kind.collections()])
                                 for kind in api.artifact_types("e")]
        wandb.init(project="e", id="other").finish()
        other = api.run("e/other")
        other.log_artifact(api.artifact("e/timed:v0"), aliases=["public"], tags=["tagged"])
        other.use_artifact(api.artifact("e/timed:v0"))
        found = api.artifact("e/timed:v0")
        result["public"] = (sorted(found.aliases), found.tags, [found.name for found in other.logged_artifacts()],
                            [found.name for found in other.used_artifacts()])
        alone = draft("alone", {"z": "z"})
        alone.save("e")
        result["alone"] = (alone.wait().name, alone.logged_by().job_type)
        changed = api.artifact("e/alone:v0").new_draft()
        changed.remove("z")
        with changed.new_file("y") as file:
            file.write("y")
        with wandb.init(project="e", id="changer") as run:
            result["changed"] = (run.log_artifact(changed).wait().name, content(changed.download("changed")))
        api.run("e/other").delete()
        result["run deleted"] = api.artifact_exists("e/timed:v0")
        api.run("e/maker").delete(delete_artifacts=True)
        result["run deleted with artifacts"] = [api.artifact_exists(name) for name in ("e/timed:v0", "e/alone:v1")]
        """,
    )


def test_saved_changes_are_read_back(edited: Any) -> None:
    metadata = {"deep": {"list": [1, 2.5, None]}}
    assert edited["saved"] == ("changed", metadata, ["best", "v-1"], ["x", "y"], datetime.timedelta(hours=1))
    assert edited["saved again"] == ("changed", metadata, [], ["y"], None)
    assert edited["ttl"] == datetime.timedelta(days=2)


def test_content_of_an_older_version_makes_that_one_the_latest(edited: Any) -> None:
    assert edited["back"][0] == "d:v0" and "latest" in edited["back"][1]


def test_versions_and_collections_are_deleted(edited: Any) -> None:
    assert edited["refused"].startswith("CommError") and "'latest'" in edited["refused"]
    assert edited["left"] == ["d:v2"]
    assert edited["collections"] == [("dataset", ["timed"]), ("moved", [])]
    assert edited["run deleted"] is True
    assert edited["run deleted with artifacts"] == [False, True]


def test_collections_are_changed(edited: Any) -> None:
    assert edited["collection"] == ("renamed", "of things", ["q", "r"])
    assert edited["moved"] == ("moved", ["r"], ["moved"])


def test_links_are_made_changed_and_taken_away(edited: Any) -> None:
    assert edited["link"] == ["prod:v0", "prod:v0"]
    assert edited["link aliases"] == (["other"], ["latest"])
    assert edited["unlinked"] == [False, True]
    assert edited["linked again"] == "v1"
    assert edited["link deleted"] == [False, True]


def test_versions_are_logged_without_a_process_of_their_run(edited: Any) -> None:
    assert edited["public"] == (["latest", "public"], ["tagged"], ["timed:v0"], ["timed:v0"])
    assert edited["alone"] == ("alone:v0", "auto")
    assert edited["changed"] == ("alone:v1", {"y": "y"})


def test_tables_that_grow_and_writers_that_share_a_version(official: Official) -> None:
    found = run(
        official,
        """
        api = wandb.Api()
        for index in range(3):
            with wandb.init(project="m", id="writer-" + str(index), group="g") as run:
                part = draft("shared", {"f" + str(index): str(index)})
                send = run.finish_artifact if index == 2 else run.upsert_artifact
                send(part, distributed_id="D")
            if index < 2:
                result["before " + str(index)] = api.artifact_exists("m/shared:latest")
        result["shared"] = content(api.artifact("m/shared:latest").download("shared"))
        with wandb.init(project="m", id="tables") as run:
            growing = wandb.Table(columns=["a"], log_mode="INCREMENTAL")
            for value in range(3):
                growing.add_data(value)
                run.log({"growing": growing})
            changing = wandb.Table(columns=["a"], data=[[1]], log_mode="MUTABLE")
            run.log({"changing": changing})
            changing.add_data(2)
            run.log({"changing": changing})
            first = run.log_artifact(draft("inc", {"a": "0", "b": "1"})).wait()
            second = run.log_artifact(draft("inc", {"b": "2", "c": "3"}, incremental=True)).wait()
            result["incremental"] = (second.name, content(second.download("inc")))
            inner = wandb.Table(columns=["a"], data=[[7]])
            one, two = wandb.Artifact("one", "dataset"), wandb.Artifact("two", "dataset")
            one.add(inner, "t")
            run.log_artifact(one)
            two.add(inner, "t")
            run.log_artifact(two).wait()
            result["shared table"] = api.artifact("m/two:v0").get("t").data
            pathlib.Path("m.bin").write_text("model")
            run.log_model("m.bin", "net", aliases=["best"])
        growing = api.artifact("m/run-tables-incr-growing:latest")
        result["growing"] = (growing.version, sorted(growing.get(list(growing.manifest.entries)[0]).data))
        result["changing"] = api.artifact("m/run-tables-changing:latest").get("changing").data
        with wandb.init(project="m", id="reader") as run:
            result["model"] = pathlib.Path(run.use_model("net:best")).read_text()
        """,
    )
    assert (found["before 0"], found["before 1"]) == (False, False)
    assert found["shared"] == {"f0": "0", "f1": "1", "f2": "2"}
    assert found["incremental"] == ("inc:v1", {"a": "0", "b": "2", "c": "3"})
    assert found["shared table"] == [[7]]
    assert found["growing"] == ("v2", [[0], [1], [2]])
    assert found["changing"] == [[1], [2]]
    assert found["model"] == "model"


def test_a_thousand_files_and_a_file_in_ranges(official: Official) -> None:
    found = run(
        official,
        """
        import hashlib
        folder = pathlib.Path("many")
        folder.mkdir()
        for index in range(1000):
            (folder / f"f{index:04}.txt").write_text(str(index))
        with open("big.bin", "wb") as file:
            for index in range(101):
                file.write(bytes([index]) * (1 << 20))
        with wandb.init(project="b", id="maker") as run:
            many, big = wandb.Artifact("many", "dataset"), wandb.Artifact("big", "dataset")
            many.add_dir("many")
            big.add_file("big.bin")
            result["many"] = run.log_artifact(many).wait().file_count
            run.log_artifact(big).wait()
        api = wandb.Api()
        result["down"] = content(api.artifact("b/many:v0").download("many-down")) == content("many")
        result["listed"] = sum(1 for file in api.artifact("b/many:v0").files(per_page=300))
        root = pathlib.Path(api.artifact("b/big:v0").download("big-down", multipart=True, skip_cache=True))
        digest = lambda path: hashlib.md5(path.read_bytes()).hexdigest()
        result["ranges"] = digest(root / "big.bin") == digest(pathlib.Path("big.bin"))
        """,
    )
    assert found == {"many": 1000, "down": True, "listed": 1000, "ranges": True}


def test_every_document_of_the_official_client_fits_the_schema() -> None:
    from graphql import parse, validate
    from wandb.sdk.artifacts._generated import operations

    from runframe.server.resolvers.schema import schema

    administration = ("REGISTRY_MEMBERS", "REGISTRY_ROLE", "REGISTRY_USER", "REGISTRY_TEAM", "DELETE_REGISTRY")
    administration += ("RENAME_REGISTRY", "FETCH_REGISTRIES")  # of organizations, of which this server has none
    documents = {name: text for name, text in vars(operations).items() if name.endswith("_GQL")}
    wanted = {name: text for name, text in documents.items() if not any(part in name for part in administration)}
    assert len(wanted) > 30
    failed = {name: [e.message for e in validate(schema(), parse(text))] for name, text in wanted.items()}
    assert {name: messages for name, messages in failed.items() if messages} == {}
