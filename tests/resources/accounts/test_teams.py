"""Teams and their members: making, asking, taking out, and what the other client sees of it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pyarrow as pa
import pytest

from runframe import Api, AuthenticationError, CommError, Error, Member, Members, NotFoundError, Team
from runframe.testing import Server

TEAM = [
    "id", "name", "available", "photo_url", "read_only", "read_only_admin", "is_team", "entity_type", "private_only",
    "storage_bytes", "code_saving_enabled", "default_access", "is_paid", "storageBytes",
]  # fmt: skip
MEMBER = ["team", "id", "admin", "pending", "email", "username", "name", "photo_url", "account_type", "api_key"]


def facts(found: Any, names: list[str]) -> dict[str, Any]:
    return {name: getattr(found, name) for name in names} | {"repr": repr(found)}


def described(team: Any) -> tuple[Any, ...]:
    assert isinstance(team.members, list)
    return facts(team, TEAM), [facts(member, MEMBER) for member in team.members]


def shown(team: Any) -> list[tuple[Any, ...]]:
    return [(one.name, one.username, one.admin, one.pending, one.account_type) for one in team.members]


@pytest.mark.sdk
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
class TestBothClients:
    def test_read_the_same_team(self, ours: Api, official: Any) -> None:
        made = ours.create_team("readers")
        assert made.invite("ann") and made.invite("someone@example.org", admin=True)
        assert made.create_service_account("the robot") is not None
        ours.create_run("r", "p", "readers")
        assert described(ours.team("readers")) == described(official.team("readers"))
        assert described(ours.team("local")) == described(official.team("local"))  # a user's own entity
        assert [one.name for one in ours.team("readers").members] == [
            "local",
            "ann",
            "someone@example.org",
            "the robot",
        ]

    def test_see_the_teams_that_the_other_made(self, ours: Api, official: Any) -> None:
        mine, other = ours.create_team("mine"), official.create_team("other", "ann")
        assert described(official.team("mine")) == described(mine)
        assert described(ours.team("other")) == described(other)
        assert [one.username for one in mine.members] == ["local"]
        assert [one.username for one in other.members] == ["ann"]
        assert described(ours.create_team("other")) == described(official.create_team("other"))  # stays as it was
        assert described(ours.create_team("local")) == described(official.create_team("local"))

    def test_see_whom_the_other_asked_and_took_out(self, ours: Api, official: Any, server: Server) -> None:
        mine, other = ours.create_team("crew"), official.team("crew")
        assert [mine.invite("ann"), other.invite("anna", admin=True)] == [True, True]
        assert [mine.invite("anna"), other.invite("ann")] == [False, False]
        assert [mine.invite("new@example.org", True), other.invite("new@example.org")] == [True, False]
        assert [team.invite(name) for team in (mine, other) for name in ("nobody", "")] == [False] * 4
        assert shown(mine) == [("local", "local", True, False, "MEMBER")]  # as it was read
        fields, read = mine.load(force=True), other.load(force=True)
        assert fields["members"] == mine.members and fields.keys() == read.keys() and fields["name"] == "crew"
        assert shown(mine) == shown(other) == [
            ("local", "local", True, False, "MEMBER"),
            ("ann", "ann", False, False, "MEMBER"),
            ("anna", "anna", True, False, "MEMBER"),
            ("new@example.org", None, True, True, "MEMBER"),
        ]  # fmt: skip
        assert (mine.members[1].delete(), mine.members[1].delete(), other.members[1].delete()) == (True, False, False)
        assert (other.members[3].delete(), mine.members[3].delete()) == (True, False)
        assert [one.username for one in ours.team("crew").members] == ["local", "anna"]
        server.local.add_user("late", "new@example.org")
        assert "crew" not in ours.users("late")[0].teams

    def test_see_each_others_service_accounts(
        self, ours: Api, official: Any, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import wandb

        mine, other = ours.create_team("robots"), official.team("robots")
        one, two = mine.create_service_account("one"), other.create_service_account("two")
        assert one is not None and one.api_key is not None
        assert (one.name, one.team, one.account_type, one.admin) == ("one", "robots", "SERVICE", False)
        assert [repr(member) for member in mine.members] == ["<Member local (MEMBER)>", "<Member one (SERVICE)>"]
        assert [member.name for member in other.members] == ["local", "one", "two"]
        assert wandb.Api(api_key=one.api_key).viewer.entity == "robots"
        with Api({"base_url": server.url}, api_key=two.api_key) as api:
            assert (api.viewer.name, api.default_entity, api.viewer.teams) == ("two", "robots", ["robots"])
            seen = api.team("robots")
            assert [member.api_key for member in seen.members] == [None] * 3
            assert (seen.invite("ann"), seen.create_service_account("three"), seen.members[1].delete()) == (
                False, None, False,
            )  # fmt: skip
            api.create_run("r", "p").save()
            assert official.run("robots/p/r").entity == "robots"
        assert one.delete() is True
        with pytest.raises(wandb.errors.AuthenticationError):
            wandb.Api(api_key=one.api_key)
        assert two.delete() is True
        with pytest.raises(AuthenticationError):
            Api({"base_url": server.url}, api_key=two.api_key)

    def test_refuse_alike(self, ours: Api, official: Any) -> None:
        for api in (ours, official):
            for call in (
                lambda api=api: api.team("nowhere"),
                lambda api=api: api.create_team("a/b"),
                lambda api=api: api.create_team("new", "nobody"),
                lambda api=api: api.team(None),
            ):
                with pytest.raises(Exception):  # noqa: B017 the official one raises a KeyError of its own making
                    call()
            assert api.team("local").create_service_account("x") is None
            assert api.create_team("refused").create_service_account(" ") is None
            with pytest.raises(TypeError):
                api.team("refused").invite(None)
            assert api.team("refused").members[0].delete() is False  # the last admin


def test_a_missing_team_is_named(ours: Api) -> None:
    with pytest.raises(NotFoundError, match="Could not find team 'nowhere'") as refused:
        ours.team("nowhere")
    assert isinstance(refused.value, ValueError) and refused.value.path == "nowhere"


@pytest.mark.parametrize(
    ("name", "admin", "part"),
    [("a/b", None, "cannot be the name of a team"), ("", None, "cannot be"), ("x", "nobody", "no user 'nobody'")],
)
def test_a_team_that_cannot_be_made_says_why(ours: Api, name: str, admin: str | None, part: str) -> None:
    with pytest.raises(CommError, match=part):
        ours.create_team(name, admin)


def test_a_team_is_read_once_and_again_when_forced(ours: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    query = ours.client.query
    monkeypatch.setattr(
        ours.client, "query", lambda noun, name, given: (sent.append(name), query(noun, name, given))[1]
    )
    team = ours.create_team("counted")
    assert sent == ["CreateTeam", "GetTeamEntity"]
    members = team.members
    assert team.load() is team.load() and team.members is members and team.is_team
    team.load(True)
    assert team.members is not members and sent[2:] == ["GetTeamEntity"]
    team.create_service_account("d")
    assert sent[3:] == ["CreateServiceAccount", "GetTeamEntity"]


def test_who_is_no_member_may_not_say_who_is(ours: Api, stranger: Api) -> None:
    ours.create_team("closed").invite("ann")
    team = stranger.team("closed")
    assert team.read_only is True and ours.team("closed").read_only is False
    assert (team.invite("anna"), team.create_service_account("x"), team.members[1].delete()) == (False, None, False)
    own = stranger.create_team(f"of-{stranger.viewer.username}")
    assert own.invite("ann") is True
    assert [member.admin for member in stranger.team(own.name).members] == [True, False]


def test_names_are_what_they_are(ours: Api) -> None:
    for name in ("équipe n° 7", "日本語", "a b%c?d#e", "x" * 512):
        assert ours.create_team(name).name == name
        assert ours.team(name).is_team is True
    with pytest.raises(AttributeError, match="'<Team 日本語>' object has no attribute 'nonsense'"):
        _ = ours.team("日本語").nonsense


def test_members_are_columns(ours: Api) -> None:
    team = ours.create_team("columns")
    team.invite("ann")
    team.create_service_account("bot")
    team.invite("later@example.org", admin=True)
    team.load(force=True)
    table = team.members.to_polars(["team", "name", "username", "admin", "pending", "account_type"])
    assert table.drop("username").rows() == [
        ("columns", "local", True, False, "MEMBER"),
        ("columns", "ann", False, False, "MEMBER"),
        ("columns", "bot", False, False, "SERVICE"),
        ("columns", "later@example.org", True, True, "MEMBER"),
    ]
    assert table["username"][-1] is None
    stream = pa.RecordBatchReader.from_stream(team.members)
    assert stream.schema.names == Members.SCHEMA.names and stream.read_all().num_rows == 4
    key = team.members[2].api_key
    assert key is not None and key not in str(team.members.to_arrow().to_pydict())
    assert Members([], "x").to_arrow().num_rows == 0


def test_teams_are_copied_and_pickled(ours: Api) -> None:
    team = ours.create_team("copied")
    copies = [copy.copy(team), copy.deepcopy(team), pickle.loads(pickle.dumps(team))]
    for again in copies:
        assert type(again) is Team and type(again.members) is Members and type(again.members[0]) is Member
        assert described(again) == described(team)
    assert [again.invite("ann") for again in copies] == [True, False, False]
    copies[-1].client.session.close()


def test_a_closed_connection_is_said_and_not_taken_for_a_refusal(ours: Api) -> None:
    team = ours.create_team("last")
    ours.close()
    for call in (lambda: team.invite("ann"), lambda: team.members[0].delete(), lambda: ours.create_team("last")):
        with pytest.raises(Error, match="closed"):
            call()
