"""Sampled histories: the rows that the server chooses, spread over the whole run."""

from __future__ import annotations

import json
from typing import Any

from runframe import extjson
from runframe.errors import RunNotFoundError
from runframe.resources.history.pages import RunHistory

TOKENS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def sampled_rows(history: RunHistory, samples: int, keys: list[str] | None, x_axis: str, stream: str) -> list[Any]:
    """At most about `samples` rows, in step order.

    Args:
        history: of which run.
        samples: how many rows; a run that has fewer gives all of them.
        keys: only rows that have all of these keys, reduced to them; None for whole rows.
        x_axis: one more key that such rows have.
        stream: ``"default"`` for what was logged, anything else for the system metrics.

    Raises:
        RunNotFoundError: the run isn't there.
    """
    if keys:
        rows = _sampled_keys(history, samples, [x_axis, *keys])
    else:
        operation, field = ("RunFullHistory", "history") if stream == "default" else ("RunEvents", "events")
        run = _run(history, operation, {"samples": samples})
        rows = [extjson.loads(text) for text in run.get(field) or []]
    return rows


def history_misuse(keys: Any, stream: str) -> str | None:
    """What is wrong with the arguments of a sampled history; None where nothing is."""
    if keys is not None and not isinstance(keys, list):
        return f"keys must be a list, not {keys!r}"
    if keys and not isinstance(keys[0], str):
        return f"keys must be a list of strings; {keys[0]!r} is not one"
    if keys and stream != "default":
        return f"stream={stream!r} and keys can't be given together"
    return None


def _sampled_keys(history: RunHistory, samples: int, keys: list[str]) -> list[Any]:
    run = _run(history, "RunSampledHistory", {"specs": [json.dumps({"keys": keys, "samples": samples})]})
    answers = run.get("sampledHistory") or [[]]
    rows = answers[0] or []
    for key in keys:
        _restore_numbers(rows, key)
    return rows


def _restore_numbers(rows: list[dict[str, Any]], key: str) -> None:
    """Turns ``"NaN"`` and its like back into floats, where nothing else in the column is text.

    These answers are plain JSON, which has no form for them.
    """
    values = [row.get(key) for row in rows]
    texts = {value for value in values if isinstance(value, str)}
    if texts and texts <= TOKENS.keys():
        for row, value in zip(rows, values, strict=True):
            if isinstance(value, str):
                row[key] = TOKENS[value]


def _run(history: RunHistory, operation: str, extra: dict[str, Any]) -> dict[str, Any]:
    variables = {"entity": history.entity, "project": history.project, "name": history.run_id, **extra}
    data = history.client.query("history", operation, variables)
    run = (data.get("project") or {}).get("run")
    if run is None:
        raise RunNotFoundError(f"Could not find run {history.path}: it was deleted, or never was.", path=history.path)
    return dict(run)
