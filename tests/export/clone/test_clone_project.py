"""A project that the official SDK filled is the same after it was cloned, to both clients and row for row."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from comparing import contents

from runframe import Api
from runframe.errors import NotFoundError, PathError, UsageError
from runframe.server import open_local
from runframe.testing import assert_frame_equal, serving

PATH = "local/digits"
Open = Callable[[Path], Api]


def test_everything_is_there_as_it_was(filled: Path, empty: Path, opened: Open) -> None:
    with opened(filled) as here, opened(empty) as there:
        report = here.clone(PATH, to=there)
    assert report.complete, str(report)
    assert (report.runs, report.updated, report.unchanged) == (5, 0, 0)
    before, after = contents(filled, "digits"), contents(empty, "digits")
    for table, rows in before.items():
        assert rows == after[table], table
        assert rows, f"nothing to compare in {table}"
    assert report.rows == sum(line[1] == "wandb-history.jsonl" for line in before["lines"])
    assert report.files == len(before["files"])
    assert report.artifacts == len(before["versions"])


def test_a_second_clone_sends_nothing(filled: Path, empty: Path, opened: Open) -> None:
    with opened(filled) as here, opened(empty) as there:
        here.clone(PATH, to=there)
        before = contents(empty, "digits")
        again = here.clone(PATH, to=there)
    assert contents(empty, "digits") == before
    assert again.complete
    assert (again.runs, again.updated, again.unchanged) == (0, 0, 5)
    assert (again.rows, again.events, again.console_lines, again.files, again.artifacts, again.bytes) == (0,) * 6


def test_the_official_client_reads_the_same_over_http(filled: Path, empty: Path, tmp_path: Path) -> None:
    command = [sys.executable, str(Path(__file__).with_name("reading.py"))]
    found = []
    with (
        open_local(filled) as left,
        open_local(empty) as right,
        serving(left, tmp_path / "left") as source,
        serving(right, tmp_path / "right") as target,
    ):
        report = source.api().clone(PATH, to=target.api())
        assert report.complete, str(report)
        for server in (source, target):
            read = subprocess.run(
                [*command, PATH], env=server.environment, check=True, timeout=120, capture_output=True, text=True
            )
            found.append(read.stdout.replace(server.url, "SERVER"))
    assert found[0] == found[1]
    for expected in ("the first", "with space", "from-v0.txt", "What we saw", "trial-1", "NaN", "9007199254740995"):
        assert expected in found[0]


def test_both_export_to_the_same_tables(filled: Path, empty: Path, tmp_path: Path, opened: Open) -> None:
    from runframe.export import export_project

    with opened(filled) as here, opened(empty) as there:
        here.clone(PATH, to=there)
        for name, api in (("left", here), ("right", there)):
            export_project(api, PATH, to=tmp_path / name)
    for table in ("runs", "history"):
        left, right = (pl.read_parquet(tmp_path / side / table / "*.parquet") for side in ("left", "right"))
        own = [name for name in ("storage_id", "project_id") if name in left.columns]
        assert_frame_equal(left.drop(own), right.drop(own))


def test_tables_that_runs_logged_lead_to_their_artifacts(filled: Path, empty: Path, opened: Open) -> None:
    def table(api: Api) -> Any:
        value = api.run(f"{PATH}/first").summary["table"]
        client_id = value["artifact_path"].removeprefix("wandb-client-artifact://").partition("/")[0]
        query = "query M($id: ID!) { clientIDMapping(clientID: $id) { serverID } }"
        found = api.client.execute(query, {"id": client_id})["clientIDMapping"]["serverID"]
        query = "query A($id: ID!) { artifact(id: $id) { digest versionIndex artifactSequence { name } } }"
        return api.client.execute(query, {"id": found})["artifact"]

    with opened(filled) as here, opened(empty) as there:
        here.clone(PATH, to=there)
        assert table(here) == table(there)


def test_into_another_project_of_the_same_server(source: Path, opened: Open) -> None:
    with opened(source) as api:
        report = api.clone(PATH, project="copy", entity="team")
        assert report.complete, str(report)
        assert report.target == "team/copy"
        spec = next(iter(api.reports("team/copy"))).spec
    before, after = contents(source, "digits"), contents(source, "copy", entity="team")
    changed = {"projects", "views"}
    assert {name: rows for name, rows in before.items() if name not in changed} == {
        name: rows for name, rows in after.items() if name not in changed
    }
    assert '"team"' in str(spec).replace("'", '"') and "digits" not in str(spec)


def test_later_changes_of_artifacts_and_reports_follow(source: Path, empty: Path, opened: Open) -> None:
    with opened(source) as here, opened(empty) as there:
        here.clone(PATH, to=there)
        newest, oldest = (here.artifact(f"{PATH}/data:{version}") for version in ("v2", "v0"))
        newest.aliases.append("best")
        newest.tags.append("approved")
        newest.metadata["rows"] = 5
        newest.description = "newer"
        newest.save()
        oldest.aliases.remove("with space")
        oldest.tags.remove("clean")
        oldest.save()
        collection = here.artifact_collection("dataset", f"{PATH}/data")
        collection.description = "other words"
        collection.tags = ["other"]
        collection.save()
        live = here.artifact(f"{PATH}/production:live")
        live.aliases.append("canary")
        live.save()
        change = """mutation V($input: UpsertViewInput!) { upsertView(input: $input) { view { id } } }"""
        report = next(iter(here.reports(PATH)))
        here.client.execute(change, {"input": {"id": report.id, "displayName": "Another title"}})
        assert here.clone(PATH, to=there).complete
    before, after = contents(source, "digits"), contents(empty, "digits")
    for table, rows in before.items():
        assert rows == after[table], table
    assert ("data", "best", "data:v2") in after["aliases"]


def test_one_run_comes_with_its_artifacts_and_its_sweep(filled: Path, empty: Path, opened: Open) -> None:
    with opened(filled) as here, opened(empty) as there:
        report = here.clone(f"{PATH}/second", to=there)
        assert [(loss.what, loss.names) for loss in report.losses] == [("the run that logged it", ("data:v0",))]
        assert here.clone(f"{PATH}/trial-0", to=there).complete
        before, after = contents(filled, "digits"), contents(empty, "digits")
        # What was missing comes with the rest.
        report = here.clone(PATH, to=there)
        assert report.complete, str(report)
        assert (report.runs, report.unchanged) == (3, 2)
    assert contents(filled, "digits") == contents(empty, "digits")
    assert {run[0] for run in after["runs"]} == {"second", "trial-0"}
    assert [run for run in before["runs"] if run[0] in ("second", "trial-0")] == after["runs"]
    assert after["sweeps"] == before["sweeps"]
    # The model and the version that the run logged, and the one that it used.
    assert {version[:2] for version in after["versions"]} == {("data", 0), ("data", 2), ("model", 0)}
    assert after["views"] == []


def test_a_missing_project_or_run_is_an_error_and_makes_nothing(filled: Path, empty: Path, opened: Open) -> None:
    with opened(filled) as here, opened(empty) as there:
        for path in ("local/nowhere", f"{PATH}/nobody"):
            with pytest.raises(NotFoundError, match="could not find"):
                here.clone(path, to=there)
        assert [project.name for project in there.projects("local")] == []
        with pytest.raises(PathError):
            here.clone("a/b/c/d/e", to=there)
        with pytest.raises(UsageError, match="into itself"):
            here.clone(PATH)
