"""Every public name that an object of the official client has, ours has too, and gives the same: no name is forgotten.

The cases compare what is documented; this asks for everything else that code may have found on an object.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from artifact_making import draft
from case import Raised, attempt, differences, kind
from cases_queues import JOB
from cases_reports import titled
from cases_sweeps import sweep
from stage import Stage

pytestmark = [
    pytest.mark.sdk,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

MADE: dict[str, Callable[[Any], Any]] = {
    "a run": lambda api: api.run("lab/run-0"),
    "a run of a sweep": lambda api: sweep(api).runs[0],
    "a run in a listing": lambda api: api.runs("lab")[0],
    "a new run": lambda api: api.create_run(run_id="new", project="members"),
    "a waiting run": lambda api: kind(api, "Run").create(api, "waiting", "members", state="pending"),
    "a summary": lambda api: api.run("lab/run-0").summary,
    "a history": lambda api: api.run("lab/run-0").scan_history(),
    "runs": lambda api: api.runs("lab"),
    "no runs": lambda api: api.runs("empty"),
    "a project": lambda api: api.project("lab"),
    "a project in a listing": lambda api: next(each for each in api.projects() if each.name == "lab"),
    "no project": lambda api: api.project("none"),
    "projects": lambda api: api.projects("local"),
    "a file": lambda api: api.run("lab/run-0").file("a.txt"),
    "files": lambda api: api.run("lab/run-0").files(),
    "console lines": lambda api: api.run("lab/run-0").console_logs(),
    "a console line": lambda api: api.run("lab/run-0").console_logs()[0],
    "an artifact type": lambda api: api.artifact_type("dataset", "par"),
    "artifact types": lambda api: api.artifact_types("par"),
    "a collection": lambda api: api.artifact_collection("dataset", "par/data"),
    "a portfolio": lambda api: api.artifact_collection("model", "par/zoo"),
    "collections": lambda api: api.artifact_collections("par", "dataset"),
    "collections of a project": lambda api: api.project("par").collections(),
    "an artifact": lambda api: api.artifact("par/data:v0"),
    "a link": lambda api: api.artifact("par/zoo:champion"),
    "a draft": draft,
    "artifacts": lambda api: api.artifacts("dataset", "par/data"),
    "artifacts of a run": lambda api: api.run("par/logger").logged_artifacts(),
    "files of an artifact": lambda api: api.artifact("par/data:v0").files(),
    "a manifest": lambda api: api.artifact("par/data:v0").manifest,
    "an entry": lambda api: api.artifact("par/data:v0").get_entry("a.txt"),
    "a reference": lambda api: api.artifact("par/data:v0").get_entry("ref.txt"),
    "a sweep": sweep,
    "a sweep in a listing": lambda api: api.project("par").sweeps()[0],
    "sweeps": lambda api: api.project("par").sweeps(),
    "an agent": lambda api: sweep(api).agents()[0],
    "runs of an agent": lambda api: sweep(api).agents()[0].runs(),
    "a report": lambda api: titled(api, "Second"),
    "an older report": lambda api: titled(api, "Old"),
    "a report from its path": lambda api: api.from_path("local/par/reports/Title--Vmlldzox"),
    "reports": lambda api: api.reports("par"),
    "a job": lambda api: api.job(JOB),
    "a queue": lambda api: api.run_queue("local", "shown"),
    "a run in a queue": lambda api: api.run_queue("local", "shown").items[0],
    "a viewer": lambda api: api.viewer,
    "a user": lambda api: api.user("anna"),
    "a team": lambda api: api.team("readers"),
    "a member": lambda api: api.team("readers").members[0],
    "the client itself": lambda api: api,
}

INNER = {"QUERY", "digest_algorithm", "hash_contents_with_md5", "manifest_version", "user_agent"}
"""Parts of the official client's own workings, and texts that name the package."""

NOT_BUILT = {
    "HTTPSummary": {"load", "open_h5", "read_h5", "write_h5"},
    "Job": {"configure_launch_project"},
    "Api": {
        "automation", "automations", "create_automation", "update_automation", "delete_automation", "integrations",
        "slack_integrations", "webhook_integrations", "registry", "registries", "create_registry", "organization",
        "create_custom_chart",
    },
}  # fmt: skip
"""Names of the official client that are in no class reference; docs/api.md says so."""


def names(thing: Any) -> list[str]:
    """Public names: those of the class, of the object, and the fields that it was given."""
    from pydantic import BaseModel

    fields = getattr(thing, "_attrs", None)
    of_models = dir(BaseModel) if isinstance(thing, BaseModel) else []
    found = {*dir(thing), *(fields if isinstance(fields, dict) else ())} - {*of_models}
    return sorted(name for name in found - INNER - NOT_BUILT.get(type(thing).__name__, set()) if name[0] != "_")


def value(thing: Any, name: str) -> Any:
    found = attempt(lambda: getattr(thing, name))
    if callable(found):
        return "method"
    return str(found) if isinstance(found, str) else found


PLAIN = (str, int, float, bool, type(None), Raised)


@pytest.mark.parametrize("about", MADE)
def test_no_public_name_is_missing(stage: Stage, about: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    stage.ours.flush()
    stage.official.flush()
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mine, theirs = (MADE[about](api) for api in (stage.ours, stage.official))
        for name in names(theirs):
            one, other = value(mine, name), value(theirs, name)
            if isinstance(other, PLAIN) or isinstance(one, Raised):
                found += differences(one, other, name)
    if found:
        pytest.fail("\n".join(found), pytrace=False)
