"""`Api`: settings, identity, caches, and its life."""

from __future__ import annotations

import asyncio
import pickle
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from runframe import (
    Api,
    AuthenticationError,
    BetaReport,
    CommError,
    Error,
    NotFoundError,
    PathError,
    SettingsError,
    TransportError,
    UsageError,
)
from runframe.resources.client import Client
from runframe.server import LocalServer, open_local


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("store")
    open_local(folder).close()
    with Api(f"local:{folder}") as api:
        for run_id in ("one", "two"):
            api.create_run(run_id, "shapes")
    return folder


@pytest.fixture
def api(store: Path) -> Iterator[Api]:
    with Api(f"local:{store}") as api:
        yield api


class Serving:
    """A store behind a real port, served from a thread."""

    def __init__(self, local: LocalServer) -> None:
        self.key = local.api_key
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.server = uvicorn.Server(uvicorn.Config(local.app, log_level="error", lifespan="off"))
        self.thread = threading.Thread(target=lambda: asyncio.run(self.server.serve([self.socket])))

    def __enter__(self) -> Serving:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join()


@pytest.fixture(scope="module")
def served(store: Path) -> Iterator[Serving]:
    with open_local(store) as local, Serving(local) as serving:
        yield serving


# Where it connects, and as whom.


def test_text_is_short_for_the_address(store: Path) -> None:
    for overrides in (f"local:{store}", {"base_url": f"local:{store}"}):
        with Api(overrides) as api:
            assert repr(api) == f"<Api local:{store}>"
            assert [run.id for run in api.runs("shapes")] == ["one", "two"]


def test_the_environment_may_name_the_store(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", f"local:{store}")
    monkeypatch.setenv("WANDB_PROJECT", "shapes")
    with Api() as api:
        assert len(api.runs()) == 2
        assert api.run("one").project == "shapes"


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"there is no folder .*nope"):
        Api(f"local:{tmp_path / 'nope'}")
    assert not (tmp_path / "nope").exists()


def test_a_local_store_brings_its_own_key(store: Path) -> None:
    with Api(f"local:{store}") as api, open_local(store) as local:
        assert api.api_key == local.api_key
        assert api.api_key not in repr(api) + repr(api.client) + str(vars(api.client.session))


def test_a_server_is_asked_once_whether_the_key_holds(served: Serving) -> None:
    with Api(served.url + "/", api_key=served.key) as api:
        assert api.settings["base_url"] == served.url
        assert api.api_key == served.key
        assert api.default_entity == "local"
        assert [run.id for run in api.runs("shapes")] == ["one", "two"]
        assert api.runs("shapes")[0].url == f"{served.url}/local/shapes/runs/one"


def test_a_wrong_key_is_refused_at_the_start(served: Serving) -> None:
    with pytest.raises(AuthenticationError, match=r"127\.0\.0\.1") as caught:
        Api(served.url, api_key="x" * 40)
    assert "x" * 40 not in str(caught.value)
    with pytest.raises(AuthenticationError, match="40 or more"):
        Api(served.url, api_key="short")


def test_no_key_at_all_is_a_usage_error(served: Serving) -> None:
    with pytest.raises(UsageError, match="WANDB_API_KEY"):
        Api(served.url)


def test_a_server_that_is_down_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(TransportError, match=f"127.0.0.1:{port}") as caught:
        Api(f"http://127.0.0.1:{port}", api_key="k" * 40)
    assert isinstance(caught.value, CommError)


def test_a_malformed_address_is_a_settings_error() -> None:
    with pytest.raises(SettingsError):
        Api("nonsense")


def test_identity(api: Api) -> None:
    assert api.user_agent.startswith("W&B Public Client ")
    assert "runframe" in api.user_agent
    assert api.default_entity == "local"
    assert api.viewer is api.viewer
    assert api.viewer.username == "local"


def test_the_client_executes_documents_of_your_own(api: Api) -> None:
    import gql
    from graphql import parse

    text = "query Mine { viewer { username } }"
    for document in (text, gql.gql(text), parse(text)):
        assert api.client.execute(document) == {"viewer": {"username": "local"}}
    named = 'query P($name: String!) { project(name: $name, entityName: "local") { name } }'
    assert api.client.execute(named, variable_values={"name": "shapes"}) == {"project": {"name": "shapes"}}
    assert isinstance(api.client, Client)
    assert api.client.app_url.endswith("/")


# Paths and settings.


@pytest.mark.parametrize(
    "path", ["local/shapes/one", "local/shapes/runs/one", "/shapes/one", "shapes:one", " shapes/one "]
)
def test_runs_are_found_by_every_form_of_path(api: Api, path: str) -> None:
    assert api.run(path).path == ["local", "shapes", "one"]


def test_settings_are_read_at_each_call(api: Api) -> None:
    with pytest.raises(PathError, match="'one'"):
        api.run("one")
    api.settings["project"] = "shapes"
    assert api.run("one").id == "one"
    api.settings["entity"] = "nobody"
    with pytest.raises(NotFoundError, match="nobody/shapes/two"):
        api.run("two")
    assert api.runs("shapes").entity == "nobody"


def test_bad_paths_are_caught_as_documented(api: Api) -> None:
    for kind in (CommError, ValueError, Error):
        with pytest.raises(kind):
            api.run("a/b/c/d/e")
    with pytest.raises(NotFoundError, match="Could not find run <Run local/shapes/three"):
        api.run("shapes/three")


def test_from_path_tells_what_a_path_names(api: Api) -> None:
    assert repr(api.from_path("shapes")) == repr(api.from_path("local/shapes")) == "<Project local/shapes>"
    run = api.from_path("local/shapes/runs/one")
    assert run is api.from_path("local/shapes/runs/one")
    assert run.id == api.from_path("local/shapes/one").id == "one"
    with pytest.raises(NotFoundError, match="Could not find sweep"):
        api.from_path("local/shapes/sweeps/s")
    assert isinstance(api.from_path("local/shapes/reports/My-Report-Vm11dsdf"), BetaReport)
    for path in ("local/shapes/what/one", "a/b/c/d/e", ""):
        with pytest.raises(Error, match="path"):
            api.from_path(path)


def test_a_filter_without_a_json_form_is_refused_at_once(api: Api) -> None:
    with pytest.raises(TypeError):
        api.runs("shapes", {"createdAt": {"$gt": object()}})
    with pytest.raises(TypeError, match="filters are a mapping"):
        api.runs("shapes", ["finished"])  # type: ignore[arg-type]


# Caches.


def test_the_same_path_is_the_same_object_until_flush(api: Api) -> None:
    run, runs = api.run("shapes/one"), api.runs("shapes")
    assert api.run("shapes/one") is run
    assert api.run("local/shapes/one") is not run
    assert api.runs("shapes", per_page=7) is runs
    assert api.runs("shapes", {"state": "running"}) is not runs
    assert api.projects() is api.projects("local", per_page=3)
    api.flush()
    assert api.run("shapes/one") is not run
    assert api.runs("shapes") is not runs


def test_an_empty_result_is_looked_up_again(api: Api) -> None:
    none = api.runs("shapes", {"name": "later"})
    assert len(none) == 0
    assert api.runs("shapes", {"name": "later"}) is not none


def test_a_cached_listing_can_be_made_full(api: Api) -> None:
    runs = api.runs("shapes")
    assert [run.id for run in runs] == ["one", "two"]
    assert api.runs("shapes", lazy=False) is runs
    assert all("config" in run._attrs for run in runs)


# Projects.


def test_projects_are_made_once(tmp_path: Path) -> None:
    open_local(tmp_path).close()
    with Api(f"local:{tmp_path}") as api:
        for _ in range(2):
            api.create_project("new", "local")
        assert [project.name for project in api.projects()] == ["new"]
        assert len(api.runs("new")) == 0


# Its life.


def test_a_closed_api_says_so(store: Path) -> None:
    with Api(f"local:{store}") as api:
        runs = api.runs("shapes")
        assert len(runs) == 2
    with pytest.raises(UsageError, match="closed"):
        api.run("shapes/one")
    api.close()


def test_it_pickles_as_its_settings(api: Api, served: Serving) -> None:
    api.settings["project"] = "shapes"
    with Api(served.url, api_key=served.key) as remote:
        for each in (api, remote):
            each.settings["project"] = "shapes"
            with pickle.loads(pickle.dumps(each)) as other:
                assert other.run("one").id == "one"


def test_two_apis_share_nothing(store: Path) -> None:
    with Api(f"local:{store}") as one, Api(f"local:{store}") as other:
        one.settings["entity"] = "nobody"
        assert other.run("shapes/one") is not None
        one.close()
        assert len(other.runs("shapes")) == 2
