"""Runs to search: what the official client writes into the project `searched`, and what a filter on it means.

`matches` and `in_order` say in plain Python what the documentation says of filters and orders; neither knows anything
of the package's own.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

PROJECT = "searched"

RUNS: dict[str, dict[str, Any]] = {
    "r0": {"display_name": "alpha", "group": "a", "job_type": "train", "tags": ["x"], "config": {"lr": 0.1, "seed": 1}},
    "r1": {
        "display_name": "beta", "group": "a", "tags": ["x", "y"],
        "config": {"lr": 0.01, "opt": {"name": "sgd", "k": 1}},
        "summary": {"loss": 0.5, "val": {"acc": 0.5, "best": {"epoch": 3}}},
    },
    "r2": {
        "display_name": "alpha 2", "group": "b", "job_type": "eval", "tags": ["y"], "state": "failed",
        "config": {"lr": "0.1", "opt": {"name": "adam", "k": 2.0}}, "summary": {"loss": 0.25, "val": {"acc": 0.75}},
    },
    "r3": {"display_name": "Größe 漢字", "config": {"lr": 1, "opt": "sgd"}, "summary": {"loss": "high", "val": 3}},
    "r4": {"tags": ["z", "x y"], "config": {"lr": None, "flag": True, "list": [1, 2]}, "summary": {"loss": math.inf}},
    "r5": {
        "state": "failed", "config": {"flag": False, "lr": -2, "list": ["a"]}, "summary": {"loss": 2, "word": "Done"},
    },
    "r6": {"group": "b", "config": {"big": 2**53 + 1, "lr": 0.1}, "summary": {"word": "done", "loss": -1.5}},
    "r7": {"config": {"big": 2**60, "opt": {}, "list": []}, "summary": {"val": {"acc": 1}, "nothing": 0}},
    "r8": {"job_type": "train", "tags": [], "summary": {"word": "", "loss": 0.5}},
    "r9": {},
}  # fmt: skip

FIELDS = {
    "name": "name", "displayName": "displayName", "display_name": "displayName", "state": "state", "group": "group",
    "jobType": "jobType", "job_type": "jobType", "tags": "tags", "username": "username", "createdAt": "createdAt",
    "created_at": "createdAt", "heartbeatAt": "heartbeatAt", "heartbeat_at": "heartbeatAt", "duration": "duration",
    "host": "host",
}  # fmt: skip
"""The names that a filter may use for a run's fields, and what a record calls them."""

MISSING: Any = object()


def write(api: Any, create: Any) -> None:
    """Writes `RUNS` with the official client."""
    for run_id, wanted in RUNS.items():
        create(run_id)
        run = api.run(f"{PROJECT}/{run_id}")
        run.display_name, run.group = wanted.get("display_name"), wanted.get("group")
        run.job_type, run.tags = wanted.get("job_type"), wanted.get("tags", [])
        run.config.update(wanted.get("config", {}))
        run.update()
        run.summary.update(wanted.get("summary", {}))
        if "state" in wanted:
            run.update_state(wanted["state"])


def record(run: Any) -> dict[str, Any]:
    """What is known of a run, as a client shows it."""
    began, seen = (
        dt.datetime.fromisoformat(text).replace(microsecond=0) for text in (run.created_at, run.heartbeat_at)
    )
    return {
        "name": run.id, "displayName": run.name, "state": run.state, "group": run.group, "jobType": run.job_type,
        "tags": run.tags, "username": run.user.username, "createdAt": run.created_at, "heartbeatAt": run.heartbeat_at,
        "duration": (seen - began).total_seconds(), "host": None, "config": run.config,
        "summary_metrics": run.summary_metrics,
    }  # fmt: skip


def value_of(known: Mapping[str, Any], key: str) -> Any:
    """The value that a key of a filter means, or `MISSING`."""
    head, *rest = key.split(".")
    if head not in ("config", "summary_metrics"):
        value = known[FIELDS[key]]
        return MISSING if value is None else value
    if head == "config" and rest[1:2] == ["value"]:
        del rest[1]
    value = known[head]
    for part in rest:
        if not isinstance(value, dict) or part not in value:
            return MISSING
        value = value[part]
    return value


def matches(known: Mapping[str, Any], query: Mapping[str, Any]) -> bool:
    """Whether a run is one that a filter asks for."""
    for key, asked in query.items():
        if key in ("$and", "$or", "$nor"):
            each = [matches(known, part) for part in asked]
            found = all(each) if key == "$and" else any(each) if key == "$or" else not any(each)
        else:
            value = value_of(known, key)
            operators = asked if isinstance(asked, dict) else {"$eq": asked}
            moment = FIELDS.get(key, "").endswith("At")
            found = all(_holds(value, operator, against, moment) for operator, against in operators.items())
        if not found:
            return False
    return True


def _holds(value: Any, operator: str, asked: Any, moment: bool) -> bool:
    if operator == "$exists":
        return (value is not MISSING) == bool(asked)
    if operator in ("$ne", "$nin"):
        return not _holds(value, "$eq" if operator == "$ne" else "$in", asked, moment)
    if operator == "$in":
        return any(_holds(value, "$eq", each, moment) for each in asked)
    values = value if isinstance(value, list) else [value]
    if operator == "$eq":
        return any(_equal(each, asked, moment) for each in [value, *values])
    if operator == "$regex":
        return any(isinstance(each, str) and re.search(asked, each) is not None for each in values)
    return any(_ordered(each, operator, asked, moment) for each in values)


def _equal(value: Any, asked: Any, moment: bool) -> bool:
    if asked is None or value is None or value is MISSING:
        return asked is None and (value is None or value is MISSING)
    if moment:
        return _moment(value) == _moment(asked)
    return _kind(value) == _kind(asked) and bool(value == asked)


def _ordered(value: Any, operator: str, asked: Any, moment: bool) -> bool:
    if _kind(value) not in ("number", "text", "bool") or _kind(value) != _kind(asked):
        return False
    left, right = (_moment(value), _moment(asked)) if moment else (value, asked)
    both = {"$gt": left > right, "$gte": left >= right, "$lt": left < right, "$lte": left <= right}
    return bool(both[operator])


def _moment(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else type(value).__name__


def in_order(known: Sequence[Mapping[str, Any]], order: str) -> list[str]:
    """The ids of runs in an order: those without the key last, numbers before texts before bools, equals as made."""
    ranks = ["number", "text", "bool", "list", "dict"]
    key = order.lstrip("+-")

    def rank(each: Mapping[str, Any]) -> int:
        value = value_of(each, key)
        return len(ranks) if value is MISSING or value is None else ranks.index(_kind(value))

    ids: list[str] = []
    for number in range(len(ranks) + 1):
        group = [each for each in known if rank(each) == number]
        if number < ranks.index("list"):
            group.sort(key=lambda each: value_of(each, key), reverse=not order.startswith("+"))
        ids += [each["name"] for each in group]
    return ids
