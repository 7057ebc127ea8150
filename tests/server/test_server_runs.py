"""UpsertBucket and its like: making, changing, taking over, stopping and deleting runs."""

from __future__ import annotations

import json
import math

import pytest
from store_client import Client

BIG = 2**63 + 1
UNTOUCHED = "tags notes displayName group jobType host config summaryMetrics"


def test_a_run_is_made_with_its_project_and_entity(client: Client) -> None:
    made = client.begin("one", entityName="team", modelName="deep learning")
    assert made["inserted"] is True
    bucket = made["bucket"]
    assert bucket["project"] == {"name": "deep learning", "entity": {"name": "team"}}
    assert (bucket["name"], bucket["displayName"], bucket["historyLineCount"]) == ("one", "one", 0)
    assert client.begin("one", entityName="team", modelName="deep learning")["inserted"] is False


def test_without_names_the_defaults_are_taken(client: Client) -> None:
    bucket = client.upsert(modelName=None, config={})["bucket"]
    assert bucket["project"] == {"name": "uncategorized", "entity": {"name": "local"}}
    assert len(bucket["name"]) == 8


def test_null_leaves_what_is_there_and_a_list_of_tags_replaces(client: Client) -> None:
    made = client.begin(tags=["b", "a", "b"], notes="n", displayName="d", groupName="g", jobType="t")["bucket"]
    before = client.run(UNTOUCHED)
    assert before["tags"] == ["b", "a"]
    client.upsert(id=made["id"], tags=None, notes=None, displayName=None)
    assert client.run(UNTOUCHED) == before
    client.upsert(id=made["id"], tags=[])
    assert client.run("tags")["tags"] == []


def test_documents_keep_nan_infinities_and_integers_of_any_size(client: Client) -> None:
    text = (
        f'{{"a":{{"value":NaN}},"b":{{"value":[Infinity,-Infinity]}},"c":{{"value":{BIG}}},'
        '"d":{"value":"\\ue000NaN"}}'
    )
    client.upsert(name="r", config=text, summaryMetrics=text)
    found = client.run("config summaryMetrics")
    for document in map(json.loads, found.values()):
        assert math.isnan(document["a"]["value"])
        assert document["b"]["value"] == [math.inf, -math.inf]
        assert document["c"]["value"] == BIG
        assert document["d"]["value"] == "\ue000NaN"


def test_a_summary_is_sent_whole_or_by_key(client: Client) -> None:
    text = f'{{"loss":NaN,"big":{BIG},"deep":{{"x":1}},"a.b":2}}'
    client.upsert(name="r", config="{}", summaryMetrics=text)
    assert client.run("summaryMetrics") == {"summaryMetrics": text}
    assert client.run('summaryMetrics(keys: ["a.b", "loss", "none"])') == {"summaryMetrics": '{"a.b":2,"loss":NaN}'}
    assert client.run('summaryMetrics(keys: ["deep", "big"])') == {
        "summaryMetrics": f'{{"deep":{{"x":1}},"big":{BIG}}}'
    }
    assert client.run("summaryMetrics(keys: [])") == {"summaryMetrics": "{}"}


def test_an_id_used_again_without_resuming_begins_anew(client: Client) -> None:
    client.begin(config={"x": {"value": 1}}, tags=["old"])
    client.log([{"loss": 1.0}, {"loss": 2.0}])
    client.stream({"output.log": (0, ["line"]), "wandb-summary.json": (0, ['{"loss": 2}'])}, complete=True, exitcode=1)
    again = client.begin(config={"y": {"value": 2}})["bucket"]
    assert (again["historyLineCount"], again["state"]) == (0, "running")
    assert set(json.loads(again["config"])) == {"_wandb", "y"}
    assert client.history() == []
    rest = client.run("tags summaryMetrics logLineCount historyKeys")
    assert rest == {"tags": [], "summaryMetrics": "{}", "logLineCount": 0, "historyKeys": None}


def test_a_change_of_config_alone_never_begins_anew(client: Client) -> None:
    client.begin()
    client.log([{"loss": 1.0}])
    changed = client.upsert(name="r", entityName="local", config={"_wandb": {"value": {"t": {}}}, "x": {"value": 1}})
    assert changed["bucket"]["historyLineCount"] == 1
    assert len(client.history()) == 1


@pytest.mark.parametrize("kept_back", [{}, {"host": None, "jobProgram": None}])
def test_a_beginning_is_known_although_host_and_program_are_kept_back(
    client: Client, kept_back: dict[str, None]
) -> None:
    client.begin()
    client.log([{"loss": 1.0}])
    client.stream(complete=True, exitcode=0)
    config = '{"_wandb": {"value": {"t": {}}}}'
    client.upsert(name="r", config=config, **kept_back)
    assert client.history() == []


def test_resuming_goes_on_with_what_is_there(client: Client) -> None:
    made = client.begin()["bucket"]
    client.log([{"loss": 1.0}])
    client.stream(complete=True, exitcode=3)
    assert client.run("state")["state"] == "failed"
    resumed = client.begin(id=made["id"])["bucket"]
    assert (resumed["historyLineCount"], resumed["state"]) == (1, "running")


def test_a_run_made_by_the_api_waits_for_its_first_process(client: Client) -> None:
    client.upsert(name="r", state="pending")
    assert client.run("state")["state"] == "pending"
    assert client.run('wandbConfig(keys: ["t"])') == {"wandbConfig": "{}"}
    assert client.begin()["bucket"]["state"] == "running"


def test_two_processes_that_share_a_run_join_their_configs(client: Client) -> None:
    shared = {"x-wandb-use-async-filestream": "true"}
    for writer in ("one", "two"):
        config = {"_wandb": {"value": {"t": {}, "e": {writer: {"os": "x"}}}}, writer: {"value": 1}}
        query = "mutation U($i: UpsertBucketInput!) { upsertBucket(input: $i) { bucket { historyLineCount } } }"
        fields = {"name": "r", "modelName": "p", "host": writer, "config": json.dumps(config)}
        body = {"query": query, "variables": {"i": fields}}
        assert client.request("POST", "/graphql", json=body, headers=shared).status_code == 200
        client.stream(
            {"wandb-history.jsonl": (0, [json.dumps({"_step": 0, writer: 1})])},
            headers={"x-wandb-async-client-id": writer},
        )
    config = json.loads(client.run("config")["config"])
    assert set(config) == {"_wandb", "one", "two"}
    assert set(config["_wandb"]["value"]["e"]) == {"one", "two"}
    assert sorted(next(iter(row.keys() - {"_step"})) for row in client.history()) == ["one", "two"]


def test_what_resuming_asks_for(client: Client) -> None:
    status = """query RunResumeStatus($project: String, $entity: String, $name: String!) {
        model(name: $project, entityName: $entity) { id name entity { id name } bucket(name: $name, missingOk: true) {
            id name summaryMetrics displayName logLineCount historyLineCount eventsLineCount historyTail eventsTail
            config tags notes wandbConfig(keys: ["t"]) } } }"""
    assert client.graphql(status, project="p", name="r")["model"] is None
    client.begin("other")
    assert client.graphql(status, project="p", name="r")["model"]["bucket"] is None
    client.begin()
    bucket = client.graphql(status, project="p", name="r")["model"]["bucket"]
    assert (bucket["historyTail"], bucket["eventsTail"], bucket["historyLineCount"]) == ("[]", "[]", 0)
    client.log([{"loss": 1.0}, {"loss": math.nan}])
    client.stream({"output.log": (0, ["a", "b"]), "wandb-events.jsonl": (0, ['{"system.cpu": 1}'])})
    bucket = client.graphql(status, project="p", name="r")["model"]["bucket"]
    assert [bucket[f"{name}LineCount"] for name in ("history", "events", "log")] == [2, 1, 2]
    assert json.loads(json.loads(bucket["historyTail"])[-1])["_step"] == 1
    assert json.loads(json.loads(bucket["eventsTail"])[-1]) == {"system.cpu": 1}
    assert json.loads(bucket["wandbConfig"]) == {"t": {"1": [1]}}
    assert (
        client.refused('{ model(name: "p") { bucket(name: "none") { id } } }') == "There is no run 'none' in local/p."
    )


def test_rewinding_cuts_the_history_after_a_step(client: Client) -> None:
    client.begin()
    client.log([{"loss": 1.0}, {"loss": 2.0}, {"late": 3.0}])
    client.stream({"output.log": (0, ["a", "b"])})
    rewind = """mutation RewindRun($i: RewindRunInput!) { rewindRun(input: $i) { rewoundRun { historyLineCount } } }"""
    point = {"projectName": "p", "runName": "r", "metricName": "_step", "metricValue": 1.0}
    assert client.graphql(rewind, i=point)["rewindRun"]["rewoundRun"] == {"historyLineCount": 2}
    assert [row["_step"] for row in client.history()] == [0, 1]
    found = client.run("historyKeys logLineCount")
    assert (found["historyKeys"]["lastStep"], set(found["historyKeys"]["keys"])) == (1, {"_step", "loss"})
    assert found["logLineCount"] == 0
    client.log([{"loss": 9.0}], 2)
    assert [row["loss"] for row in client.history()] == [1.0, 2.0, 9.0]
    assert "'loss'" in client.refused(rewind, i={**point, "metricName": "loss"})
    assert "no run 'x'" in client.refused(rewind, i={**point, "runName": "x"})


def test_a_fork_inherits_the_rows_up_to_its_branch_point(client: Client) -> None:
    client.begin("parent")
    client.log([{"loss": float(step)} for step in range(5)], run="parent")
    point = {"_wandb": {"value": {"t": {}, "branch_point": {"run_id": "parent", "step": 2}}}}
    forked = client.begin("child", config=point)["bucket"]
    assert forked["historyLineCount"] == 3
    assert [row["_step"] for row in client.history("child")] == [0, 1, 2]
    assert len(client.history("parent")) == 5


def test_stopping_a_run_tells_its_process(client: Client) -> None:
    made = client.begin()["bucket"]
    assert client.stream() == {"stopped": False}
    client.graphql("mutation S($id: ID!) { stopRun(input: {id: $id}) { success } }", id=made["id"])
    assert client.stream() == {"stopped": True}
    assert client.run("stopped") == {"stopped": True}
    assert client.begin()["bucket"]["historyLineCount"] == 0
    assert client.stream() == {"stopped": False}


def test_deleting_a_run_deletes_all_that_is_its_own(client: Client) -> None:
    made = client.begin()["bucket"]
    client.log([{"loss": 1.0}])
    delete = "mutation D($id: ID!) { deleteRun(input: {id: $id}) { clientMutationId } }"
    client.graphql(delete, id=made["id"])
    assert client.graphql('{ project(name: "p") { runCount run(name: "r") { id } } }')["project"] == {
        "runCount": 0,
        "run": None,
    }
    assert "no run's" in client.refused(delete, id=made["id"])
    with client.local.store.read() as connection:
        assert connection.execute("SELECT count(*) FROM lines").fetchone()[0] == 0


def test_alerts_are_kept(client: Client) -> None:
    client.begin()
    alert = """mutation A($w: Duration) { notifyScriptableRunAlert(input: {entityName: "local", projectName: "p",
        runName: "r", title: "t", text: "x", severity: WARN, waitDuration: $w}) { success } }"""
    assert client.graphql(alert, w=60000)["notifyScriptableRunAlert"] == {"success": True}
    with client.local.store.read() as connection:
        row = connection.execute("SELECT title, text, severity, wait_duration FROM alerts").fetchone()
    assert tuple(row) == ("t", "x", "WARN", 60000)


def test_projects_are_made_changed_and_listed(client: Client) -> None:
    create = """mutation CreateProject($input: UpsertModelInput!) { result: upsertModel(input: $input) {
        project { id name entityName description access views } model { id } inserted } }"""
    made = client.graphql(create, input={"name": "new", "entityName": "local", "access": "PRIVATE"})["result"]
    assert made["inserted"] and made["project"]["access"] == "PRIVATE"
    again = client.graphql(create, input={"name": "new", "entityName": "local", "description": "d"})["result"]
    assert not again["inserted"]
    assert again["project"] == {**made["project"], "description": "d"}
    names = [f"p{number}" for number in range(5)]
    for name in names:
        client.graphql(create, input={"name": name})
    assert _projects(client, 2) == ["p4", "p3", "p2", "p1", "p0", "new"]


def _projects(client: Client, size: int) -> list[str]:
    query = """query GetProjects($cursor: String, $size: Int) { models(after: $cursor, first: $size) {
        pageInfo { endCursor hasNextPage } edges { node { name createdAt isBenchmark user { username } } } } }"""
    names: list[str] = []
    cursor, more = None, True
    while more:
        page = client.graphql(query, cursor=cursor, size=size)["models"]
        names += [edge["node"]["name"] for edge in page["edges"]]
        cursor, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return names


def test_an_unknown_project_is_null(client: Client) -> None:
    assert client.graphql('{ project(name: "none") { id } }')["project"] is None
