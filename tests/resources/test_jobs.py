"""Jobs: found, listed, and put into queues with a config that fits them."""

from __future__ import annotations

import datetime as dt
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from launching import ANYTHING, NUMBER, TAKES, make_job, pop

import runframe
from runframe import Api, Artifact, LaunchError, NotFoundError
from runframe.resources.jobs import listing
from runframe.resources.jobs.inputs import assigned, explain

FITTING = {"lr": 0.1, "layers": [1, 2]}


@pytest.fixture(autouse=True)
def _folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def api(runframe_api: Api) -> Api:
    return runframe_api


def test_a_job_is_downloaded_and_says_what_it_takes(api: Api, tmp_path: Path) -> None:
    name = make_job(api)
    job = api.job(name, str(tmp_path / "job"))
    assert (tmp_path / "job" / "wandb-job.json").is_file()
    assert (job.name, repr(job), job.artifact.type) == (name, f"<Job {name}>", "job")
    assert (job.input_types, job.output_types, job.is_partial) == (TAKES, ANYTHING, False)
    assert (job.entrypoint, job.info["runtime"]) == (["python", "train.py"], "3.11")
    api.job("local/p/train:latest")
    assert Path("artifacts", "train:v0", "wandb-job.json").is_file()


@pytest.mark.parametrize(
    "name", [None, 5, "", "train", "train:latest", "p/train:latest", "local/p/train", "a/b/c/d:v0"]
)
def test_a_name_of_another_form_is_refused(api: Api, name: Any) -> None:
    with pytest.raises(ValueError, match="expected entity/project/name:alias") as refused:
        api.job(name)
    assert isinstance(refused.value, runframe.CommError)


def test_an_artifact_that_is_no_job_is_not_found(api: Api) -> None:
    make_job(api)
    with pytest.raises(NotFoundError, match="Job artifact local/p/none:v0 not found"):
        api.job("local/p/none:v0")
    with pytest.raises(NotFoundError, match="Job artifact nobody/p/train:v0 not found"):
        api.job("nobody/p/train:v0")
    draft = Artifact("other", "model")
    with draft.new_file("a") as file:
        file.write("a")
    draft.save("p", api=api)
    with pytest.raises(NotFoundError, match="of type 'model', not of type 'job'"):
        api.job("local/p/other:v0")


@pytest.mark.parametrize(
    ("info", "part"),
    [
        ("{", "is not JSON"),
        ("[]", "holds list, expected an object"),
        ("{}", "has input_types None, expected {'wb_type': …}"),
        (json.dumps({"input_types": ANYTHING, "output_types": []}), "has output_types []"),
    ],
)
def test_a_malformed_description_is_an_error(api: Api, info: str, part: str) -> None:
    with pytest.raises(runframe.CommError) as refused:
        api.job(make_job(api, info=info))
    assert part in str(refused.value)


def test_a_call_puts_a_run_into_the_queue(api: Api) -> None:
    api.create_run_queue("q", "kubernetes", config={"cpus": 1})
    item = api.job(make_job(api)).call(
        FITTING, "target", "local", "q", "local-container", {"kubernetes": {"gpus": 2}}, priority=3
    )
    assert (item.entity, item.project, item.queue_name) == ("local", "target", "q")
    assert (item.project_queue, item.priority, item.state) == ("model-registry", 3, "pending")
    taken = pop(api, "q")
    assert taken == {
        "runQueueItemId": item.id,
        "runSpec": {
            "overrides": {"run_config": FITTING},
            "job": "local/p/train:v0",
            "entity": "local",
            "project": "target",
            "docker": {},
            "resource": "kubernetes",
            "git": {},
            "resource_args": {"kubernetes": {"cpus": 1, "gpus": 2}},
        },
    }


def test_a_call_goes_to_the_jobs_project_and_the_default_queue(api: Api) -> None:
    job = api.job(make_job(api))
    items = [job.call(FITTING), job.call(FITTING, priority=1)]
    assert [(item.project, item.queue_name, item.entity) for item in items] == [("p", "default", "local")] * 2
    assert [each.id for each in api.run_queue("local", "default").items] == [item.id for item in items]
    taken = pop(api, "default")
    assert taken is not None and taken["runSpec"]["resource"] == "local-container"


def test_a_queue_of_another_project_can_be_named(api: Api) -> None:
    item = api.job(make_job(api)).call(FITTING, project_queue="elsewhere")
    assert (item.project_queue, item.state) == ("elsewhere", "pending")
    assert api.queued_run("local", "p", "default", item.id, "elsewhere").state == "pending"


def test_an_entrypoint_of_ones_own_goes_along(api: Api) -> None:
    job = api.job(make_job(api))
    with pytest.raises(TypeError, match="a list of text"):
        job.set_entrypoint("python x.py")
    job.set_entrypoint(["bash", "run.sh"])
    job.call(FITTING)
    taken = pop(api, "default")
    assert job.entrypoint == ["bash", "run.sh"] and taken is not None
    assert taken["runSpec"]["overrides"] == {"run_config": FITTING, "entry_point": ["bash", "run.sh"]}


def test_artifacts_in_a_config_stand_as_references(api: Api) -> None:
    kinds = {"data": {"wb_type": "artifactVersion"}}
    name = make_job(api, input_types={"wb_type": "typedDict", "params": {"type_map": kinds}})
    draft = Artifact("rows", "dataset")
    with draft.new_file("a") as file:
        file.write("a")
    job = api.job(name)
    with pytest.raises(ValueError, match=r"config\['data'\] is an artifact that was not logged"):
        job.call({"data": draft})
    draft.save("p", api=api)
    job.call({"data": draft})
    taken = pop(api, "default")
    assert taken is not None and taken["runSpec"]["overrides"]["run_config"] == {"data": draft.json_encode()}


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        ({"lr": "x", "layers": []}, ["config.lr is 'x', expected number"]),
        ({"lr": 1}, ["config.layers is None, expected a list of number"]),
        ({"lr": 1, "layers": [], "more": 1}, ["an entry 'more', expected only lr, layers"]),
        ({"lr": True, "layers": [1, "a"]}, ["config.lr is True", "config.layers is [1, 'a']"]),
        ([], ["is [], expected a dict"]),
    ],
)
def test_a_config_that_does_not_fit_is_refused(api: Api, config: Any, parts: list[str]) -> None:
    job = api.job(make_job(api))
    with pytest.raises(TypeError) as refused:
        job.call(config)
    assert all(part in str(refused.value) for part in parts)
    with pytest.raises(NotFoundError):
        _ = api.run_queue("local", "default").id


def test_a_job_made_by_hand_takes_anything(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    job = api.job(make_job(api, _partial=True))
    with caplog.at_level(logging.WARNING, "runframe"):
        assert job.is_partial and job.call({"whatever": 1}).state == "pending"
    assert "was made by hand" in caplog.text


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ({"zone": "c"}, "'zone' is 'c', expected one of 'a', 'b'"),
        ({"zone": "a", "gpus": 1}, "no template variable 'gpus'; it has zone"),
        ({}, "'zone' has no default: give it a value"),
        (None, "'zone' has no default: give it a value"),
        ("zone", "expected a dict"),
    ],
)
def test_values_that_do_not_fit_the_queue_are_refused(api: Api, values: Any, part: str) -> None:
    variables = {"zone": {"schema": {"type": "string", "enum": ["a", "b"]}}}
    api.create_run_queue("q", "kubernetes", config={"zone": "{{zone}}"}, template_variables=variables)
    job = api.job(make_job(api))
    for priority in (None, 1):
        with pytest.raises(ValueError) as refused:
            job.call(FITTING, queue="q", template_variables=values, priority=priority)
        assert part in str(refused.value)
    assert api.run_queue("local", "q").items == []
    assert job.call(FITTING, queue="q", template_variables={"zone": "a"}).state == "pending"


def test_a_queue_that_is_not_there_is_an_error(api: Api) -> None:
    job = api.job(make_job(api))
    with pytest.raises(LaunchError, match=r"no queue local/model-registry/q .there is none.: Api.create_run_queue"):
        job.call(FITTING, queue="q")
    api.create_run_queue("other", "kubernetes")
    for values in (None, {"zone": "a"}):
        with pytest.raises(LaunchError, match="there is 'other'"):
            job.call(FITTING, queue="q", template_variables=values)
    with pytest.raises(LaunchError, match="priority is -1, expected a number from 0 on"):
        job.call(FITTING, queue="other", priority=-1)


def test_jobs_are_listed_and_are_columns(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PER_PAGE", 2)
    for name in ("train", "evaluate", "b", "c", "d"):
        make_job(api, name)
    jobs = api.list_jobs("local", "p")
    nodes = [edge["node"] for job in jobs for edge in job["edges"]]
    assert isinstance(jobs, list) and {node["artifactSequence"]["name"] for node in nodes} == {
        "train", "evaluate", "b", "c", "d",
    }  # fmt: skip
    assert jobs[0].keys() == {"edges"} and nodes[0].keys() == {"id", "state", "aliases", "artifactSequence"}
    rows = {row["name"]: row for row in jobs.to_arrow().to_pylist()}
    ids = {node["artifactSequence"]["name"]: node["id"] for node in nodes}
    assert rows["train"] == {
        "id": ids["train"], "name": "train", "entity": "local", "project": "p", "state": "COMMITTED",
        "aliases": ["v0", "latest"],
    }  # fmt: skip
    assert len(jobs.to_polars(["name"])) == len(jobs.to_pandas()) == sum(batch.num_rows for batch in jobs.to_batches())


def test_all_versions_of_a_job_are_listed(api: Api) -> None:
    for number in range(53):
        make_job(api, runtime=str(number))
    [job] = api.list_jobs("local", "p")
    ids = [edge["node"]["id"] for edge in job["edges"]]
    assert len(ids) == len(set(ids)) == 53


def test_a_project_without_jobs_lists_none(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    api.create_project("empty", "local")
    assert api.list_jobs("local", "empty") == [] and not caplog.text
    with caplog.at_level(logging.WARNING, "runframe"):
        assert api.list_jobs("local", "none") == []
    assert "there is no project local/none" in caplog.text
    assert api.list_jobs("local", "empty").to_polars().shape == (0, 6)
    for arguments in ((None, "p"), ("local", None)):
        with pytest.raises(ValueError, match="to list the jobs of"):
            api.list_jobs(*arguments)  # type: ignore[arg-type]


def union(*types: Any) -> dict[str, Any]:
    return {"wb_type": "union", "params": {"allowed_types": list(types)}}


STRING, UNKNOWN, NONE = {"wb_type": "string"}, {"wb_type": "unknown"}, {"wb_type": "none"}
CASES: list[tuple[Any, list[Any], list[Any]]] = [
    (NUMBER, [1, 1.5, np.float32(2), np.int8(1)], [True, "1", None, float("nan"), [1]]),
    (STRING, ["", "ü"], [1, None, b"x"]),
    ({"wb_type": "boolean"}, [True, np.bool_(False)], [1, 0, None]),
    (NONE, [None, float("nan")], [0, ""]),
    ({"wb_type": "any"}, [1, "x", {}], [None]),
    (UNKNOWN, [1, "x", {}], [None]),
    (union(NONE, NUMBER), [None, 1], ["x"]),
    (union(UNKNOWN, NONE), [None, 1, "x"], []),
    ({"wb_type": "timestamp"}, [dt.date(2024, 1, 1), dt.datetime(2024, 1, 1)], ["2024"]),
    ({"wb_type": "list", "params": {"element_type": UNKNOWN}}, [[], [1, 2], ("a", "b")], [[1, "a"], {}, "ab", None]),
    ({"wb_type": "list", "params": {"element_type": union(NONE, UNKNOWN)}}, [[None, 1, 2]], [[1, "a"]]),
    ({"wb_type": "list"}, [[1], {1}], [[None]]),
    ({"wb_type": "const", "params": {"val": 3}}, [3], [4]),
    ({"wb_type": "ndarray", "params": {"shape": [2, 3]}}, [np.zeros((2, 3)), [1]], [np.zeros(3), "x"]),
    ({"wb_type": "pythonObject", "params": {"class_name": "Path"}}, [], [1]),
    ({"wb_type": "invalid"}, [], [1, None]),
    ({"wb_type": "image-file"}, [{"_type": "image-file"}], [{"_type": "other"}, "x"]),
    ({"wb_type": "dictionary", "params": {"type_map": {"a": union(NONE, NUMBER)}}}, [{}, {"a": 1}], [{"b": 1}, []]),
    ("malformed", [1], [None]),
]


@pytest.mark.parametrize(("type_", "fitting", "other"), CASES)
def test_a_type_takes_its_values_and_no_others(type_: Any, fitting: list[Any], other: list[Any]) -> None:
    assert [value for value in fitting if assigned(type_, value) is None or explain(type_, value)] == []
    assert [value for value in other if assigned(type_, value) is not None or not explain(type_, value)] == []
