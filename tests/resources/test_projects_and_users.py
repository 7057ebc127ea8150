"""Projects and users."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest

from runframe import Api, NotFoundError
from runframe.resources.client import Client
from runframe.resources.projects import Project, Projects
from runframe.resources.users import User

if TYPE_CHECKING:
    from conftest import Asked


def test_projects_are_listed_without_a_length(api: Api) -> None:
    projects = api.projects()
    assert repr(projects) == "<Projects local>"
    assert sorted(project.name for project in projects) == ["digits", "other"]
    assert projects.length is None
    assert projects
    with pytest.raises(TypeError):
        len(projects)  # type: ignore[arg-type]


def test_listed_projects_have_their_fields(asked: Asked, client: Client) -> None:
    first = Projects(client, "local", per_page=1)[0]
    assert (first.entity, first.path, first.is_benchmark) == ("local", ["local", first.name], False)
    assert first.created_at.startswith("20")
    assert first.owner.username == "local"
    assert first.url == f"http://local/local/{first.name}/workspace"
    assert asked.counts == {"GetProjects": 1}


def test_a_named_project_is_fetched_when_a_field_is_read(asked: Asked, client: Client) -> None:
    project = Project(client, "local", "digits")
    assert (repr(project), project.path) == ("<Project local/digits>", ["local", "digits"])
    assert not asked.operations
    assert project.entity_name == "local"
    assert project.id
    assert not hasattr(project, "nonsense")
    assert asked.counts == {"GetProject": 1}


def test_a_missing_project_says_so(api: Api) -> None:
    project = api.project("nowhere")
    with pytest.raises(ValueError, match="Could not find project local/nowhere"):
        _ = project.id
    with pytest.raises(AttributeError):
        _ = project.created_at
    with pytest.raises(NotFoundError):
        _ = project.owner


def test_copies_ask_for_nothing(asked: Asked, client: Client) -> None:
    project = Project(client, "local", "digits")
    assert repr(copy.deepcopy(project)) == repr(copy.copy(project)) == repr(project)
    assert not asked.operations


def test_pickled_projects_find_their_server(api: Api) -> None:
    project = pickle.loads(pickle.dumps(api.project("digits")))
    assert project.entity_name == "local"
    project.client.session.close()


def test_a_missing_entity_is_named(api: Api) -> None:
    with pytest.raises(NotFoundError, match="Could not find entity nobody"):
        list(api.projects("nobody"))


def test_projects_are_columns(api: Api) -> None:
    table = api.projects().to_polars()
    assert sorted(table["name"]) == ["digits", "other"]
    assert table["entity"].unique().to_list() == ["local"]
    assert table["created_at"].null_count() == 0


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"email": "a@b", "username": "a"}, "a@b"),
        ({"email": None, "username": "a", "id": "1"}, "a"),
        ({"id": "1", "name": "A B"}, "1"),
        ({"name": "A B"}, "'A B'"),
        ({}, "???"),
    ],
)
def test_users_show_what_is_known(api: Api, fields: dict[str, object], said: str) -> None:
    assert repr(User(api.client, fields)) == f"<User {said}>"


def test_the_viewer_has_keys_and_teams(api: Api) -> None:
    viewer = api.viewer
    assert viewer.username == viewer.entity == "local"
    assert isinstance(viewer.api_keys, list)
    assert all(api.api_key != name for name in viewer.api_keys)
    assert isinstance(viewer.teams, list)
    assert User(api.client, {}).api_keys == User(api.client, {}).teams == []
