"""What artifacts, types, aliases, tags and entries may be called, and what metadata may hold."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from runframe import extjson
from runframe.resources.errors import ArgumentError
from runframe.resources.values import to_json_value

LATEST = "latest"
"""The alias of the newest version."""

LONGEST_NAME = 128
MOST_METADATA_KEYS = 100

_NAME = re.compile(r"[a-zA-Z0-9_\-.]+")
_TAG = re.compile(r"[-\w]+( +[-\w]+)*")
_RESERVED = {"run_table": "run-", "code": "source-"}


def check_name(name: str) -> str:
    """The name of a new artifact, if it can be one: up to 128 letters, digits, dashes, underscores and dots.

    Raises:
        ArgumentError: it can't.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ArgumentError(
            f"an artifact can't be called {name!r}: its name may hold letters, digits, dashes, underscores and dots"
        )
    if len(name) > LONGEST_NAME:
        raise ArgumentError(f"an artifact can't be called {name!r}: that is longer than {LONGEST_NAME} characters")
    return name


def check_type(type_name: str, name: str) -> str:
    """The type of a new artifact, if users may make artifacts of it.

    Raises:
        ArgumentError: it is reserved for what the server or the SDK makes.
    """
    prefix = _RESERVED.get(type_name)
    if is_reserved(type_name) or (prefix is not None and name.startswith(prefix)):
        named = f" for names that begin with {prefix!r}" if prefix else ""
        raise ArgumentError(f"the artifact type {type_name!r} is reserved{named}; choose another")
    return type_name


def is_reserved(type_name: str) -> bool:
    """Whether a type belongs to the server whatever the artifact is called."""
    return type_name == "job" or type_name.startswith("wandb-")


def check_aliases(aliases: str | Iterable[str]) -> list[str]:
    """Aliases, each once; text is a list of one.

    Raises:
        ArgumentError: one holds a slash or a colon, or is no text.
    """
    given = [aliases] if isinstance(aliases, str) else list(aliases)
    for alias in given:
        if not isinstance(alias, str) or not alias or "/" in alias or ":" in alias:
            raise ArgumentError(f"{alias!r} can't be an alias: text without '/' and ':' was expected")
    return list(dict.fromkeys(given))


def check_tags(tags: str | Iterable[str]) -> list[str]:
    """Tags, each once; text is a list of one.

    Raises:
        ArgumentError: one is more than words of letters, digits, ``_`` and ``-`` with spaces between.
    """
    given = [tags] if isinstance(tags, str) else list(tags)
    for tag in given:
        if not isinstance(tag, str) or not _TAG.fullmatch(tag):
            raise ArgumentError(f"{tag!r} can't be a tag: words of letters, digits, '_' and '-' were expected")
    return list(dict.fromkeys(given))


def is_version(alias: str) -> bool:
    """Whether an alias is a version's number, as in ``v3``."""
    return len(alias) > 1 and alias[0] == "v" and alias[1:].isnumeric()


def split_version(aliases: Iterable[str], where: str) -> tuple[str | None, list[str]]:
    """The one alias that is a version's number, and all others.

    Raises:
        ArgumentError: there are several numbers.
    """
    given = list(aliases)
    versions = [alias for alias in given if is_version(alias)]
    if len(versions) > 1:
        raise ArgumentError(f"{where} has several versions at once: {', '.join(versions)}")
    return (versions[0] if versions else None), [alias for alias in given if not is_version(alias)]


def to_metadata(metadata: Any) -> dict[str, Any]:
    """Metadata as the plain JSON object that is stored: NaN becomes None, arrays lists or statistics.

    Args:
        metadata: a dict, JSON text of one, or None for an empty one.

    Raises:
        TypeError: it is something else, or holds a value that has no JSON form.
        ArgumentError: it holds an infinity, or more than 100 keys.
    """
    given = extjson.loads(metadata) if isinstance(metadata, str) and metadata else metadata
    if not given and (given is None or metadata == ""):
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"an artifact's metadata must be a dict, not {type(metadata).__name__}")
    if len(given) > MOST_METADATA_KEYS:
        raise ArgumentError(f"an artifact's metadata has {len(given)} keys; at most {MOST_METADATA_KEYS} may be stored")
    return {str(key): _finite(to_json_value(value), str(key)) for key, value in given.items()}


def metadata_text(metadata: Mapping[str, Any]) -> str:
    """The JSON text that stores metadata."""
    return json.dumps(metadata, allow_nan=False)


def _finite(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item, key) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item, key) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return None
        raise ArgumentError(f"metadata can't hold the infinity in {key!r}: the server stores plain JSON")
    return value


def entry_path(name: str | os.PathLike[str]) -> str:
    """The path of an entry in an artifact: relative, with single slashes.

    Raises:
        ArgumentError: it is absolute, empty, or leads out of the artifact.
    """
    text = os.fspath(name)
    if os.name == "nt":
        text = text.replace("\\", "/")
    path, windows = PurePosixPath(text), PureWindowsPath(text)
    if path.is_absolute() or windows.anchor or ".." in {*path.parts, *windows.parts} or not path.parts:
        raise ArgumentError(f"{text!r} can't be a path in an artifact: a relative path without '..' was expected")
    return str(path)
