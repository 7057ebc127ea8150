"""A run's config: from the document that the server keeps to plain values, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from runframe import extjson
from runframe.resources.values import to_json_value

INTERNAL = ("_wandb", "wandb_version")
"""Entries that are the SDK's own: in `rawconfig` only."""


def parse_document(value: Any, name: str) -> dict[str, Any]:
    """A document of a run (config, summary, …) as a dict, from JSON text or from a dict; null and "" are empty.

    Raises:
        TypeError: it is something else.
    """
    parsed = extjson.loads(value) if isinstance(value, str) and value else value
    if not parsed:
        return {}
    if not isinstance(parsed, Mapping):
        raise TypeError(f"{name} should be a JSON object, not {parsed!r:.80}")
    return dict(parsed)


def split_config(document: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The user's entries, and all entries with the SDK's own first; each without its ``{value, desc}`` wrapper."""
    plain = {key: _unwrapped(entry) for key, entry in document.items()}
    config = {key: value for key, value in plain.items() if key not in INTERNAL}
    internal = {key: value for key, value in plain.items() if key in INTERNAL}
    return config, {**internal, **config}


def join_config(config: Mapping[str, Any], rawconfig: Mapping[str, Any]) -> str:
    """The document that stores a config: each entry wrapped, and `_wandb` kept where there was one.

    Raises:
        TypeError: an entry has no JSON form.
    """
    kept = {"_wandb": rawconfig["_wandb"]} if "_wandb" in rawconfig else {}
    entries = {**kept, **{str(key): to_json_value(value) for key, value in config.items()}}
    return json.dumps({key: {"value": value, "desc": None} for key, value in entries.items()})


def _unwrapped(entry: Any) -> Any:
    return entry["value"] if isinstance(entry, Mapping) and "value" in entry else entry
