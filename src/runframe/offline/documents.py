"""A run's config and summary: the log's changes applied in order, and their forms as files."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from runframe import extjson
from runframe.offline.records import Changes, Item


def apply_config(config: dict[str, Any], changes: Changes) -> None:
    """Apply a config record. An object is joined with the object that it meets, as the SDK does; all else replaces.

    Raises:
        ValueError: a value is not JSON.
    """
    for item in changes.update:
        _set(config, item.path, _value(item), join=True)
    for item in changes.remove:
        _remove(config, item.path)


def apply_summary(summary: dict[str, Any], changes: Changes) -> None:
    """Apply a summary record. A value replaces what was at its path; null takes the key away, as in the SDK.

    Where a key below an object changes, the object's other keys stay. (The SDK's own uploader loses them: for
    ``summary["a"] = {"x": 1}; summary["a"]["y"] = 2`` it sends only ``y``. The log has both.)

    Raises:
        ValueError: a value is not JSON.
    """
    for item in changes.update:
        value = _value(item)
        if value is None:
            _remove(summary, item.path)
        else:
            _set(summary, item.path, value, join=False)
    for item in changes.remove:
        _remove(summary, item.path)


def _value(item: Item) -> Any:
    return extjson.loads(item.value_json) if item.value_json else None


def _set(document: dict[str, Any], path: tuple[str, ...], value: Any, *, join: bool) -> None:
    for key in path[:-1]:
        below = document.get(key)
        if not isinstance(below, dict):
            below = document[key] = {}
        document = below
    before = document.get(path[-1])
    if join and isinstance(value, dict) and isinstance(before, dict):
        for key, inner in value.items():
            _set(before, (key,), inner, join=True)
    else:
        document[path[-1]] = value


def _remove(document: dict[str, Any], path: tuple[str, ...]) -> None:
    for key in path[:-1]:
        below = document.get(key)
        if not isinstance(below, dict):
            return
        document = below
    document.pop(path[-1], None)


def summary_json(summary: dict[str, Any]) -> bytes:
    """The content of ``wandb-summary.json``: compact extended JSON."""
    return extjson.dumps(summary).encode()


def metadata_json(metadata: dict[str, Any]) -> bytes:
    """The content of ``wandb-metadata.json``."""
    return json.dumps(metadata, ensure_ascii=False, indent=2).encode()


def config_yaml(config: dict[str, Any]) -> bytes:
    """The content of ``config.yaml``: the config with its ``{value: …}`` entries, keys sorted, as YAML."""
    return ("\n".join(_yaml(config, 0)) + "\n").encode() if config else b"{}\n"


def _yaml(value: Any, depth: int) -> list[str]:
    """The lines of a non-empty object or list, indented by four blanks a level."""
    pad = "    " * depth
    lines = []
    if isinstance(value, dict):
        entries = [(f"{pad}{_yaml_scalar(key)}:", value[key]) for key in sorted(value)]
    else:
        entries = [(f"{pad}-", entry) for entry in value]
    for head, entry in entries:
        if isinstance(entry, (dict, list)) and entry:
            below = _yaml(entry, depth + 1)
            if isinstance(value, list):
                # The first line of a nested block stands behind the dash.
                below[0] = f"{head}   {below[0].lstrip(' ')}"
                lines += below
            else:
                lines += [head, *below]
        else:
            lines.append(f"{head} {_yaml_scalar(entry)}")
    return lines


_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./ +@-]*(?<! )\Z")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
# Line breaks and controls in YAML, plain characters in JSON.
_YAML_ONLY = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")


def _yaml_scalar(value: Any) -> str:
    if isinstance(value, str):
        # YAML has other types for some words and most punctuation; in quotes a JSON text is a YAML text.
        if _PLAIN.match(value) and value.lower() not in _WORDS:
            return value
        return _YAML_ONLY.sub(lambda match: f"\\u{ord(match[0]):04x}", extjson.dumps(value))
    if isinstance(value, float):
        if math.isnan(value):
            return ".nan"
        if math.isinf(value):
            return ".inf" if value > 0 else "-.inf"
        text = repr(value)
        # YAML 1.1 wants a point in the mantissa: 1e-07 would be read as text.
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    if isinstance(value, (dict, list)):
        return "{}" if isinstance(value, dict) else "[]"
    return json.dumps(value)
