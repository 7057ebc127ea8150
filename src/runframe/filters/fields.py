"""The names that filters and orders may use, and the values of a record that they lead to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from runframe.filters.messages import near
from runframe.filters.tree import MISSING, FilterError

Kind = Literal["text", "number", "time", "list", "entries", "document"]


@dataclass(frozen=True)
class Fields:
    """The fields that filters and orders on one noun may name.

    Attributes:
        noun: the noun's plural, for messages.
        kinds: canonical (snake case) name to kind. `list` holds text, `document` is a JSON object, and `entries` a
            config as it is stored, each value wrapped as `{"value": v}`.
        spellings: other accepted snake case names to canonical ones. Camel case is accepted for all of them.
    """

    noun: str
    kinds: Mapping[str, Kind]
    spellings: Mapping[str, str] = field(default_factory=dict)

    def path(self, key: str) -> tuple[str, ...]:
        r"""The path that a dotted key means; its first part is a canonical name.

        `\.` is a dot inside one key and `\\` a backslash. Without it, dots are tried as steps first and then as parts
        of a key: see `resolve`.

        Raises:
            FilterError: no such field, a document without a key, a key below a plain field, or half a surrogate pair.
        """
        if re.search("[\ud800-\udfff]", key):
            raise FilterError(f"the key {key!r} is not valid Unicode")
        head, *rest = _split(key)
        snake = re.sub("[A-Z]", lambda letter: "_" + letter[0].lower(), head)
        name = self.spellings.get(snake, snake)
        kind = self.kinds.get(name)
        if kind is None:
            raise FilterError(self._unknown(key, head))
        if kind in ("entries", "document"):
            if not rest:
                raise FilterError(f"'{key}' needs a key below it, like '{self.wire_name(name)}.learning_rate'")
        elif rest:
            raise FilterError(f"'{key}': '{head}' is a plain field, there are no keys below it")
        return (name, *rest)

    def key(self, path: Sequence[str]) -> str:
        """The dotted key of a path, spelt as W&B documents it; `path` turns it back."""
        return ".".join((self.wire_name(path[0]), *(re.sub(r"[\\.]", r"\\\g<0>", part) for part in path[1:])))

    def wire_name(self, name: str) -> str:
        """A field's name as W&B documents it: camel case for plain fields, snake case for documents."""
        if self.kinds[name] in ("entries", "document"):
            return name
        return re.sub("_([a-z])", lambda found: found[1].upper(), name)

    def _unknown(self, key: str, head: str) -> str:
        inside = [name for name, kind in self.kinds.items() if kind in ("entries", "document")]
        accepted = [self.wire_name(name) + (".<key>" if name in inside else "") for name in self.kinds]
        suggestion = near(head, map(self.wire_name, self.kinds))
        below = " or ".join(f"'{name}.{key}'" for name in inside[:2])
        hint = f" A key of one's own is written {below}." if below else ""
        return f"no field '{head}' on {self.noun}{suggestion}.{hint} Fields: {', '.join(accepted)}"


RUN_FIELDS: Final = Fields(
    "runs",
    {
        "name": "text",
        "display_name": "text",
        "state": "text",
        "group": "text",
        "job_type": "text",
        "host": "text",
        "username": "text",
        "entity": "text",
        "project": "text",
        "sweep": "text",
        "commit": "text",
        "notes": "text",
        "tags": "list",
        "created_at": "time",
        "heartbeat_at": "time",
        "updated_at": "time",
        "duration": "number",
        "config": "entries",
        "summary_metrics": "document",
        "keys_info": "document",
        "input_artifacts": "list",
        "output_artifacts": "list",
    },
    {"sweep_name": "sweep"},
)
"""A run's fields. `name` is the run's id and `display_name` what people call it, as in W&B."""


def lookup_in(record: Mapping[str, Any], fields: Fields = RUN_FIELDS) -> Callable[[tuple[str, ...]], Any]:
    """The lookup of a record: canonical field names to values, documents as dicts, the config with wrapped entries."""

    def lookup(path: tuple[str, ...]) -> Any:
        name, *rest = path
        value = record.get(name)
        if value is None:
            return MISSING
        return value_at(value, fields.kinds[name], rest)

    return lookup


def value_at(value: Any, kind: Kind, rest: Sequence[str]) -> Any:
    """The value below a field's own, for the keys that follow its name in a path; `MISSING` where there is none."""
    if kind == "entries":
        return resolve_entry(value, rest)
    return resolve(value, rest) if rest else value


def resolve(document: Any, keys: Sequence[str]) -> Any:
    """The value at a path of keys, or `MISSING`.

    An object is stepped into by key, a list by index. People log `"val.loss"` flat, so where a single key leads nowhere
    it is tried joined to the next ones by a dot. Steps win over joined keys: `a.b` is `{"a": {"b": 1}}` first and
    `{"a.b": 1}` second; at each level the shortest key that leads to a value is taken.
    """
    if not keys:
        return document
    if isinstance(document, list):
        index = keys[0]
        inside = index.isascii() and index.isdigit() and len(index) < 10 and int(index) < len(document)
        return resolve(document[int(index)], keys[1:]) if inside else MISSING
    for value, rest in _steps(document, keys):
        found = resolve(value, rest)
        if found is not MISSING:
            return found
    return MISSING


def resolve_entry(config: Any, keys: Sequence[str]) -> Any:
    """The value at a path of keys in a stored config, whose values are wrapped as `{"value": v}`; or `MISSING`.

    `k` and `k.value` are both the entry's value; `k.a` and `k.value.a` both the value's `a`. `value` straight after
    the entry's key is the wrapper; where that leads nowhere it is a key of the value itself. Dots may be part of a key,
    as in `resolve`.
    """
    for entry, rest in _steps(config, keys):
        value = entry["value"] if isinstance(entry, dict) and "value" in entry else entry
        readings = (rest[1:], rest) if rest and rest[0] == "value" else (rest,)
        for reading in readings:
            found = resolve(value, reading)
            if found is not MISSING:
                return found
    return MISSING


def _steps(document: Any, keys: Sequence[str]) -> Iterable[tuple[Any, Sequence[str]]]:
    """Each value that one key of an object leads to, with the keys left; the shortest key first."""
    if isinstance(document, dict):
        for length in range(1, len(keys) + 1):
            name = ".".join(keys[:length])
            if name in document:
                yield document[name], keys[length:]


def _split(key: str) -> list[str]:
    """The parts of a dotted key; a dot after a backslash does not divide."""
    parts = [""]
    for sign in re.findall(r"\\[\\.]|.", key, re.DOTALL):
        if sign == ".":
            parts.append("")
        else:
            parts[-1] += sign[-1]
    return parts
