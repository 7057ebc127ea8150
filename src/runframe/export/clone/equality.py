"""Whether a run on the target is the one of the source, and what of it differs. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from runframe import extjson

Part = Literal["attributes", "history", "events", "console", "files", "summary", "life"]
Node = Mapping[str, Any]

ATTRIBUTES = ("displayName", "notes", "description", "group", "jobType", "commit")
FINAL = frozenset({"finished", "failed", "crashed", "killed", "preempted"})

# What a run's state may have become on a server that works states out for itself.
_BECOMES = {
    "killed": frozenset({"killed", "failed"}),
    # Silence becomes a crash after some minutes.
    "crashed": frozenset({"crashed", "running"}),
    "pending": frozenset({"pending", "running", "crashed"}),
    "running": frozenset({"running", "crashed"}),
    "preempting": frozenset({"preempting", "preempted", "running", "crashed"}),
}


def same_json(one: str | None, other: str | None) -> bool:
    """Whether two JSON texts say the same; key order does not count, missing is an empty object."""
    return one == other or canonical(one) == canonical(other)


def canonical(text: str | None) -> str:
    """The JSON text with its keys in order; NaN and integers of any size stay what they are."""
    return json.dumps(extjson.loads(text or "{}"), sort_keys=True)


def same_time(one: str | None, other: str | None) -> bool:
    """Whether two ISO 8601 texts are the same moment; one without a zone is UTC."""
    return one == other or (one is not None and other is not None and _moment(one) == _moment(other))


def differences(node: Node, there: Node, sweep: str | None, *, replays: bool) -> set[Part]:
    """What of a run is not on the target as it is on the source.

    Args:
        node: the run on the source.
        there: the run on the target.
        sweep: the id that the run's sweep has on the target.
        replays: whether the target takes over times and states.
    """
    found: set[Part] = set()
    if attribute_changes(node, there, sweep):
        found.add("attributes")
    if not same_json(node.get("summaryMetrics"), there.get("summaryMetrics")):
        found.add("summary")
    counts: tuple[tuple[Part, str], ...] = (
        ("history", "historyLineCount"), ("events", "eventsLineCount"), ("console", "logLineCount"),
        ("files", "fileCount"),
    )  # fmt: skip
    found.update(part for part, name in counts if (node.get(name) or 0) != (there.get(name) or 0))
    if not _same_life(node, there, replays=replays):
        found.add("life")
        if there.get("state") not in FINAL:
            found.update(("console", "files"))
    return found


def attribute_changes(node: Node, there: Node, sweep: str | None) -> dict[str, Any]:
    """The attributes of a run that are to be changed on the target, as `UpsertBucketInput` names them."""
    changes: dict[str, Any] = {}
    for name in ATTRIBUTES:
        if (node.get(name) or "") != (there.get(name) or ""):
            # Null would leave what is there.
            changes["groupName" if name == "group" else name] = node.get(name) or ""
    if list(node.get("tags") or []) != list(there.get("tags") or []):
        changes["tags"] = list(node.get("tags") or [])
    if not same_json(node.get("config"), there.get("config")):
        changes["config"] = node.get("config") or "{}"
    if sweep != there.get("sweepName") and sweep is not None:
        changes["sweep"] = sweep
    return changes


def _same_life(node: Node, there: Node, *, replays: bool) -> bool:
    state, found = str(node.get("state")), str(there.get("state"))
    if replays:
        times = all(same_time(node.get(name), there.get(name)) for name in ("createdAt", "heartbeatAt"))
        return state == found and times
    return found == state or found in _BECOMES.get(state, ())


def is_same_run(node: Node, there: Node) -> bool | None:
    """Whether a run of the same id is the same run; None where its history has to say."""
    if same_time(node.get("createdAt"), there.get("createdAt")):
        return True
    if there.get("historyLineCount"):
        return None
    environment = _environment(there)
    return same_json(node.get("config"), there.get("config")) or (
        bool(environment) and environment == _environment(node)
    )


def _environment(node: Node) -> Any:
    """Where and when the processes of a run began, which the SDK notes in the config."""
    reserved = extjson.loads(node.get("config") or "{}").get("_wandb")
    value = reserved.get("value") if isinstance(reserved, dict) else None
    return value.get("e") if isinstance(value, dict) else None


def _moment(text: str) -> datetime | str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
