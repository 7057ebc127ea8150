"""The documented names and arguments of what `Api` returns, as the official client has them."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from runframe import (
    Agent,
    AgentRuns,
    Api,
    BetaReport,
    Job,
    Member,
    Project,
    QueryGenerator,
    QueuedRun,
    Reports,
    Run,
    RunQueue,
    Runs,
    Sweep,
    Sweeps,
    Team,
    User,
)
from runframe.resources.files import File

# As documented: names, order and defaults; those of Api are in signatures.txt. What follows after `*` is ours, or newer
# than the documentation.
RUN = {
    "beta_scan_history": "(keys=None, page_size=1000, min_step=0, max_step=None, use_cache=True)",
    "console_logs": "()",
    "delete": "(delete_artifacts=False)",
    "display": "(height=420, hidden=False)",
    "download_history_exports": "(download_dir, require_complete_history=True)",
    "file": "(name)",
    "files": "(names=None, pattern=None, per_page=50)",
    "history": "(samples=500, keys=None, x_axis='_step', pandas=True, stream='default')",
    "load": "(force=False)",
    "load_full_data": "(force=False)",
    "log_artifact": "(artifact, aliases=None, tags=None)",
    "logged_artifacts": "(per_page=100)",
    "save": "()",
    "snake_to_camel": "(string)",
    "stop": "()",
    "to_html": "(height=420, hidden=False)",
    "scan_history": "(keys=None, page_size=1000, min_step=0, max_step=None, use_cache=True)",
    "update": "()",
    "update_state": "(state)",
    "upload_file": "(path, root='.')",
    "use_artifact": "(artifact, use_as=None)",
    "used_artifacts": "(per_page=100)",
    "wait_until_finished": "()",
}
FILE = {"delete": "()", "download": "(root='.', replace=False, exist_ok=False, api=None)"}
USER = {"delete_api_key": "(api_key)", "generate_api_key": "(description=None)"}
TEAM = {
    "create_service_account": "(description)",
    "invite": "(username_or_email, admin=False)",
    "load": "(force=False)",
}
MEMBER = {"delete": "()"}
CREATE = {User: "(api, email, admin=False)", Team: "(api, team, admin_username=None)"}
RUNS = {
    "convert_objects": "()",
    "histories": "(samples=500, keys=None, x_axis='_step', format='default', stream='default')",
    "next": "()",
    "update_variables": "()",
    "upgrade_to_full": "()",
}
PROJECT = {
    "artifacts_types": "(per_page=50)",
    "collections": "(filters=None, order=None, per_page=50)",
    "sweeps": "(per_page=50, filters=None, order=None)",
}
SWEEP = {
    "agent": "(agent_id)",
    "agents": "()",
    "best_run": "(order=None)",
    "display": "(height=420, hidden=False)",
    "enqueue_run": "(config, display_name=None)",
    "get": "(entity=None, project=None, sid=None, order=None, query=None, **kwargs)",
    "load": "(force=False)",
    "to_html": "(height=420, hidden=False)",
}
REPORT = {
    "display": "(height=420, hidden=False)",
    "runs": "(section, per_page=50, only_selected=True)",
    "to_html": "(height=1024, hidden=False)",
}
AGENT = {"runs": "(per_page=50)"}
QUERIES = {
    "filter_to_mongo": "(filter)",
    "key_to_server_path": "(key)",
    "keys_to_order": "(keys)",
    "mongo_to_filter": "(filter)",
    "order_to_keys": "(order)",
    "server_path_to_key": "(path)",
}
JOB = {
    "call": (
        "(config, project=None, entity=None, queue=None, resource='local-container', resource_args=None,"
        " template_variables=None, project_queue=None, priority=None)"
    ),
    "set_entrypoint": "(entrypoint)",
}
RUN_QUEUE = {
    # A class method: `name`, its first argument, stands where others have themselves.
    "create": "(resource, entity=None, prioritization_mode=None, config=None, template_variables=None)",
    "delete": "()",
}
QUEUED_RUN = {"delete": "(delete_artifacts=False)", "wait_until_finished": "()", "wait_until_running": "()"}
DOCUMENTED = [
    (kind, name, signature)
    for kind, methods in [
        (Run, RUN),
        (File, FILE),
        (Runs, RUNS),
        (Project, PROJECT),
        (Sweep, SWEEP),
        (BetaReport, REPORT),
        (Agent, AGENT),
        (QueryGenerator, QUERIES),
        (Job, JOB),
        (RunQueue, RUN_QUEUE),
        (QueuedRun, QUEUED_RUN),
        (User, USER),
        (Team, TEAM),
        (Member, MEMBER),
    ]
    for name, signature in methods.items()
]
PROPERTIES = {
    Run: [
        "config", "dir", "entity", "history_keys", "id", "json_config", "lastHistoryStep", "metadata", "name", "path",
        "rawconfig", "state", "storage_id", "summary", "summary_metrics", "sweep", "sweep_name", "system_metrics",
        "url", "user", "username",
    ],
    Sweep: ["config", "entity", "expected_run_count", "name", "order", "path", "url", "username"],
    BetaReport: [
        "created_at", "description", "display_name", "id", "name", "sections", "spec", "updated_at", "url", "user",
    ],
    Runs: ["cursor", "length", "more", "objects", "schema"],
    File: ["path_uri", "size"],
    Job: ["name"],
    RunQueue: [
        "access", "default_resource_config", "entity", "external_links", "id", "items", "name", "prioritization_mode",
        "template_variables", "type",
    ],
    QueuedRun: ["entity", "id", "project", "queue_name", "state"],
    User: ["api_keys", "teams", "user_api"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "signature"), DOCUMENTED)
def test_each_method_takes_what_is_documented(kind: type, name: str, signature: str) -> None:
    found = inspect.signature(getattr(kind, name))
    positional = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in list(found.parameters.values())[1:]
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY
    ]
    assert str(inspect.Signature(positional)) == signature


@pytest.mark.parametrize("kind", PROPERTIES)
def test_each_property_is_one(kind: type) -> None:
    assert [name for name in PROPERTIES[kind] if not isinstance(getattr(kind, name), property)] == []


@pytest.mark.parametrize("kind", CREATE)
def test_each_class_that_makes_objects_takes_what_is_documented(kind: type[User] | type[Team]) -> None:
    found = inspect.signature(kind.create)
    parameters = [each.replace(annotation=inspect.Parameter.empty) for each in found.parameters.values()]
    assert str(inspect.Signature(parameters)) == CREATE[kind]


@pytest.mark.parametrize(
    "kind",
    [
        Api,
        Run,
        Runs,
        File,
        Sweep,
        Sweeps,
        Agent,
        AgentRuns,
        BetaReport,
        Reports,
        QueryGenerator,
        Job,
        RunQueue,
        QueuedRun,
        User,
        Team,
        Member,
    ],
)
def test_everything_public_is_documented(kind: type) -> None:
    public: list[tuple[str, Any]] = [(name, member) for name, member in vars(kind).items() if not name.startswith("_")]
    assert [name for name, member in public if not inspect.getdoc(member)] == []
