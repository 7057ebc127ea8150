"""Jobs and what agents do, for the tests of queues: written through the server's own doors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runframe import Api, Artifact

NUMBER = {"wb_type": "number"}
TAKES = {
    "wb_type": "typedDict",
    "params": {"type_map": {"lr": NUMBER, "layers": {"wb_type": "list", "params": {"element_type": NUMBER}}}},
}
ANYTHING = {"wb_type": "typedDict", "params": {"type_map": {}}}
POP = """mutation Pop($entity: String!, $queue: String!) {
    popFromRunQueue(input: {entityName: $entity, projectName: "model-registry", queueName: $queue}) {
        runQueueItemId runSpec } }"""
ACK = """mutation Ack($id: ID!, $run: String!) {
    ackRunQueueItem(input: {runQueueItemId: $id, runName: $run}) { success } }"""
FAIL = """mutation Fail($id: ID!) {
    failRunQueueItem(input: {runQueueItemId: $id, message: "no image", stage: "agent"}) { success } }"""

END = """mutation End($run: String!, $project: String!) {
    upsertBucket(input: {entityName: "local", modelName: $project, name: $run, state: "finished"}) {
        bucket { id } } }"""


def make_job(api: Api, name: str = "train", project: str = "p", info: Any = None, **fields: Any) -> str:
    """The name of a new job, with `fields` in its ``wandb-job.json``, or `info` as the whole of it."""
    described = {
        "_version": "v0",
        "source_type": "image",
        "source": {"image": "my/image:1", "entrypoint": ["python", "train.py"]},
        "input_types": TAKES,
        "output_types": ANYTHING,
        "runtime": "3.11",
        **fields,
    }
    draft = Artifact(name, "model")
    draft._type = "job"  # a type that only the launching tools make artifacts of
    with draft.new_file("wandb-job.json") as file:
        file.write(json.dumps(described) if info is None else info)
    draft.save(project, api=api)
    return f"{draft.entity}/{project}/{draft.name}"


def pop(api: Api, queue: str) -> Mapping[str, Any] | None:
    """What an agent gets that asks for work."""
    found: Mapping[str, Any] | None = api.client.execute(POP, {"entity": "local", "queue": queue})["popFromRunQueue"]
    return found


def acknowledge(api: Api, item: str, run: str) -> bool:
    """What an agent says when it has started a run."""
    return bool(api.client.execute(ACK, {"id": item, "run": run})["ackRunQueueItem"]["success"])


def fail(api: Api, item: str) -> None:
    """What an agent says when it could not start a run."""
    api.client.execute(FAIL, {"id": item})


def end(api: Api, run: str, project: str) -> None:
    """Ends a run."""
    api.client.execute(END, {"run": run, "project": project})
