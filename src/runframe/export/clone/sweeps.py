"""Sweeps: their configs, names and states; which runs belong to them is the runs' own matter."""

from __future__ import annotations

import json
from typing import Any

from runframe.errors import ServerError
from runframe.export.clone.ends import End, names_filter
from runframe.export.clone.equality import same_time
from runframe.export.clone.report import Ledger

Node = dict[str, Any]
_SAME = ("config", "displayName", "description")


def copy_sweeps(source: End, target: End, ledger: Ledger, only: str | None = None) -> dict[str, str]:
    """Brings the sweeps; the ids that they have on the target, by those that they have on the source.

    Args:
        source: where they are.
        target: where they go.
        ledger: takes what was done.
        only: the id of the one that is wanted; None for all.
    """
    wanted = [node for node in _listed(source, ledger) if only is None or node["name"] == only]
    if not wanted:
        return {}
    there = {node["name"]: node for node in _listed(target, ledger)}
    mapping: dict[str, str] = {}
    for node in sorted(wanted, key=lambda node: str(node.get("createdAt"))):
        name = node["name"]
        if (node.get("agents") or {}).get("edges"):
            ledger.lose("sweep", "its agents", "an agent is a process of its own time", name)
        try:
            mapping[name] = (
                _replay(target, node, there, ledger)
                if target.replays
                else _make(
                    source,
                    target,
                    node,
                    {key: one for key, one in there.items() if key not in mapping.values()},
                    ledger,
                )
            )
        except ServerError as error:
            ledger.fail("sweep", name, error.message)
    return mapping


def _listed(end: End, ledger: Ledger) -> list[Node]:
    try:
        return list(end.nodes("CloneSweeps", "sweeps"))
    except ServerError as error:
        ledger.lose("project", "its sweeps", f"they cannot be listed ({error.message})", end.path)
        return []


def _replay(target: End, node: Node, there: dict[str, Node], ledger: Ledger) -> str:
    name, found = str(node["name"]), there.get(node["name"])
    if found is None or not _same(node, found):
        said = {key: node.get(key) for key in (*_SAME, "state", "createdAt", "updatedAt")}
        target.tell("ReplaySweep", {**target.place, "name": name, **said})
        ledger.add("sweeps", int(found is None))
    return name


def _make(source: End, target: End, node: Node, there: dict[str, Node], ledger: Ledger) -> str:
    """The sweep on a server that gives it an id of its own; the one that is there, where there is one."""
    found = _found(source, target, node, there)
    if found is None:
        said = {**target.place, **{key: node.get(key) for key in _SAME}}
        made = target.tell("CloneUpsertSweep", said)["upsertSweep"]["sweep"]
        target.tell("CloneUpsertSweep", {"id": made["id"], "state": node.get("state")})
        ledger.add("sweeps")
        found = made
    elif found.get("state") != node.get("state"):
        target.tell("CloneUpsertSweep", {"id": found["id"], "state": node.get("state")})
    if found["name"] != node["name"]:
        ledger.lose("sweep", "its id and times", "the target gives sweeps ids of its own", str(node["name"]))
    return str(found["name"])


def _found(source: End, target: End, node: Node, there: dict[str, Node]) -> Node | None:
    """The sweep of an earlier clone: the one that runs of the sweep belong to, else one that says the same."""
    mine = {run["name"] for run in _runs(source, {"sweep": node["name"]})}
    if mine:
        for run in target.nodes("CloneRuns", "runs", size=50, filters=names_filter(sorted(mine)[:50])):
            if run.get("sweepName") in there:
                return there[run["sweepName"]]
    return next((one for one in there.values() if all((one.get(k) or "") == (node.get(k) or "") for k in _SAME)), None)


def _runs(end: End, filters: dict[str, Any]) -> list[Node]:
    found = end.ask("CloneRuns", filters=json.dumps(filters), perPage=50).get("project") or {}
    return [edge["node"] for edge in (found.get("runs") or {}).get("edges") or []]


def _same(node: Node, there: Node) -> bool:
    if any((node.get(key) or "") != (there.get(key) or "") for key in (*_SAME, "state")):
        return False
    return all(same_time(node.get(key), there.get(key)) for key in ("createdAt", "updatedAt"))
