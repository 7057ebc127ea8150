"""`Api` itself: who and where, paths, and the caches."""

from __future__ import annotations

from typing import Any

from case import Cases, Read, Write, package


def facts_of_settings(api: Any) -> dict[str, Any]:
    return {name: api.settings[name] for name in ("entity", "project", "organization", "base_url")}


def another(api: Any, *arguments: Any, **named: Any) -> Any:
    """A further client of the same kind."""
    return package(api).Api(*arguments, **named)


def same_object(api: Any) -> list[bool]:
    run, runs = api.run("lab/run-0"), api.runs("lab", {"state": "finished"})
    same = [api.run("lab/run-0") is run, api.run("local/lab/run-0") is run]
    same += [api.runs("lab", {"state": "finished"}) is runs, api.runs("lab") is runs, api.runs("empty") is runs]
    api.flush()
    return [*same, api.run("lab/run-0") is run, api.runs("lab", {"state": "finished"}) is runs]


CASES: Cases = {
    "Api.__init__": {
        "settings of the environment": Read(facts_of_settings),
        "settings that are given": Read(
            lambda api: facts_of_settings(another(api, {"entity": "crew", "project": "lab", "base_url": api_url(api)}))
        ),
        "a project that is set": Read(lambda api: another(api, {"project": "lab"}).run("run-0")),
        "an entity that is set": Read(lambda api: another(api, {"entity": "nobody"}).run("lab/run-0")),
        "a project of the listing": Read(
            lambda api: [run.id for run in another(api, {"project": "lab"}).runs(order="+name")]
        ),
        "a timeout": Read(lambda api: another(api, None, 30).viewer),
        "a key that is given": Read(lambda api: another(api, None, None, api.api_key).viewer),
        "a key that is too short": Read(lambda api: another(api, api_key="short")),
        "a key that nobody has": Read(lambda api: another(api, api_key="x" * 40)),
        "a host that is not there": Read(
            lambda api: another(api, {"base_url": "http://127.0.0.1:9"}, timeout=1, api_key="x" * 40)
        ),
    },
    "Api.api_key": {"the key": Read(lambda api: api.api_key)},
    "Api.client": {
        "a document of one's own": Read(
            lambda api: api.client.execute("query Q($e: String!) { viewer { entity } }".replace("($e: String!)", ""))[
                "viewer"
            ],
            theirs=lambda api: {"entity": api.viewer.entity},
        ),
        "the beginning of links": Read(lambda api: api.client.app_url, theirs=lambda api: f"{api_url(api)}/"),
    },
    "Api.default_entity": {
        "of the key": Read(lambda api: api.default_entity),
        "not the one that is set": Read(lambda api: another(api, {"entity": "crew"}).default_entity),
    },
    "Api.user_agent": {"begins alike": Read(lambda api: api.user_agent.split(" ")[:3])},
    "Api.viewer": {
        "whose key it is": Read(lambda api: another(api).viewer),
        "once": Read(lambda api: api.viewer is api.viewer),
    },
    "Api.flush": {"what is remembered": Read(same_object)},
    "Api.from_path": {
        path: Read(lambda api, path=path: api.from_path(path))
        for path in (
            "lab",
            "local/lab",
            "/local/lab/",
            "local/lab/run-0",
            "local/lab/runs/run-0",
            "local/lab/run/run-0",
            "local/lab/runs/none",
            "local/lab/none",
            "local/lab/x/y",
            "a/b/c/d/e",
            "nothing/at/all",
        )
    },
    "Api.create_project": {
        "a name": Write(
            lambda api, project: api.create_project(f"{project}-made", "local"),
            lambda api, project: [
                (found := api.project(f"{project}-made")).entity_name,
                found.is_benchmark,
                found.owner.username,
            ],
            ["local", False, "local"],
        ),
        "one that is there": Write(
            lambda api, project: [api.create_run(run_id="r", project=project), api.create_project(project, "local")],
            lambda api, project: [run.id for run in api.runs(project)],
            ["r"],
        ),
        "what it gives": Read(lambda api: api.create_project("empty", "local")),
        "an entity that is not there": Read(lambda api: api.create_project("x", "nobody")),
        "no name": Read(lambda api: api.create_project("", "local")),
    },
}


def api_url(api: Any) -> str:
    return str(api.settings["base_url"])
