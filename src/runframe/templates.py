"""Template variables of a launch queue: ``{{name}}`` in its settings, a schema for each, values with each run.

The client checks them before it sends anything, the embedded server when they come: by the same rules.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from runframe import extjson
from runframe.errors import QueueError

_MACRO = re.compile(r"\{\{\s*([\w.-]+)\s*\}\}")
_TYPES = ("string", "number", "integer")
_KEYS = ("type", "default", "minimum", "maximum", "enum", "description")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable.

    Attributes:
        name: what ``{{name}}`` names it by.
        schema: ``type`` ("string", "number" or "integer") and, where given, ``default``, ``minimum``, ``maximum`` and
            ``enum``.
    """

    name: str
    schema: dict[str, Any]

    def check(self, value: Any, what: str = "the value") -> Any:
        """The value, if the schema allows it.

        Raises:
            QueueError: it does not; the message names the variable and the rule.
        """
        kind, shown = self.schema["type"], f"{what} of template variable {self.name!r} is {value!r}"
        if not _is(value, kind):
            raise QueueError(f"{shown}, expected {'an' if kind == 'integer' else 'a'} {kind}")
        if "enum" in self.schema and value not in self.schema["enum"]:
            raise QueueError(f"{shown}, expected one of {', '.join(map(repr, self.schema['enum']))}")
        if "minimum" in self.schema and value < self.schema["minimum"]:
            raise QueueError(f"{shown}, expected {self.schema['minimum']} or more")
        if "maximum" in self.schema and value > self.schema["maximum"]:
            raise QueueError(f"{shown}, expected {self.schema['maximum']} or less")
        return value


def read_variables(given: Any) -> dict[str, Variable]:
    """The variables in ``{name: {"schema": {…}}}``; None for none.

    Raises:
        QueueError: it has not this form, or a schema contradicts itself.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise QueueError(f"the template variables are {given!r}, expected a JSON object {{name: {{'schema': {{…}}}}}}")
    return {name: _variable(name, entry) for name, entry in given.items()}


def _variable(name: Any, entry: Any) -> Variable:
    if not isinstance(name, str):
        raise QueueError(f"a template variable is called {name!r}, expected text")
    schema = entry.get("schema") if isinstance(entry, Mapping) else None
    if not isinstance(schema, Mapping):
        raise QueueError(f"template variable {name!r} is {entry!r}, expected {{'schema': {{'type': …}}}}")
    if schema.get("type") not in _TYPES:
        kinds = ", ".join(map(repr, _TYPES))
        raise QueueError(f"template variable {name!r} has the type {schema.get('type')!r}, expected one of {kinds}")
    unknown = [key for key in schema if key not in _KEYS]
    if unknown:
        known = ", ".join(_KEYS)
        raise QueueError(f"the schema of template variable {name!r} has an unknown key {unknown[0]!r}; known: {known}")
    _check_schema(name, schema)
    variable = Variable(name, dict(schema))
    if "default" in schema:
        variable.check(schema["default"], "the default")
    return variable


def _check_schema(name: str, schema: Mapping[str, Any]) -> None:
    kind = schema["type"]
    for key in ("minimum", "maximum"):
        if key in schema and (kind == "string" or not _is(schema[key], "number")):
            raise QueueError(f"{key!r} of template variable {name!r} is {schema[key]!r}: it is for numbers alone")
    if "minimum" in schema and "maximum" in schema and schema["minimum"] > schema["maximum"]:
        least, most = schema["minimum"], schema["maximum"]
        raise QueueError(f"template variable {name!r} has a minimum above its maximum: {least} is more than {most}")
    enum = schema.get("enum", [None])
    if not isinstance(enum, list | tuple) or not enum:
        raise QueueError(f"'enum' of template variable {name!r} is {enum!r}, expected a list with a value or more")
    if "enum" in schema and not all(_is(value, kind) for value in enum):
        raise QueueError(f"'enum' of template variable {name!r} is {enum!r}, expected only values of the type {kind!r}")


def _is(value: Any, kind: str) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if isinstance(value, float):
        return math.isfinite(value) and (kind == "number" or value.is_integer())
    return isinstance(value, int) and not isinstance(value, bool)


def check_macros(config: Any, variables: Mapping[str, Variable]) -> list[str]:
    """A sentence for each variable that the settings do not use.

    Raises:
        QueueError: the settings use a variable that is not declared.
    """
    used = set(_macros(config))
    for name in sorted(used - variables.keys()):
        raise QueueError(f"the settings use {{{{{name}}}}}, but there is no template variable {name!r}")
    return [f"template variable {name!r} is not used" for name in variables if name not in used]


def _macros(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _MACRO.findall(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _MACRO.findall(key)
            yield from _macros(item)
    elif isinstance(value, list):
        for item in value:
            yield from _macros(item)


def values_of(variables: Mapping[str, Variable], given: Mapping[str, Any]) -> dict[str, Any]:
    """The value of each variable: the one given, else its default.

    Raises:
        QueueError: a value is for no variable or against its schema, or one without a default is missing.
    """
    for name in given:
        if name not in variables:
            known = ", ".join(variables) or "none"
            raise QueueError(f"the queue has no template variable {name!r}; it has {known}")
    values = {}
    for name, variable in variables.items():
        if name not in given and "default" not in variable.schema:
            raise QueueError(f"template variable {name!r} has no default: give it a value")
        values[name] = variable.check(given[name]) if name in given else variable.schema["default"]
    return values


def filled(value: Any, values: Mapping[str, Any]) -> Any:
    """The settings with values in place of variables; a text that is one variable becomes the value itself."""
    if isinstance(value, dict):
        return {filled_text(key, values): filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, values) for item in value]
    if not isinstance(value, str):
        return value
    whole = _MACRO.fullmatch(value.strip())
    return values[whole[1]] if whole and whole[1] in values else filled_text(value, values)


def filled_text(text: str, values: Mapping[str, Any]) -> str:
    """A text with values in place of variables."""

    def put(match: re.Match[str]) -> str:
        value = values.get(match[1], match[0])
        return value if isinstance(value, str) else extjson.dumps(value)

    return _MACRO.sub(put, text)
