"""Projects, one and many."""

from __future__ import annotations

from typing import Any

from case import Cases, Read


def known(api: Any, **options: Any) -> list[str]:
    """The projects that the programs made, in the order of the listing; the writing cases make others."""
    names = [project.name for project in api.projects(**options)]
    return [name for name in names if name in ("parity", "par", "lab", "empty")]


CASES: Cases = {
    "Api.project": {
        "its fields": Read(lambda api: api.project("lab")),
        "of an entity": Read(lambda api: api.project("lab", "local")),
        "of an entity by name": Read(lambda api: api.project(name="lab", entity="local").path),
        "that is not there": Read(lambda api: api.project("none")),
        "of an entity that is not there": Read(lambda api: api.project("lab", "nobody")),
        "a field that there is not": Read(lambda api: api.project("lab").nonsense),
        "a field of none that is there": Read(lambda api: api.project("none").created_at),
    },
    "Api.projects": {
        "their fields": Read(lambda api: sorted(known(api))),
        "of an entity": Read(lambda api: sorted(known(api, entity="local"))),
        "in pages": Read(
            lambda api: sorted({p.name for p in fresh(api).projects("local", per_page=1)} & {"lab", "par"})
        ),
        "one after the other": Read(lambda api: next(project for project in api.projects() if project.name == "lab")),
        "the listing": Read(lambda api: api.projects("local") is api.projects()),
        "of an entity that is not there": Read(lambda api: list(api.projects("nobody"))),
    },
    "Project.created_at": {"in both spellings": Read(lambda api: api.project("lab").createdAt)},
    "Project.to_html": {
        "as it is": Read(lambda api: api.project("lab").to_html()),
        "of a height": Read(lambda api: api.project("lab").to_html(height=100)),
        "hidden": Read(lambda api: api.project("lab").to_html(100, True)),
        "in a notebook": Read(lambda api: api.project("lab")._repr_html_()),
    },
    "Project.artifacts_types": {
        "of a project": Read(lambda api: api.project("par").artifacts_types()),
        "of a project without": Read(lambda api: api.project("empty").artifacts_types()),
        "of no project": Read(lambda api: list(api.project("none").artifacts_types())),
    },
    "Project.collections": {
        "of all types": Read(lambda api: api.project("par").collections()),
        "that match": Read(lambda api: api.project("par").collections(filters={"name": "data"})),
        "in an order": Read(lambda api: [found.name for found in api.project("par").collections(order="-name")]),
        "of no project": Read(lambda api: list(api.project("none").collections())),
    },
    "Project.sweeps": {"of a project without": Read(lambda api: list(api.project("empty").sweeps()))},
    "Projects.__getitem__": {
        "one and some": Read(lambda api: [repr(api.projects()[0])[:9], len(api.projects("local")[0:2])]),
        "beyond the end": Read(lambda api: api.projects()[10_000]),
    },
    "Projects.more": {"before and after": Read(lambda api: before_and_after(fresh(api).projects("local"), "more"))},
    "Projects.cursor": {"before": Read(lambda api: fresh(api).projects("local").cursor)},
    "Projects.per_page": {"as documented": Read(lambda api: fresh(api).projects("local").per_page)},
    "Projects.entity": {"as asked for": Read(lambda api: api.projects("local").entity)},
    "Projects.__iter__": {"no length": Read(lambda api: len(api.projects("local")))},
}


def before_and_after(listing: Any, name: str) -> list[Any]:
    """An attribute of a listing before anything is read, and when all of it is."""
    before = getattr(listing, name)
    list(listing)
    return [before, getattr(listing, name)]


def fresh(api: Any) -> Any:
    """A client that remembers no listing."""
    from cases_api import another

    return another(api)
