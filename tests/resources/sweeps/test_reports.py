"""Reports: their fields, the runs that they show, their listing, their paths."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sweep_store import leaf, make_report, new_grid, old_section

from runframe import Api, BetaReport, CommError, Error, NotFoundError, PathError, Reports, Sweep
from runframe.resources.client import Client
from runframe.resources.projects import Project

if TYPE_CHECKING:
    from conftest import Asked

TITLE = "A title: 50% — ünï / code"


def listing(client: Client, **options: Any) -> Reports:
    return Reports(client, Project(client, "local", "p"), **options)


def report_of(api: Api, title: str | None) -> BetaReport:
    [found] = [report for report in api.reports("p") if report.display_name == title]
    return found


def test_a_report_has_its_fields(api: Api) -> None:
    report = report_of(api, "Old one")
    assert (report.display_name, report.displayName, report.description) == ("Old one", "Old one", "with sections")
    assert report.user == {"username": "local", "photoUrl": None, "email": None}
    assert (report.entity, report.project) == ("local", "p")
    assert report.id and report.name and report.id != report.name
    assert report.created_at and report.updated_at and report.created_at.startswith("20")
    assert report.spec["panelGroups"] == report.sections
    assert len(report.sections) == 2
    assert repr(report) == f"<BetaReport local/p 'Old one' ({report.id})>"


def test_reports_are_listed_newest_first_in_pages(asked: Asked, client: Client) -> None:
    reports = listing(client, per_page=1)
    assert (repr(reports), reports.more, reports.cursor, reports.name) == ("<Reports local/p>", True, None, None)
    assert not asked.operations
    assert len(reports) == 1  # the server does not count reports: this is what was read
    assert asked.counts == {"ProjectViews": 1}
    assert [report.display_name for report in reports] == [None, TITLE, "Old one"]
    assert (len(reports), reports.more, asked.counts["ProjectViews"]) == (3, False, 3)
    assert reports[0] is reports[0]
    assert [report.id for report in reports[1:]] == [report.id for report in reports][1:]
    with pytest.raises(IndexError):
        reports[3]


def test_an_api_lists_reports(store: Path) -> None:
    with Api(f"local:{store}") as api:
        check_listing(api)


def check_listing(api: Api) -> None:
    reports = api.reports("local/p", per_page=2)
    assert isinstance(reports, Reports)
    assert reports is api.reports("local/p") is api.reports("p")
    assert (reports.per_page, reports.project.name, reports.project.entity) == (2, "p", "local")
    named = api.reports("p", name=reports[1].name)
    assert [report.id for report in named] == [reports[1].id]
    assert list(api.reports("p", "no%20such")) == []
    assert api.reports("p", "no such") is api.reports("p", "no%20such")


def test_the_project_may_come_from_the_settings(own: Api) -> None:
    with pytest.raises(ValueError, match="the project is missing"):
        own.reports()
    own.settings["project"] = "p"
    make_report(own, "One", {})
    assert [report.display_name for report in own.reports()] == ["One"]


@pytest.mark.parametrize("path", ["a/b/c", "https://wandb.ai/a/b", "/ /"])
def test_malformed_paths_are_refused(api: Api, path: str) -> None:
    with pytest.raises(PathError, match="Invalid project path"):
        api.reports(path)


def test_a_missing_project_says_so(api: Api) -> None:
    with pytest.raises(ValueError, match="Project nowhere does not exist under entity local"):
        list(api.reports("nowhere"))
    with pytest.raises(NotFoundError):
        len(api.reports("nowhere"))


def test_addresses_hold_the_title_and_the_id(api: Api) -> None:
    report = report_of(api, TITLE)
    slug = f"A-title-50-%C3%BCn%C3%AF-code--{report.id.rstrip('=')}"
    assert report.url == f"{api.client.app_url}local/p/reports/{slug}"
    assert report_of(api, None).url is None
    assert BetaReport(api.client, {"id": "1", "displayName": "x"}, "e").url is None


@pytest.mark.parametrize(
    ("last", "report_id", "title"),
    [
        ("A-b%3A-c--Vmlldzox", "Vmlldzox", "A b: c"),
        ("Vmlldzox", "Vmlldzox", ""),
        ("My-Report-Vm11dsdf", "Vm11dsdf", "My Report"),
        ("a--b--c", "c", "a  b"),
    ],
)
def test_a_path_makes_a_report_without_asking(asked: Asked, api: Api, last: str, report_id: str, title: str) -> None:
    report = api.from_path(f"/local/p/reports/{last}")
    assert isinstance(report, BetaReport)
    assert (report.id, report.display_name, report.spec) == (report_id, title, {})
    assert (report.entity, report.project, report.description, report.user) == ("local", "p", None, None)
    assert not asked.operations


@pytest.mark.parametrize("path", ["local/p/reports/x-", "local/p/reports/--", "local/p/other/x", "a/b/reports/c/d"])
def test_paths_of_no_report_are_refused(api: Api, path: str) -> None:
    with pytest.raises(Error, match="Invalid"):
        api.from_path(path)


def test_a_report_from_its_path_is_fetched(api: Api) -> None:
    listed = report_of(api, TITLE)
    assert listed.url is not None
    report = api.from_path(f"local/p/reports/{listed.url.rpartition('/')[2]}")
    assert isinstance(report, BetaReport)
    assert report.load()["name"] == listed.name
    assert (report.spec, report.display_name, report.id) == (listed.spec, TITLE, listed.id)
    missing = api.from_path("local/p/reports/x--Zm9v")
    assert isinstance(missing, BetaReport)
    with pytest.raises(NotFoundError, match="Could not find report local/p/reports/Zm9v"):
        missing.load()


def test_a_section_gives_its_runs(api: Api, grid: Sweep) -> None:
    report = report_of(api, "Old one")
    first, second = report.sections
    runs = report.runs(first, per_page=1)
    tree = first["runSets"][0]["selections"]["tree"]
    assert runs.filters == {"$or": [{"$and": [{"name": {"$in": tree}}]}]}
    assert (runs.order, runs.per_page, runs.entity, runs.project) == ("+config.lr.value", 1, "local", "p")
    assert [run.id for run in runs] == [run.id for run in grid.runs][:2]
    assert first == old_section(tree)  # the report stays as it was
    assert list(report.runs(second)) == []
    every = report.runs(second, only_selected=False)
    assert (every.order, every.filters) == (
        "-config.lr.value",
        {"$or": [{"$and": [{"config.lr.value": {"$gt": 0.15}}]}]},
    )
    assert [run.config["lr"] for run in every] == [0.4, 0.3, 0.2]


def test_a_panel_grid_of_a_newer_document_gives_its_runs(api: Api) -> None:
    report = report_of(api, TITLE)
    with pytest.raises(KeyError, match=r"use report\.panel_grids"):
        _ = report.sections
    [found] = report.panel_grids
    assert [run.summary["loss"] for run in report.runs(found)] == [2.0, 1.0, 3.0]
    assert len(report_of(api, "Old one").panel_grids) == 2
    assert report_of(api, None).panel_grids == []


A, B, C = (leaf("summary", "loss", "=", value) for value in (1.0, 2.0, 3.0))


@pytest.mark.parametrize(
    ("filters", "losses"),
    [
        ([], [1.0, 2.0, 3.0, 9]),
        ([A], [1.0]),
        ([A, {**B, "connector": "AND"}], []),
        ([A, {**B, "connector": "OR"}], [1.0, 2.0]),
        ([A, {**B, "connector": "AND"}, {**C, "connector": "OR"}], [3.0]),
        ([{"filters": [A, {**B, "connector": "OR"}]}, {**B, "connector": "AND"}], [2.0]),
        ([{**A, "disabled": True}, {**B, "connector": "AND"}], [2.0]),
        ([{"filters": []}, {**C, "connector": "AND"}], [3.0]),
    ],
)
def test_filters_in_a_row_mean_what_they_say(api: Api, filters: list[Any], losses: list[float]) -> None:
    report = report_of(api, TITLE)
    filters = [*filters, leaf("summary", "loss", ">", 0, connector="AND")] if len(filters) < 2 else filters
    runs = report.runs(new_grid(filters))
    assert sorted(run.summary["loss"] for run in runs) == losses


def test_selections_may_leave_runs_out(api: Api, grid: Sweep) -> None:
    report = report_of(api, TITLE)
    first, *rest = [run.id for run in grid.runs]
    own = leaf("run", "sweep", "=", grid.id)
    all_but = report.runs(new_grid([own], root=1, tree=[first]))
    assert sorted(run.id for run in all_but) == sorted(rest)
    assert [run.id for run in report.runs(new_grid([own], root=0, tree=[first]))] == [first]
    assert len(report.runs(new_grid([own], root=0, tree=[first]), only_selected=False)) == 4


def test_a_set_of_runs_may_be_of_another_project(api: Api) -> None:
    runs = report_of(api, TITLE).runs(new_grid([], project={"entityName": "else", "name": "where"}))
    assert (runs.entity, runs.project) == ("else", "where")


@pytest.mark.parametrize("section", [{}, {"runSets": []}, {"runSets": [{"filters": {}}]}, {"runSets": None}])
def test_what_is_no_section_is_refused(api: Api, section: dict[str, Any]) -> None:
    with pytest.raises(KeyError, match="this is no section"):
        report_of(api, TITLE).runs(section)


def test_a_page_of_the_report_is_shown(api: Api) -> None:
    report = report_of(api, "Old one")
    shown = f"<iframe src='{report.url}?jupyter=true' style='border:none;width:100%;height:1024px;'></iframe>"
    assert report.to_html() == report._repr_html_() == shown
    assert "report</button><iframe" in report.to_html(hidden=True)
    assert report_of(api, None).to_html().startswith("<div>")
    assert report.display() is False


def test_reports_are_copied_and_pickled(api: Api) -> None:
    report = report_of(api, "Old one")
    for make in (copy.copy, copy.deepcopy):
        assert (make(report).url, make(report).spec) == (report.url, report.spec)
    again = pickle.loads(pickle.dumps(report))
    assert (again.url, again.sections) == (report.url, report.sections)


def test_reports_are_columns(api: Api) -> None:
    reports = api.reports("p")
    table = reports.to_polars()
    assert table.columns == Reports.SCHEMA.names
    assert table["display_name"].to_list() == [None, TITLE, "Old one"]
    assert table["user"].to_list() == ["local"] * 3
    assert [json.loads(spec) for spec in table["spec"]] == [report.spec for report in reports]
    [row] = api.reports("p", name=reports[2].name).to_arrow().to_pylist()
    assert (row["id"], row["description"], row["project"]) == (reports[2].id, "with sections", "p")


def test_documents_are_fetched_where_they_are_wanted(asked: Asked, client: Client) -> None:
    reports = listing(client)
    assert reports.to_pandas(columns=["display_name"]).shape == (3, 1)
    assert asked.counts == {"LightProjectViews": 1}
    assert reports[2].sections
    assert asked.counts == {"LightProjectViews": 1, "SpecificReport": 1}
    assert reports.to_polars()["spec"].null_count() == 0
    assert reports[1].spec["version"] == 5
    assert asked.counts == {"LightProjectViews": 1, "SpecificReport": 1, "ProjectViews": 1}


def test_a_document_that_is_no_json_is_an_error(own: Api) -> None:
    with pytest.raises(CommError):
        make_report(own, "broken", "{")
