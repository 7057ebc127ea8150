"""The official client adds people, keys and teams, and finds them again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from served_process import Official, ServerProcess

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Official]:
    home = tmp_path_factory.mktemp("official")
    server = ServerProcess(home / "store")
    try:
        yield Official(server, home)
    finally:
        assert server.stop() == 0


def test_people_and_their_keys(official: Official) -> None:
    found: Any = official.run("""
        api = wandb.Api()
        made = api.create_user("ada@example.org", admin=True)
        result = {"made": (made.username, made.email, made.admin)}
        result["found"] = [api.user("ada@example.org").username, api.user("ada").email, api.user("nobody"),
                           [user.username for user in api.users("example.org")]]
        key = api.viewer.generate_api_key("for tests")
        result["works"] = wandb.Api(api_key=key).viewer.username
        viewer = wandb.Api().viewer
        result["names"] = [name[:4] == secret[:4] for name, secret in zip(viewer.api_keys, (api.api_key, key))]
        result["deleted"] = [viewer.delete_api_key(name) for name in reversed(viewer.api_keys)]
        result["left"] = len(wandb.Api().viewer.api_keys)
        for name, call in {"twice": lambda: api.create_user("ada@example.org"),
                           "dead": lambda: wandb.Api(api_key=key).viewer}.items():
            try:
                call()
            except Exception as error:
                result[name] = str(error)
    """)
    assert found["made"] == ("ada", "ada@example.org", True)
    assert found["found"] == ["ada", "ada@example.org", None, ["ada"]]
    assert found["works"] == "local" and found["names"] == [True, True]
    assert (found["deleted"], found["left"]) == ([True, False], 1)  # the store's own key stays
    assert "taken by another user" in found["twice"] and "not one of this server's" in found["dead"]


def test_teams_and_their_members(official: Official) -> None:
    found: Any = official.run("""
        api = wandb.Api()
        api.create_user("bob@example.org")
        team = api.create_team("crew")
        result = {"again": api.create_team("crew").name, "is": (team.is_team, team.entity_type, team.read_only)}
        result["invited"] = [team.invite("bob"), team.invite("bob"), team.invite("new@example.org", admin=True),
                             team.invite("nobody")]
        team.load(True)
        result["members"] = [(one.name, one.admin, one.pending, one.account_type) for one in team.members]
        robot = team.create_service_account("the robot")
        result["robot"] = (robot.name, robot.account_type, wandb.Api(api_key=robot.api_key).default_entity)
        result["teams"] = (api.create_user("new@example.org").username, api.user("new@example.org").teams)
        result["deleted"] = [one.delete() for one in api.team("crew").members if one.name in ("bob", "the robot")]
        result["left"] = [one.username for one in api.team("crew").members]
        with wandb.init(entity="crew", project="p", id="r") as run:
            run.log({"loss": 1})
        result["run"] = api.run("crew/p/r").state
        result["none"] = [list(api.integrations("local")), list(api.automations("local"))]
    """)
    assert found["again"] == "crew" and found["is"] == (True, "team", False)
    assert found["invited"] == [True, False, True, False]
    assert found["members"] == [
        ("local", True, False, "MEMBER"),
        ("bob", False, False, "MEMBER"),
        ("new@example.org", True, True, "MEMBER"),
    ]
    assert found["robot"] == ("the robot", "SERVICE", "crew")
    assert found["teams"] == ("new", ["new", "crew"])
    assert (found["deleted"], found["left"]) == ([True, True], ["local", "new"])
    assert found["run"] == "finished" and found["none"] == [[], []]
