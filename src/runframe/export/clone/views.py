"""Reports and workspaces, as far as views can be written."""

from __future__ import annotations

from typing import Any

from runframe import extjson
from runframe.errors import ServerError
from runframe.export.clone.ends import End
from runframe.export.clone.equality import same_json, same_time
from runframe.export.clone.report import Ledger

TYPES = ("runs", "runs/draft", "project-view")
"""Published reports, drafts of reports, workspaces."""

Node = dict[str, Any]


def copy_views(source: End, target: End, ledger: Ledger) -> None:
    """Brings all views; those that are there and equal stay."""
    for kind in TYPES:
        wanted = _listed(source, kind, ledger)
        there = {node["name"]: node for node in _listed(target, kind, ledger)} if wanted else {}
        for node in reversed(wanted):
            try:
                _copy(source, target, kind, node, there.get(node["name"]), ledger)
            except ServerError as error:
                ledger.fail("report", str(node["name"]), error.message)


def _listed(end: End, kind: str, ledger: Ledger) -> list[Node]:
    try:
        return list(end.nodes("CloneViews", "allViews", viewType=kind))
    except ServerError as error:
        ledger.lose("project", f"its views of type {kind}", f"they cannot be listed ({error.message})", end.path)
        return []


def _copy(source: End, target: End, kind: str, node: Node, there: Node | None, ledger: Ledger) -> None:
    name = str(node["name"])
    author = (node.get("user") or {}).get("username")
    if author and author != target.username:
        reason = f"what is written with a key belongs to the key's owner ({target.username})"
        ledger.lose("report", "the author", reason, name)
    if not target.replays:
        ledger.lose("report", "created_at and updated_at", "the target tells times by its own clock", name)
    spec = moved(node.get("spec") or "{}", source, target)
    said = {key: node.get(key) for key in ("displayName", "description")}
    if there is not None and _same(node, there, said, spec, replays=target.replays):
        return
    fields = {**target.place, "type": kind, "name": name, "spec": spec, "createdUsing": "WANDB_SDK", **said}
    fields["id"] = None if there is None else there["id"]
    made = target.tell("CloneUpsertView", fields)["upsertView"]["view"]
    if target.replays:
        times = {key: node.get(key) for key in ("createdAt", "updatedAt")}
        target.tell("ReplayView", {"id": made["id"], **times})
    ledger.add("reports", int(there is None))


def _same(node: Node, there: Node, said: dict[str, Any], spec: str, *, replays: bool) -> bool:
    times = all(same_time(node.get(key), there.get(key)) for key in ("createdAt", "updatedAt")) or not replays
    return (
        times and same_json(spec, there.get("spec")) and all((there.get(k) or "") == (v or "") for k, v in said.items())
    )


def moved(spec: str, source: End, target: End) -> str:
    """The document with the source's project replaced by the target's, wherever an object names it."""
    if source.path == target.path:
        return spec
    changed = False

    def walk(value: Any) -> Any:
        nonlocal changed
        if isinstance(value, list):
            return [walk(item) for item in value]
        if not isinstance(value, dict):
            return value
        found = {key: walk(item) for key, item in value.items()}
        for entity, project in _PLACES:
            if found.get(entity) == source.entity and found.get(project) == source.project:
                found |= {entity: target.entity, project: target.project}
                changed = True
                break
        return found

    made = walk(extjson.loads(spec))
    return extjson.dumps(made) if changed else spec


_PLACES = (("entityName", "projectName"), ("entityName", "name"), ("entity", "project"))
