"""`runframe runs` and `runframe projects`."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest


def test_a_table_fits_the_line_and_says_what_it_leaves_out(
    run: Any, local: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    said = run("runs", "local/digits", "--base-url", local)
    assert said.status == 0
    assert max(map(len, said.lines)) <= 100
    assert len(said.lines) == 2 + 16
    assert said.lines[0].split()[:3] == ["id", "name", "state"]
    assert "config." in said.lines[0]
    assert said.err.startswith("16 runs; ") and "--columns" in said.err


def test_a_wider_line_shows_more(run: Any, local: str, monkeypatch: pytest.MonkeyPatch) -> None:
    widths = []
    for columns in ("80", "300"):
        monkeypatch.setenv("COLUMNS", columns)
        widths.append(len(run("runs", "digits", "--base-url", local).lines[0].split()))
    assert widths[0] < widths[1]


def test_columns_are_names_and_patterns_in_the_order_asked_for(run: Any, local: str) -> None:
    said = run("runs", "digits", "--base-url", local, "--columns", "state,config.optimizer.*,id", "--format", "csv")
    header = said.lines[0].split(",")
    assert (header[0], header[-1]) == ("state", "id")
    assert "config.optimizer.lr" in header[1:-1]
    assert all(name.startswith("config.optimizer.") for name in header[1:-1])


def test_json_has_every_column_with_its_type(run: Any, local: str) -> None:
    said = run("runs", "digits", "--base-url", local, "--format", "json")
    rows = {row["id"]: row for row in json.loads(said.out)}
    assert len(rows) == 16
    best = rows["sgd-1"]
    assert best["config.optimizer.lr"] == 0.001
    assert best["history_line_count"] == 41
    assert best["tags"] == ["linear", "baseline"]
    assert best["state"] == "finished"


def test_csv_has_every_column_and_is_read_back(run: Any, local: str) -> None:
    rows = list(csv.DictReader(io.StringIO(run("runs", "digits", "--base-url", local, "--format", "csv").out)))
    assert len(rows) == 16
    assert {row["id"]: row["config.optimizer.lr"] for row in rows}["sgd-1"] == "0.001"


def test_filter_order_and_limit(run: Any, local: str) -> None:
    words = ["--filters", '{"state": "finished"}', "--order", "-summary_metrics.val/accuracy.max", "--limit", "3"]
    words += ["--columns", "state,summary.val/accuracy.max", "--format", "json"]
    rows = json.loads(run("runs", "digits", "--base-url", local, *words).out)
    best = [row["summary.val/accuracy.max"] for row in rows]
    assert len(rows) == 3
    assert best == sorted(best, reverse=True)
    assert {row["state"] for row in rows} == {"finished"}


def test_no_run_matches(run: Any, local: str) -> None:
    nothing = ["--filters", '{"state": "nowhere"}']
    assert json.loads(run("runs", "digits", "--base-url", local, *nothing, "--format", "json").out) == []
    assert run("runs", "digits", "--base-url", local, *nothing).status == 0


def test_projects(run: Any, local: str) -> None:
    said = run("projects", "--base-url", local)
    assert said.status == 0
    assert said.lines[0].split() == ["entity", "name", "created_at", "owner"]
    assert said.lines[2].split()[:2] == ["local", "digits"]
    assert json.loads(run("projects", "local", "--base-url", local, "--format", "json").out)[0]["name"] == "digits"


def test_the_address_may_come_from_the_environment(run: Any, local: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", local)
    assert "digits" in run("projects").out
