"""`runframe sync`, and what `export` and `sync` say to people and to machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest


def test_sync_into_nothing_is_a_first_export(run: Any, local: str, tmp_path: Path) -> None:
    said = run("sync", "local/digits", "--to", tmp_path / "out", "--base-url", local)
    assert said.status == 0
    assert said.out.startswith("local/digits: 16 runs, 577 history rows, ")


def test_sync_knows_the_project_and_the_tables_of_a_dataset(run: Any, local: str, tmp_path: Path) -> None:
    run("export", "local/digits", "--to", tmp_path / "out", "--tables", "runs", "--base-url", local)
    said = run("sync", "--to", tmp_path / "out", "--base-url", local)
    assert said.status == 0
    assert said.out.startswith("local/digits: 16 runs, 0 history rows, ")
    assert " unchanged, in " in said.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"runs", "manifest.json", "_runframe"}


def test_sync_of_no_dataset_and_no_project_is_refused(run: Any, local: str, tmp_path: Path) -> None:
    said = run("sync", "--to", tmp_path / "out", "--base-url", local)
    assert said.status == 2
    assert "holds no export" in said.complaint


def test_quiet_says_nothing(run: Any, local: str, tmp_path: Path) -> None:
    said = run("export", "local/digits", "--to", tmp_path / "out", "--quiet", "--base-url", local)
    assert (said.status, said.out, said.err) == (0, "", "")


def test_quiet_still_names_what_is_missing(run: Any, recorder: Any, altered: Any, tmp_path: Path) -> None:
    def refuse(operation: str, variables: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
        return {"errors": [{"message": "no such shard"}]} if operation == "HistoryPage" else answer

    recorder("held", [{"loss": 1.0}])
    server = altered(refuse)
    words = ["--to", tmp_path / "out", "-q", "--base-url", server.url, "--api-key", server.api_key]
    said = run("export", "made", *words)
    assert (said.status, said.out) == (1, "")
    assert said.err.startswith("runframe: held could not be read: ")
    assert "no such shard" in said.err


def test_json_is_for_machines(run: Any, local: str, tmp_path: Path) -> None:
    said = run("export", "local/digits", "--to", tmp_path / "out", "--json", "--base-url", local)
    report = json.loads(said.out)
    assert (report["path"], report["runs"], report["rows"], report["complete"]) == ("local/digits", 16, 577, True)
    assert report["tables"] == {"runs": 16, "history": 577}
    progress = [json.loads(line) for line in said.err.splitlines()]
    assert (progress[-1]["done"], progress[-1]["total"], progress[-1]["finished"]) == (577, 577, True)
    assert {"rate", "eta", "unit", "description"} <= progress[-1].keys()


def test_a_dry_run_says_what_would_be_fetched_and_writes_nothing(run: Any, local: str, tmp_path: Path) -> None:
    words = ["export", "local/digits", "--to", tmp_path / "out", "--base-url", local]
    said = run(*words, "--dry-run")
    assert said.status == 0
    assert said.out.startswith("local/digits: 16 runs; 16 to fetch, 577 history rows (about ")
    assert list(tmp_path.iterdir()) == []
    run(*words)
    plan = json.loads(run(*words, "--dry-run", "--json").out)
    assert (plan["runs"], plan["fetch"], plan["rows"], plan["bytes"]) == (16, 0, 0, 0)


def test_the_size_that_a_dry_run_tells_is_about_right(run: Any, local: str, tmp_path: Path) -> None:
    from runframe import Api, extjson

    plan = json.loads(run("export", "local/digits", "--to", tmp_path, "--dry-run", "--json", "--base-url", local).out)
    with Api(local) as api:
        really = sum(len(extjson.dumps(row)) for each in api.runs("local/digits") for row in each.scan_history())
    assert 0.5 * really < plan["bytes"] < 2 * really


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--tables", "histry"], "there is no table 'histry': did you mean 'history'?"),
        (["--tables", ""], "there is no table ''"),
        (["--memory", "much"], "'much' is no size in bytes"),
        (["--memory", "1kB"], "an export needs at least 64 MB"),
    ],
)
def test_wrong_options_are_refused(run: Any, local: str, tmp_path: Path, words: list[str], complaint: str) -> None:
    said = run("export", "local/digits", "--to", tmp_path / "out", *words, "--base-url", local)
    assert said.status == 2
    assert complaint in said.complaint
    assert list(tmp_path.iterdir()) == []
