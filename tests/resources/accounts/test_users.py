"""People and their keys: finding them, making them, and what the other client sees of it."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from runframe import Api, ArgumentError, AuthenticationError, CommError, Error, User, Users
from runframe.server import LocalServer
from runframe.testing import Server

sdk = [
    pytest.mark.sdk,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
FIELDS = [
    "id", "name", "username", "email", "admin", "flags", "entity", "deleted_at", "deletedAt", "api_keys", "teams",
]  # fmt: skip
CREATED = ["id", "name", "username", "email", "admin", "api_keys", "teams"]


def facts(user: Any, names: list[str] = FIELDS) -> dict[str, Any]:
    return {name: getattr(user, name) for name in names} | {"repr": repr(user)}


@pytest.mark.parametrize("wanted", ["ann", "anna", "ANN@example.org", "anna@example.com", "nobody", "local"])
@pytest.mark.filterwarnings("ignore:'(ann|ANN@example.org)' fits")
class TestBothFind:
    pytestmark = sdk

    def test_the_same_user(self, ours: Api, official: Any, wanted: str) -> None:
        mine, other = ours.user(wanted), official.user(wanted)
        if other is None:
            assert mine is None and wanted == "nobody"
        else:
            assert mine is not None and facts(mine) == facts(other)

    def test_the_same_list(self, ours: Api, official: Any, wanted: str) -> None:
        mine, other = ours.users(wanted), official.users(wanted)
        assert isinstance(mine, list) and [facts(user) for user in mine] == [facts(user) for user in other]


@pytest.mark.sdk
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
class TestBothClients:
    def test_know_the_same_viewer(self, ours: Api, official: Any) -> None:
        assert facts(ours.viewer) == facts(official.viewer)
        assert (ours.viewer.username, ours.viewer.admin) == ("local", True)

    def test_see_whom_the_other_made(self, ours: Api, official: Any) -> None:
        mine, other = ours.create_user("eve@example.net"), official.create_user("pat@example.net", admin=True)
        assert (mine.username, mine.email, mine.admin) == ("eve", "eve@example.net", False)
        assert facts(mine, CREATED).keys() == facts(other, CREATED).keys()
        assert facts(official.user("eve@example.net"), CREATED)["id"] == mine.id
        found = ours.user("pat@example.net")
        assert found is not None and (found.id, found.admin, found.name) == (other.id, True, other.name)
        assert [user.email for user in ours.users("example.net")] == ["eve@example.net", "pat@example.net"]
        for user in (mine, other):
            with pytest.raises(AttributeError):
                _ = user.flags

    def test_take_the_keys_that_the_other_made_and_delete_them(
        self, ours: Api, official: Any, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import wandb

        mine, other = ours.viewer.generate_api_key("ours"), official.viewer.generate_api_key("theirs")
        assert mine is not None and len(mine) == len(other) == 40
        assert mine in ours.viewer.api_keys and other in official.viewer.api_keys
        assert wandb.Api(api_key=mine).viewer.username == "local"
        with Api({"base_url": server.url}, api_key=other) as api:
            assert api.viewer.username == "local"
            assert api.viewer.api_keys == wandb.Api().viewer.api_keys
            assert [name[:4] for name in api.viewer.api_keys][-2:] == [mine[:4], other[:4]]
            last = api.viewer.api_keys[-1]
        assert wandb.Api().viewer.delete_api_key(last) is True
        with pytest.raises(AuthenticationError):
            Api({"base_url": server.url}, api_key=other)
        assert ours.viewer.delete_api_key(mine) is True
        assert ours.viewer.delete_api_key(mine) is False  # it is gone; the name stays in the list
        with pytest.raises(wandb.errors.AuthenticationError):
            wandb.Api(api_key=mine)

    def test_give_an_api_with_the_same_key(self, ours: Api, official: Any) -> None:
        for api in (ours, official):
            for user in (api.viewer, api.user("anna")):
                assert user.user_api.viewer.username == "local"
                assert user.user_api is user.user_api and user.user_api is not api


@pytest.mark.parametrize(
    ("call", "part"),
    [
        (lambda api: api.create_user("x"), "no e-mail address"),
        (lambda api: api.create_user("ANN@example.org"), "taken by another user"),
        (lambda api: api.create_user(None), "email"),
        (lambda api: api.users(3), "non string value"),
    ],
)
def test_what_the_server_refuses_is_an_api_error(ours: Api, call: Any, part: str) -> None:
    with pytest.raises(CommError, match=part):
        call(ours)


def test_several_matches_warn_and_give_the_first(ours: Api) -> None:
    with pytest.warns(
        UserWarning, match="'ann' fits 2 users, the first of them is given: <User ann@example.org>"
    ) as seen:
        found = ours.user("ann")
    assert found is not None and found.username == "ann"
    assert seen[0].filename == __file__


def test_the_search_and_new_accounts_are_for_admins(stranger: Api) -> None:
    for call in (
        lambda: stranger.user("ann"),
        lambda: stranger.users(""),
        lambda: stranger.create_user("new@example.org"),
    ):
        with pytest.raises(CommError, match="is no admin of this server"):
            call()
    assert stranger.viewer.username is not None and stranger.viewer.username.startswith("stranger")


def test_one_request_each(ours: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    query = ours.client.query
    monkeypatch.setattr(
        ours.client, "query", lambda noun, name, given: (sent.append(name), query(noun, name, given))[1]
    )
    ours.user("anna")
    ours.users("anna")
    assert sent == ["SearchUsers"] * 2
    viewer = ours.viewer
    assert viewer is ours.viewer and (viewer.api_keys, viewer.teams) and sent[2:] == ["GetViewer"]


# Keys.


def test_a_key_is_of_whoever_asks(stranger: Api, server: Server) -> None:
    key = stranger.viewer.generate_api_key()
    assert key is not None
    with Api({"base_url": server.url}, api_key=key) as api:
        assert api.viewer.username == stranger.viewer.username


def test_a_key_can_be_made_where_no_keys_were_asked_for(ours: Api) -> None:
    made = ours.create_user("keyless@example.org")
    assert made.api_keys == []
    key = made.generate_api_key("for tests")
    assert made.api_keys == [key]
    assert made.delete_api_key(str(key)) is True


def test_a_name_that_is_no_keys_is_refused_and_not_repeated(ours: Api) -> None:
    secret = "s" * 40
    with pytest.raises(ArgumentError, match=r"none of the \d+ known keys of <User local>") as refused:
        ours.viewer.delete_api_key(secret)
    assert isinstance(refused.value, ValueError) and isinstance(refused.value, Error)
    assert secret not in str(refused.value)


def test_the_key_of_the_store_stays(ours: Api) -> None:
    assert ours.viewer.delete_api_key(ours.viewer.api_keys[0]) is False


def test_an_admin_deletes_anothers_key_and_nobody_else_sees_it(ours: Api, stranger: Api, server: Server) -> None:
    key = server.local.add_user("carol", "carol@example.org")
    carol = ours.user("carol")
    assert carol is not None and carol.api_keys == [f"{key[:4]}…"]
    assert carol.delete_api_key(carol.api_keys[0]) is True
    with pytest.raises(AuthenticationError):
        Api({"base_url": server.url}, api_key=key)
    stranger.create_run("r", "p")
    owner = stranger.run("p/r").user
    assert owner.username == stranger.viewer.username
    assert owner.api_keys == [] and owner.user_api is None


def test_a_closed_connection_is_said_and_not_taken_for_a_refusal(runframe_store: LocalServer) -> None:
    with Api(f"local:{runframe_store.store.directory}") as api:
        viewer = api.viewer
    with pytest.raises(Error, match="closed"):
        viewer.generate_api_key()


# The user_api of a local store, copies and pickles.


def test_a_local_store_gives_another_api_too(runframe_store: LocalServer) -> None:
    with Api({"base_url": f"local:{runframe_store.store.directory}", "project": "p"}) as api:
        other = api.viewer.user_api
        assert (other.viewer.username, other.settings) == ("local", api.settings)
        other.settings["project"] = "q"
        assert api.settings["project"] == "p"
        other.close()
        assert api.create_run("r").project == "p"


def test_users_are_copied_and_pickled(ours: Api) -> None:
    found = ours.users("ann")
    for again in (copy.copy(found), copy.deepcopy(found), pickle.loads(pickle.dumps(found))):
        assert type(again) is Users and [facts(user) for user in again] == [facts(user) for user in found]
        assert again.to_arrow().equals(found.to_arrow())
    again = pickle.loads(pickle.dumps(ours.viewer))
    assert again.user_api.viewer.username == "local"
    again.user_api.close()
    assert str(ours.api_key) not in repr(vars(ours.viewer))


# Columns.


def test_found_users_are_columns(ours: Api) -> None:
    found = ours.users("ann")
    table = found.to_polars(["username", "email", "admin", "teams", "deleted_at"])
    assert table.rows() == [
        ("ann", "ann@example.org", False, ["ann"], None),
        ("anna", "anna@example.com", True, ["anna"], None),
    ]
    assert table.schema["deleted_at"] == pl.Datetime("us", "UTC")
    stream = pa.RecordBatchReader.from_stream(found)
    assert stream.schema.equals(found.schema) and found.schema.names == Users.SCHEMA.names
    assert stream.read_all().num_rows == 2
    assert [batch.num_rows for batch in found.to_batches()] == [2]
    assert list(found.to_pandas()["username"]) == ["ann", "anna"]
    assert found.to_arrow().schema.metadata[b"runframe.completeness"] == b"complete"
    with pytest.raises(Error, match="no column 'mail'"):
        found.to_batches(["mail"])


def test_nobody_is_a_table_without_rows(ours: Api) -> None:
    found = ours.users("nobody-at-all")
    assert found == [] and not found
    assert found.to_arrow().schema.names == Users.SCHEMA.names and found.to_arrow().num_rows == 0


def test_the_class_makes_users_as_well(ours: Api) -> None:
    made = User.create(ours, "made@example.org", True)
    assert type(made) is User and (made.username, made.admin) == ("made", True)
    assert made.user_api.viewer.username == "local"
