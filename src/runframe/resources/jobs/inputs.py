"""What a job takes: whether a config fits the types that were written down when the job was made.

A type is ``{"wb_type": NAME, "params": {…}}``, as in the description of a table's columns. A type may learn from what
it is given: a list of elements that are not known yet takes the type of its first element.
"""

from __future__ import annotations

import datetime as dt
import math
import numbers
from collections.abc import Mapping
from typing import Any

from runframe.resources.artifacts.tables.dtypes import describe

Type = Mapping[str, Any]

_UNKNOWN: Type = {"wb_type": "unknown"}
_SEQUENCES = (list, tuple, set, frozenset)


def assigned(type_: Type, value: Any) -> Type | None:
    """The type as it is once it has taken a value; None where the value does not fit."""
    name, params = _parts(type_)
    if name == "unknown":
        return None if _is_nothing(value) else describe(value)
    if name == "union":
        return _union(params, value)
    if name == "list":
        return _list(params, value)
    if name in ("typedDict", "dictionary"):
        return _object(params, value)
    return type_ if _fits(name, params, value) else None


def explain(type_: Type, value: Any, where: str = "config") -> list[str]:
    """A line for each place at which a value does not fit; none where it does."""
    if assigned(type_, value) is not None:
        return []
    name, params = _parts(type_)
    if name in ("typedDict", "dictionary") and isinstance(value, Mapping):
        known = params.get("type_map") or {}
        there = ", ".join(known) or "none"
        lines = [f"{where} has an entry {key!r}, expected only {there}" for key in value if key not in known]
        for key, inner in known.items():
            lines += explain(inner, value.get(key), f"{where}.{key}")
        return lines
    return [f"{where} is {value!r}, expected {shown(type_)}"]


def shown(type_: Type) -> str:
    """A type for people."""
    name, params = _parts(type_)
    if name == "union":
        return " or ".join(sorted(map(shown, params.get("allowed_types") or []))) or "nothing"
    if name == "list":
        return f"a list of {shown(params.get('element_type') or _UNKNOWN)}"
    if name in ("typedDict", "dictionary"):
        entries = (f"{key}: {shown(inner)}" for key, inner in (params.get("type_map") or {}).items())
        return f"{{{', '.join(entries)}}}"
    if name == "const":
        return repr(params.get("val"))
    return {"unknown": "anything", "any": "anything", "none": "None"}.get(name, name)


def _parts(type_: Any) -> tuple[str, Mapping[str, Any]]:
    given: Mapping[str, Any] = type_ if isinstance(type_, Mapping) else _UNKNOWN
    return str(given.get("wb_type", "unknown")), given.get("params") or {}


def _is_nothing(value: Any) -> bool:
    # NaN stands for a missing value in what the SDK describes.
    return value is None or (isinstance(value, float) and math.isnan(value))


def _fits(name: str, params: Mapping[str, Any], value: Any) -> bool:
    """Whether a value is of a type that has no types inside."""
    is_bool = type(value).__name__ in ("bool", "bool_")
    if name == "any":
        return not _is_nothing(value)
    if name == "none":
        return _is_nothing(value)
    if name == "boolean":
        return is_bool
    if name == "number":
        return isinstance(value, numbers.Complex) and not is_bool and not _is_nothing(value)
    if name == "string":
        return isinstance(value, str)
    if name == "timestamp":
        return isinstance(value, dt.date)
    if name == "const":
        wanted = params.get("val")
        return bool(value == (set(wanted) if params.get("is_set") and wanted is not None else wanted))
    if name == "ndarray":
        return isinstance(value, list) or list(getattr(value, "shape", ())) == params.get("shape")
    if name in ("pythonObject", "object"):
        return type(value).__name__ == params.get("class_name")
    # Artifacts and media: what stands for them in a config says what it is.
    return isinstance(value, Mapping) and value.get("_type") == name


def _union(params: Mapping[str, Any], value: Any) -> Type | None:
    allowed = list(params.get("allowed_types") or [])
    known_first = sorted(range(len(allowed)), key=lambda index: _parts(allowed[index])[0] == "unknown")
    for index in known_first:
        taken = assigned(allowed[index], value)
        if taken is not None:
            return {"wb_type": "union", "params": {"allowed_types": [*allowed[:index], taken, *allowed[index + 1 :]]}}
    return None


def _list(params: Mapping[str, Any], value: Any) -> Type | None:
    if not isinstance(value, _SEQUENCES):
        return None
    element: Type | None = params.get("element_type") or _UNKNOWN
    for item in value:
        element = assigned(element, item) if element is not None else None
    return None if element is None else {"wb_type": "list", "params": {"element_type": element, "length": len(value)}}


def _object(params: Mapping[str, Any], value: Any) -> Type | None:
    known = params.get("type_map") or {}
    if not isinstance(value, Mapping) or any(key not in known for key in value):
        return None
    taken = {key: assigned(inner, value.get(key)) for key, inner in known.items()}
    if None in taken.values():
        return None
    return {"wb_type": "typedDict", "params": {"type_map": taken}}
