"""Which runs logged and used which versions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from runframe.errors import NotFoundError, ServerError
from runframe.export.clone.ends import End
from runframe.export.clone.report import Ledger
from runframe.export.clone.versions import Versions, version_name


def versions_of(source: End, run: str) -> list[str]:
    """The ids of the versions that a run logged or used."""
    found = [*_listed(source, "CloneOutputs", run), *_listed(source, "CloneInputs", run)]
    return list(dict.fromkeys(found))


def copy_lineage(source: End, target: End, runs: Iterable[str], versions: Versions, ledger: Ledger) -> None:
    """Says on the target what runs logged and used."""
    for run in runs:
        if run not in versions.runs:
            continue
        try:
            _copy(source, target, run, versions, ledger)
        except (ServerError, NotFoundError) as error:
            ledger.fail("run", run, f"what it logged and used is not all there: {error.message}")


def _copy(source: End, target: End, run: str, versions: Versions, ledger: Ledger) -> None:
    for operation, change, what in (
        ("CloneInputs", _use, "an artifact that it used"),
        ("CloneOutputs", _log, "an artifact that it logged"),
    ):
        there = set(_listed(target, operation, run))
        for node_id in _listed(source, operation, run):
            mine = versions.ids.get(node_id) or (node_id if _is_everywhere(source, target, node_id) else None)
            if mine is None:
                node = source.client.query("clone", "CloneVersion", {"id": node_id}).get("artifact")
                name = version_name(node) if node else node_id
                ledger.lose("run", f"{what} ({name})", "that version is not on the target", run)
            elif mine not in there and not change(target, run, mine):
                ledger.lose("run", what, "the target took it for another version with the same content", run)


def _is_everywhere(source: End, target: End, node_id: str) -> bool:
    """Whether a version of another project is the same on both ends: they are one server."""
    if source.url != target.url:
        return False
    node = source.client.query("clone", "CloneVersion", {"id": node_id}).get("artifact") or {}
    home = (node.get("artifactSequence") or {}).get("project") or {}
    return (home.get("entityName"), home.get("name")) != (source.entity, source.project)


def _use(target: End, run: str, node_id: str) -> bool:
    target.tell("UseArtifact", {**target.place, "runName": run, "artifactID": node_id}, noun="artifacts_changes")
    return True


def _log(target: End, run: str, node_id: str) -> bool:
    """Has a further run log the same content, as happens where a version has several runs that logged it."""
    node = target.client.query("clone", "CloneVersion", {"id": node_id})["artifact"]
    fields = {
        **target.place,
        "runName": run,
        "artifactTypeName": node["artifactType"]["name"],
        "artifactCollectionName": node["artifactSequence"]["name"],
        "digest": node["digest"],
        "clientID": hashlib.sha512(f"{target.path}\n{run}\n{node_id}".encode()).hexdigest(),
        "enableDigestDeduplication": True,
    }
    made = target.tell("CreateArtifact", fields, noun="artifacts_changes")["createArtifact"]["artifact"]
    return bool(made["id"] == node_id)


def _listed(end: End, operation: str, run: str) -> list[str]:
    return [node["id"] for node in end.nodes(operation, "run", "artifacts", size=200, run=run)]
