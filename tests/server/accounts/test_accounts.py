"""People, keys and teams."""

from __future__ import annotations

from typing import Any

import pytest
from store_client import Client

from runframe.errors import UsageError

TEAM = """query GetTeamEntity($name: String!) { entity(name: $name) {
    id name available photoUrl readOnly readOnlyAdmin isTeam entityType privateOnly storageBytes codeSavingEnabled
    defaultAccess isPaid members { id admin pending email username name photoUrl accountType apiKey role }
} }"""
CREATE_TEAM = """mutation CreateTeam($teamName: String!, $teamAdminUserName: String) {
    result: createTeam(input: {teamName: $teamName, teamAdminUserName: $teamAdminUserName}) {
        entity { id name available photoUrl limits } } }"""
INVITE = """mutation CreateInvite($entity: String!, $email: String, $username: String, $admin: Boolean) {
    result: createInvite(input: {entityName: $entity, email: $email, username: $username, admin: $admin}) {
        invite { id name email createdAt toUser { name } } } }"""
WITHDRAW = """mutation DeleteInvite($id: String, $entity: String) {
    result: deleteInvite(input: {id: $id, entityName: $entity}) { success } }"""
SERVICE = """mutation CreateServiceAccount($entity: String!, $description: String!) {
    result: createServiceAccount(input: {description: $description, entityName: $entity}) { user { id } } }"""
CREATE_USER = """mutation CreateUserFromAdmin($email: String!, $admin: Boolean) {
    result: createUser(input: {email: $email, admin: $admin}) { user { id name username email admin } } }"""
SEARCH = "query SearchUsers($text: String) { users(query: $text) { edges { node { username email } } } }"
KEYS = """{ viewer { username admin entity
    apiKeys { edges { node { id name description } } } teams { edges { node { name } } } } }"""
GENERATE = """mutation GenerateApiKey($description: String) {
    result: generateApiKey(input: {description: $description}) { apiKey { id name description } } }"""
DELETE_KEY = "mutation DeleteApiKey($id: String!) { result: deleteApiKey(input: {id: $id}) { success } }"


def members(client: Client, team: str) -> list[Any]:
    found: list[Any] = client.graphql(TEAM, name=team)["entity"]["members"]
    return found


def create_user(client: Client, email: str, admin: bool = False) -> Any:
    return client.graphql(CREATE_USER, email=email, admin=admin)["result"]["user"]


def search(client: Client, text: str | None) -> list[str]:
    edges = client.graphql(SEARCH, text=text)["users"]["edges"]
    return [edge["node"]["username"] for edge in edges]


def test_an_added_user_opens_the_store_with_the_key(client: Client) -> None:
    key = client.local.add_user("ada", "ada@example.org")
    assert len(key) == 40
    answer = client.request("POST", "/graphql", json={"query": KEYS}, auth=("api", key)).json()["data"]["viewer"]
    assert (answer["username"], answer["admin"], answer["entity"]) == ("ada", False, "ada")
    given = "local-" + "k" * 40
    assert client.local.add_user("bob", key=given, admin=True) == given
    assert client.request("POST", "/graphql", json={"query": KEYS}, auth=("api", given)).json()["data"]["viewer"][
        "admin"
    ]


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"name": "ada"}, "'ada' is taken: there is a user"),
        ({"name": "crew"}, "'crew' is taken: there is a team"),
        ({"name": "a b"}, "'a b' cannot be a user's name"),
        ({"name": ""}, "'' cannot be a user's name"),
        ({"name": "-x"}, "cannot be a user's name"),
        ({"name": "x" * 129}, "cannot be a user's name"),
        ({"name": "bob", "email": "nowhere"}, "'nowhere' is no e-mail address"),
        ({"name": "bob", "email": "ADA@example.org"}, "is taken by another user"),
        ({"name": "bob", "key": ""}, "it has 0 characters, expected 40 or more"),
        ({"name": "bob", "key": "short"}, "it has 5 characters, expected 40 or more"),
        ({"name": "bob", "key": "prefix-" + "k" * 39}, "it has 39 characters"),
        ({"name": "bob", "key": "k" * 39 + "!"}, "characters other than letters"),
        ({"name": "bob", "key": "a" * 40}, "in use already"),
    ],
)
def test_a_user_that_cannot_be_added_is_refused_whole(client: Client, arguments: Any, part: str) -> None:
    client.local.add_user("ada", "ada@example.org", key="a" * 40)
    client.graphql(CREATE_TEAM, teamName="crew")
    with pytest.raises(UsageError) as refused:
        client.local.add_user(**arguments)
    assert part in refused.value.message
    assert "k" * 20 not in refused.value.message
    assert search(client, None) == ["local", "ada"]


def test_people_are_found_by_parts_of_names_and_addresses(client: Client) -> None:
    for name, email in (("anna", "x@example.org"), ("ann", "y@example.com"), ("bo_b", "annex@example.org")):
        client.local.add_user(name, email)
    assert search(client, "ann") == ["ann", "anna", "bo_b"]  # who is called so comes first
    assert search(client, "X@EXAMPLE.ORG") == ["anna", "bo_b"]
    assert search(client, "o_b") == ["bo_b"] and search(client, "%") == []
    client.local.add_user("cat")  # without an address
    assert search(client, "") == search(client, None) == ["local", "anna", "ann", "bo_b", "cat"]


def test_a_user_is_created_by_address(client: Client) -> None:
    first = create_user(client, "grace.h+x@example.org")
    assert (first["username"], first["email"], first["admin"]) == ("grace.h-x", "grace.h+x@example.org", False)
    second = create_user(client, "grace.h-x@example.com", admin=True)
    assert (second["username"], second["admin"]) == ("grace.h-x-2", True)
    assert "taken by another user" in client.refused(CREATE_USER, email="GRACE.H+x@example.org")
    for email in ("grace", "@", "a@b@c", "\0@x", "x" * 319 + "@y"):
        assert "no e-mail address" in client.refused(CREATE_USER, email=email)


def test_keys_are_made_shown_as_hints_and_deleted(client: Client) -> None:
    made = client.graphql(GENERATE, description="for tests")["result"]["apiKey"]
    assert len(made["name"]) == 40 and made["description"] == "for tests"
    edges = client.graphql(KEYS)["viewer"]["apiKeys"]["edges"]
    assert [edge["node"]["name"] for edge in edges] == [client.local.api_key[:4] + "…", made["name"][:4] + "…"]
    answer = client.request("POST", "/graphql", json={"query": KEYS}, auth=("api", made["name"]))
    assert answer.status_code == 200
    assert client.graphql(DELETE_KEY, id=made["id"])["result"]["success"] is True
    assert client.request("POST", "/graphql", json={"query": KEYS}, auth=("api", made["name"])).status_code == 401
    assert "is no key of yours" in client.refused(DELETE_KEY, id=made["id"])
    assert "the store was made with" in client.refused(DELETE_KEY, id=edges[0]["node"]["id"])


def test_no_two_keys_of_a_user_are_called_alike(client: Client) -> None:
    for key in (
        "local-" + "k" * 40,
        "kkkk" + "a" * 40,
        "kkkk" + "b" * 40,
        "kkkk" + "c" * 40,
        "long" * 12 + "-" + "d" * 40,
    ):
        if key.startswith("local"):
            client.local.add_user("ada", key=key)
        else:
            client.local.add_key("ada", key)
    query = (
        "query Keys($text: String) { users(query: $text) { edges { node { apiKeys { edges { node { name } } } } } } }"
    )
    [found] = client.graphql(query, text="ada")["users"]["edges"]
    names = [edge["node"]["name"] for edge in found["node"]["apiKeys"]["edges"]]
    assert names == ["local-kkkk…", "kkkk…", "kkkk… (2)", "kkkk… (3)", "long…"]


def test_a_team_has_its_maker_as_admin(client: Client) -> None:
    entity = client.graphql(CREATE_TEAM, teamName="crew")["result"]["entity"]
    assert (entity["name"], entity["available"], entity["limits"]) == ("crew", False, "{}")
    team = client.graphql(TEAM, name="crew")["entity"]
    assert (team["isTeam"], team["entityType"], team["readOnly"], team["storageBytes"]) == (True, "team", False, 0)
    [member] = team["members"]
    assert (member["username"], member["admin"], member["role"], member["accountType"]) == (
        "local",
        True,
        "admin",
        "MEMBER",
    )
    assert "'crew' is taken: there is a team" in client.refused(CREATE_TEAM, teamName="crew")
    assert "'local' is taken: there is a user" in client.refused(CREATE_TEAM, teamName="local")
    assert "no user 'nobody'" in client.refused(CREATE_TEAM, teamName="x", teamAdminUserName="nobody")
    client.local.add_user("ada")
    client.graphql(CREATE_TEAM, teamName="hers", teamAdminUserName="ada")
    assert [member["username"] for member in members(client, "hers")] == ["ada"]


def test_who_has_an_account_joins_at_once_and_others_when_they_get_one(client: Client) -> None:
    client.graphql(CREATE_TEAM, teamName="crew")
    client.local.add_user("ada", "ada@example.org")
    invite = client.graphql(INVITE, entity="crew", username="ada")["result"]["invite"]
    assert (invite["name"], invite["email"], invite["toUser"]) == ("crew", "ada@example.org", {"name": "ada"})
    invite = client.graphql(INVITE, entity="crew", email="New@example.org", admin=True)["result"]["invite"]
    assert invite["toUser"] is None
    shown = [(one["name"], one["pending"], one["admin"]) for one in members(client, "crew")]
    assert shown == [("local", False, True), ("ada", False, False), ("New@example.org", True, True)]
    client.local.add_user("newcomer", "new@example.org")
    [joined] = [one for one in members(client, "crew") if one["username"] == "newcomer"]
    assert (joined["pending"], joined["admin"]) == (False, True)
    assert len(members(client, "crew")) == 3
    for fields, part in (
        ({"username": "ada"}, "'ada' belongs to 'crew' already"),
        ({"email": "ada@EXAMPLE.org"}, "'ada' belongs to 'crew' already"),
        ({"username": "nobody"}, "no user 'nobody'"),
        ({}, "either a username or an e-mail address"),
        *(({"email": email}, "is no e-mail address") for email in ("@", "a@b c", "a", "\0@x", "x" * 319 + "@y")),
    ):
        assert part in client.refused(INVITE, entity="crew", **fields)
    client.graphql(INVITE, entity="crew", email="later@example.org")
    assert "was asked into 'crew' before" in client.refused(INVITE, entity="crew", email="later@example.org")


def test_members_and_invitations_are_taken_back(client: Client) -> None:
    client.graphql(CREATE_TEAM, teamName="crew")
    client.local.add_user("ada")
    client.graphql(INVITE, entity="crew", username="ada")
    client.graphql(INVITE, entity="crew", email="new@example.org")
    admin, ada, new = members(client, "crew")
    for member in (ada, new):
        assert client.graphql(WITHDRAW, id=member["id"], entity="crew")["result"]["success"] is True
        assert client.graphql(WITHDRAW, id=member["id"], entity="crew")["result"]["success"] is False
    assert "left without an admin" in client.refused(WITHDRAW, id=admin["id"], entity="crew")
    assert [member["username"] for member in members(client, "crew")] == ["local"]
    assert "no team 'none'" in client.refused(WITHDRAW, id=admin["id"], entity="none")
    assert "not a team" in client.refused(INVITE, entity="local", username="ada")


def test_a_service_account_works_for_its_team(client: Client) -> None:
    client.graphql(CREATE_TEAM, teamName="crew")
    client.graphql(SERVICE, entity="crew", description="the robot")
    robot = members(client, "crew")[-1]
    assert (robot["name"], robot["accountType"], robot["admin"]) == ("the robot", "SERVICE", False)
    auth = ("api", robot["apiKey"])
    viewer = client.request("POST", "/graphql", json={"query": KEYS}, auth=auth).json()["data"]["viewer"]
    assert (viewer["username"], viewer["entity"]) == (robot["username"], "crew")
    assert search(client, "robot") == []
    assert "no user" in client.refused(INVITE, entity="crew", username=robot["username"])
    assert "no user" in client.refused(CREATE_TEAM, teamName="its own", teamAdminUserName=robot["username"])
    client.graphql(WITHDRAW, id=robot["id"], entity="crew")
    assert client.request("POST", "/graphql", json={"query": KEYS}, auth=auth).status_code == 401
    assert "needs a description" in client.refused(SERVICE, entity="crew", description=" ")


def test_what_a_team_stores_is_counted(client: Client) -> None:
    create = """mutation C { createRunFiles(input: {entityName: "crew", projectName: "p", runName: "r", files: ["f"]}) {
        files { uploadUrl } } }"""
    [file] = client.graphql(create)["createRunFiles"]["files"]
    client.request("PUT", file["uploadUrl"], content=b"12345", auth=None)
    assert client.graphql(TEAM, name="crew")["entity"]["storageBytes"] == 5
    assert client.graphql(TEAM, name="local")["entity"]["storageBytes"] == 0
    assert [member["username"] for member in members(client, "local")] == ["local"]


def test_what_there_is_none_of_is_answered_so(client: Client) -> None:
    page = {"edges": [], "pageInfo": {"endCursor": None, "hasNextPage": False}}
    asked = "edges { node { id } } pageInfo { endCursor hasNextPage }"
    found = client.graphql(f"""{{ organization(name: "x") {{ id }} entity(name: "local") {{
        organization {{ name }} triggers {{ {asked} }}
        integrations {{ edges {{ node {{ __typename }} }} pageInfo {{ endCursor hasNextPage }} }}
        projects {{ edges {{ node {{ triggers {{ id }} }} }} }} }} }}""")
    assert found["organization"] is None
    assert found["entity"]["triggers"] == found["entity"]["integrations"] == page
