"""Every accepted form of a path, and what is said about the others."""

from __future__ import annotations

import pickle

import pytest

from runframe.errors import CommError, PathError
from runframe.paths import (
    ArtifactPath,
    ProjectPath,
    ReportPath,
    RunPath,
    SweepPath,
    is_registry,
    parse_any,
    parse_artifact,
    parse_collection,
    parse_project,
    parse_run,
    parse_sweep,
)


def me() -> str:
    return "me"


def nobody() -> None:
    return None


def unasked() -> str:
    raise AssertionError("the default entity was looked up, though the path has one")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("p/r1", ("me", "p", "r1")),
        ("p:r1", ("me", "p", "r1")),
        ("e/p/r1", ("e", "p", "r1")),
        ("e/p/runs/r1", ("e", "p", "r1")),
        ("/e/p/runs/r1", ("e", "p", "r1")),
        (" e/p/r1 ", ("e", "p", "r1")),
        ("e / p / r1", ("e", "p", "r1")),
        ("e/p:r1", ("e", "p", "r1")),
        ("e/p:a:b", ("e", "p", "a:b")),
        ("e/p/r:1", ("e", "p", "r:1")),
        ("runs/r1", ("me", "runs", "r1")),
        ("p/runs/r1", ("me", "p", "r1")),
        ("p/p", ("me", "p", "p")),
        ("e/p/", ("me", "e", "p")),
        ("e/p/runs/", ("me", "e", "p")),
        ("e/p/a%2Fb", ("e", "p", "a%2Fb")),
    ],
)
@pytest.mark.parametrize("project", [None, "P"])
def test_forms_of_a_runs_path(path: str, found: tuple[str, str, str], project: str | None) -> None:
    assert parse_run(path, entity=me, project=project) == RunPath(*found)


@pytest.mark.parametrize("path", ["r1", "/runs/r1", " r1/"])
def test_a_run_alone_needs_a_project(path: str) -> None:
    assert parse_run(path, entity=me, project="P") == RunPath("me", "P", "r1")
    with pytest.raises(PathError, match="the project is missing"):
        parse_run(path, entity=me)


@pytest.mark.parametrize("path", ["", "/", "/ /", "  ", ":", "e/p:", "e/p/x/r1", "a/b/c/d/e", "e//r1", ":r1"])
def test_other_forms_are_refused_and_named(path: str) -> None:
    with pytest.raises(PathError) as caught:
        parse_run(path, entity=me, project="P")
    assert repr(path) in str(caught.value)
    assert caught.value.path == path


def test_a_path_error_is_what_code_for_wandb_catches() -> None:
    assert issubclass(PathError, CommError)
    assert issubclass(PathError, ValueError)


def test_an_address_in_a_browser_is_no_path() -> None:
    with pytest.raises(PathError, match="address in a browser"):
        parse_run("https://wandb.ai/e/p/runs/r1", entity=me)


def test_something_that_is_no_text_is_no_path() -> None:
    with pytest.raises(PathError, match="not int"):
        parse_run(5, entity=me)  # type: ignore[arg-type]


def test_the_default_entity_is_looked_up_only_where_it_is_needed() -> None:
    assert parse_run("e/p/r1", entity=unasked).entity == "e"
    assert parse_project("e/p", entity=unasked).entity == "e"
    assert parse_any("e/p/reports/a--b", entity=unasked).entity == "e"


def test_without_any_entity_the_path_is_refused() -> None:
    with pytest.raises(PathError, match=r"'p/r1' \(the entity is missing\)"):
        parse_run("p/r1", entity=nobody)


@pytest.mark.parametrize("path", ["e/p/sweeps/s1", "e/p/s1", "e/p:s1"])
def test_forms_of_a_sweeps_path(path: str) -> None:
    assert parse_sweep(path, entity=unasked) == SweepPath("e", "p", "s1")


@pytest.mark.parametrize(
    ("path", "found"),
    [("e/p", ("e", "p")), ("p", ("me", "p")), ("/e/p/", ("e", "p")), (" p ", ("me", "p")), ("e/p%20q", ("e", "p%20q"))],
)
def test_forms_of_a_projects_path(path: str, found: tuple[str, str]) -> None:
    assert parse_project(path, entity=me) == ProjectPath(*found)


def test_no_path_is_the_project_of_the_settings() -> None:
    assert parse_project(None, entity=me, project="P") == ProjectPath("me", "P")
    assert parse_project(None, entity=me) == ProjectPath("me", "uncategorized")


@pytest.mark.parametrize("path", ["", "/", "e/p/x", "e//p"])
def test_other_forms_of_a_projects_path_are_refused(path: str) -> None:
    with pytest.raises(PathError, match="project path"):
        parse_project(path, entity=me, project="P")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("p", ProjectPath("me", "p")),
        ("e/p", ProjectPath("e", "p")),
        ("e/p/r1", RunPath("e", "p", "r1")),
        ("e/p/runs/r1", RunPath("e", "p", "r1")),
        ("e/p/run/r1", RunPath("e", "p", "r1")),
        ("/e/p/sweeps/s1/", SweepPath("e", "p", "s1")),
        ("e/p/reports/My-Report--Vmlldzox", ReportPath("e", "p", "Vmlldzox", "My Report")),
        ("e/p/reports/A--B--Vmlldzox", ReportPath("e", "p", "Vmlldzox", "A  B")),
        ("e/p/reports/My-Report-Vm11dsdf", ReportPath("e", "p", "Vm11dsdf", "My Report")),
        ("e/p/reports/100%25-Report--Vm", ReportPath("e", "p", "Vm", "100% Report")),
        ("e/p/reports/Vmlldzox", ReportPath("e", "p", "Vmlldzox", "")),
    ],
)
def test_a_path_says_what_it_names(path: str, found: object) -> None:
    assert parse_any(path, entity=me) == found


@pytest.mark.parametrize("path", ["e/p/things/t", "a/b/c/d/e", "e/ /runs/r", "e/p/reports/title-", "e//runs/r"])
def test_a_path_that_names_nothing_known_is_refused(path: str) -> None:
    with pytest.raises(PathError):
        parse_any(path, entity=me)


def test_a_refused_path_lists_what_was_expected() -> None:
    with pytest.raises(PathError, match=r"runs.*sweeps.*reports"):
        parse_any("e/p/things/t", entity=me)


def test_paths_read_as_they_are_written() -> None:
    assert str(ProjectPath("e", "p")) == "e/p"
    assert str(RunPath("e", "p", "r")) == "e/p/r"
    assert str(SweepPath("e", "p", "s")) == "e/p/s"
    assert str(ReportPath("e", "p", "r", "t")) == "e/p/reports/r"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("c", ("me", "P", "c", None)),
        ("c:v3", ("me", "P", "c", "v3")),
        ("p/c:best", ("me", "p", "c", "best")),
        ("e/p/c:v0", ("e", "p", "c", "v0")),
        ("/e/p/c", ("e", "p", "c", None)),
        ("e/p/c:a/b:c", ("e", "p", "c", "a/b:c")),
    ],
)
def test_forms_of_an_artifacts_name(name: str, found: tuple[str, str, str, str | None]) -> None:
    path = parse_artifact(name, entity=me, project="P")
    assert path == ArtifactPath(*found)
    assert str(path) == "/".join(found[:3]) + ("" if found[3] is None else f":{found[3]}")
    assert not path.is_in_registry


def test_an_artifact_without_a_project_is_uncategorized() -> None:
    assert parse_artifact("c", entity=me).project == "uncategorized"


def test_the_entity_is_not_looked_up_where_the_name_has_one() -> None:
    assert parse_artifact("e/p/c", entity=unasked).entity == "e"
    with pytest.raises(PathError, match="the entity is missing"):
        parse_artifact("p/c", entity=nobody)


@pytest.mark.parametrize("name", ["", "/", "a/b/c/d", "a//c", "c:", ":v1", "https://host/e/p/c", None, 5])
def test_other_names_of_artifacts_are_refused(name: str) -> None:
    with pytest.raises(PathError, match="artifact") as caught:
        parse_artifact(name, entity=me, project="P")
    assert isinstance(caught.value, (CommError, ValueError))


def test_a_collection_has_no_alias() -> None:
    assert parse_collection("e/p/c", entity=unasked) == ArtifactPath("e", "p", "c")
    with pytest.raises(PathError, match="without an alias"):
        parse_collection("e/p/c:v1", entity=me)


def test_a_registry_belongs_to_an_organisation() -> None:
    assert [is_registry(name) for name in ("wandb-registry-x", "wandb-registry-", "model-registry")] == [
        True,
        False,
        False,
    ]
    assert parse_artifact("wandb-registry-x/c:v1", entity=unasked) == ArtifactPath("", "wandb-registry-x", "c", "v1")
    assert parse_artifact("Acme/wandb-registry-x/c", entity=unasked).entity == "Acme"


def test_paths_are_values() -> None:
    path = RunPath("e", "p", "r")
    assert pickle.loads(pickle.dumps(path)) == path
    assert len({path, RunPath("e", "p", "r")}) == 1
