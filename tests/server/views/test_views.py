"""Reports and workspaces: made, changed, listed and deleted."""

from __future__ import annotations

import json
from typing import Any

from store_client import Client

UPSERT = """mutation upsertView($input: UpsertViewInput!) { upsertView(input: $input) {
    view { id type name displayName description project { name entityName } spec updatedAt createdUsing } inserted
} }"""
LIST = """query ProjectViews(
    $viewType: String = "runs", $viewName: String, $userName: String, $first: Int, $after: String
) {
    project(name: "p") {
        allViews(viewType: $viewType, viewName: $viewName, userName: $userName, first: $first, after: $after) {
            edges { node { id name displayName user { username } createdAt spec } cursor }
            pageInfo { endCursor hasNextPage }
} } }"""
VIEW = "query SpecificReport($id: ID!) { view(id: $id) { id name project { id name entityName } spec } }"
DELETE = """mutation deleteView($id: ID!) {
    deleteView(input: {id: $id, deleteDrafts: true}) { success pendingDrafts __typename } }"""


def upsert(client: Client, **fields: Any) -> Any:
    fields = {"projectName": "p", "type": "runs", "spec": "{}", "createdUsing": "WANDB_SDK", **fields}
    return client.graphql(UPSERT, input=fields)["upsertView"]


def names(client: Client, **variables: Any) -> list[str]:
    edges = client.graphql(LIST, **variables)["project"]["allViews"]["edges"]
    return [edge["node"]["name"] for edge in edges]


def test_a_view_comes_back_as_it_was_sent(client: Client) -> None:
    spec = json.dumps({"version": 5, "blocks": [{"text": "grüße"}]})
    made = upsert(client, name="slug", displayName="Title", description="why", spec=spec)
    assert made["inserted"] is True
    view = made["view"]
    assert (view["type"], view["name"], view["displayName"], view["description"]) == ("runs", "slug", "Title", "why")
    assert (view["spec"], view["createdUsing"]) == (spec, "WANDB_SDK")
    found = client.graphql(VIEW, id=view["id"].rstrip("="))["view"]
    assert (found["id"], found["spec"], found["project"]["entityName"]) == (view["id"], spec, "local")


def test_a_view_is_changed_by_its_id_and_keeps_what_is_not_given(client: Client) -> None:
    view = upsert(client, name="slug", displayName="Title", type="runs/draft")["view"]
    changed = upsert(client, id=view["id"], displayName="Other", spec='{"a": 1}')
    assert changed["inserted"] is False
    assert (changed["view"]["name"], changed["view"]["displayName"]) == ("slug", "Other")
    assert (names(client), names(client, viewType="runs/draft")) == (["slug"], [])  # it was published by that


def test_a_view_that_is_sent_twice_is_one(client: Client) -> None:
    first = upsert(client, name="slug")
    again = upsert(client, name="slug", displayName="Title")
    assert (again["inserted"], again["view"]["id"]) == (False, first["view"]["id"])
    assert upsert(client, name="slug", type="project-view")["inserted"] is True


def test_views_are_listed_by_type_name_and_user_in_pages(client: Client) -> None:
    for number in range(3):
        upsert(client, name=f"r{number}")
    upsert(client, name="nw-x-v", type="project-view")
    assert names(client) == ["r2", "r1", "r0"]
    assert names(client, viewType=None) == ["nw-x-v", "r2", "r1", "r0"]
    assert names(client, viewName="r1") == ["r1"] and names(client, viewName="none") == []
    assert names(client, userName="local", viewType="project-view") == ["nw-x-v"]
    assert names(client, userName="nobody") == []
    page = client.graphql(LIST, first=2)["project"]["allViews"]
    assert page["pageInfo"]["hasNextPage"] is True
    assert names(client, first=2, after=page["pageInfo"]["endCursor"]) == ["r0"]


def test_a_view_is_deleted(client: Client) -> None:
    view = upsert(client, name="slug")["view"]
    assert client.graphql(DELETE, id=view["id"])["deleteView"]["success"] is True
    assert client.graphql(VIEW, id=view["id"]) == {"view": None}
    assert "is no view's" in client.refused(DELETE, id=view["id"])


def test_what_cannot_be_a_view_is_refused(client: Client) -> None:
    assert "spec is not JSON" in client.refused(UPSERT, input={"projectName": "p", "spec": "{"})
    assert "is no view's" in client.refused(UPSERT, input={"id": "eA==", "spec": "{}"})
    assert client.graphql(VIEW, id="nonsense") == {"view": None}


def test_share_links_are_kept_and_revoked(client: Client) -> None:
    view = upsert(client, name="slug")["view"]
    projects = [{"entityName": "local", "projectName": "p"}]
    create = """mutation C($id: ID!, $projects: [ProjectSpecifier!]!) {
        createAccessToken(input: {viewId: $id, projects: $projects}) { accessToken { token type } } }"""
    token = client.graphql(create, id=view["id"], projects=projects)["createAccessToken"]["accessToken"]
    assert token["type"] == "PUBLIC" and len(token["token"]) >= 32
    listed = (
        "query V($id: ID!) { view(id: $id) { accessTokens { token type revokedAt projects { entityName name } } } }"
    )
    [found] = client.graphql(listed, id=view["id"])["view"]["accessTokens"]
    assert found == {**token, "revokedAt": None, "projects": [{"entityName": "local", "name": "p"}]}
    revoke = "mutation R($token: String!) { revokeAccessToken(input: {token: $token}) { success } }"
    assert client.graphql(revoke, token=token["token"])["revokeAccessToken"]["success"] is True
    [found] = client.graphql(listed, id=view["id"])["view"]["accessTokens"]
    assert found["revokedAt"] is not None
    assert "no such access token" in client.refused(revoke, token="other")


CHART = """mutation CreateCustomChart($entity: String!, $name: String!, $access: String!, $spec: JSONString!) {
    createCustomChart(input: {
        entity: $entity, name: $name, displayName: "D", type: "vega2", access: $access, spec: $spec
    }) { chart { id } }
}"""


def test_a_custom_chart_is_kept(client: Client) -> None:
    chart = {"entity": "local", "name": "bars", "access": "PRIVATE", "spec": '{"mark": "bar"}'}
    assert client.graphql(CHART, **chart)["createCustomChart"]["chart"] == {"id": "local/bars"}
    listed = '{ entity(name: "local") { customCharts { id name displayName type access spec } } }'
    assert client.graphql(listed)["entity"]["customCharts"] == [
        {
            "id": "local/bars",
            "name": "bars",
            "displayName": "D",
            "type": "vega2",
            "access": "PRIVATE",
            "spec": '{"mark": "bar"}',
        }
    ]
    assert "local/bars already" in client.refused(CHART, **chart)
    assert "expected 'private' or 'public'" in client.refused(CHART, **{**chart, "access": "MINE"})
    assert "spec is not JSON" in client.refused(CHART, **{**chart, "spec": "mark"})
    assert "cannot be the name of a chart" in client.refused(CHART, **{**chart, "name": "a/b"})


def test_alerts_are_read_back(client: Client) -> None:
    client.begin()
    alert = """mutation A($title: String!) { notifyScriptableRunAlert(input: {entityName: "local", projectName: "p",
        runName: "r", title: $title, text: "text", severity: WARN, waitDuration: 60000}) { success } }"""
    for title in ("one", "two"):
        client.graphql(alert, title=title)
    alerts = client.run("alerts { title text severity waitDuration createdAt }")["alerts"]
    assert [(found["title"], found["severity"], found["waitDuration"]) for found in alerts] == [
        ("one", "WARN", 60000),
        ("two", "WARN", 60000),
    ]
