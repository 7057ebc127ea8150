"""The type description that a table in an artifact carries: what it says, and how it is made.

``{"wb_type": NAME, "params": {…}}``, nested; see `describe` for the names that are written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Type = Mapping[str, Any]

NONE: Type = {"wb_type": "none"}
ANY: Type = {"wb_type": "any"}


def column_types(columns: Sequence[Any], rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
    """The description of a table's columns; each may hold nothing."""
    types = {str(name): _optional(_joined(describe(row[index]) for row in rows)) for index, name in enumerate(columns)}
    return {"wb_type": "typedDict", "params": {"type_map": types}}


def describe(value: Any) -> Type:
    """The description of one cell, as it is before it is encoded.

    The names are ``none``, ``boolean``, ``number``, ``string``, ``timestamp``, ``list`` and ``typedDict``, and ``any``
    for all else.
    """
    if value is None:
        return NONE
    if isinstance(value, bool):
        return {"wb_type": "boolean"}
    if isinstance(value, (int, float)):
        return {"wb_type": "number"}
    if isinstance(value, str):
        return {"wb_type": "string"}
    if isinstance(value, (dt.date, dt.datetime)):
        return {"wb_type": "timestamp"}
    if isinstance(value, list):
        element = _joined(map(describe, value)) if value else {"wb_type": "unknown"}
        return {"wb_type": "list", "params": {"element_type": element, "length": len(value)}}
    if isinstance(value, dict):
        return {"wb_type": "typedDict", "params": {"type_map": {str(key): describe(value[key]) for key in value}}}
    return ANY


def types_by_column(description: Any) -> dict[str, Any]:
    """The descriptions of a table's columns, by name; empty where there is none."""
    params = description.get("params") if isinstance(description, Mapping) else None
    found = params.get("type_map") if isinstance(params, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def parameters(type_: Any, name: str) -> Mapping[str, Any] | None:
    """The parameters of the type of this name that a description is, or allows among others; None where it doesn't."""
    if not isinstance(type_, Mapping):
        return None
    params = type_.get("params") or {}
    if type_.get("wb_type") == name:
        return params if isinstance(params, Mapping) else {}
    if type_.get("wb_type") == "union":
        found = (parameters(item, name) for item in params.get("allowed_types") or [])
        return next((item for item in found if item is not None), None)
    return None


def _joined(types: Iterable[Type]) -> Type:
    """The description that allows all of these."""
    different: list[Type] = []
    for type_ in types:
        if type_ not in different:
            different = _with(different, type_)
    if not different:
        return NONE
    if ANY in different:
        return ANY
    return different[0] if len(different) == 1 else {"wb_type": "union", "params": {"allowed_types": different}}


def _with(different: list[Type], new: Type) -> list[Type]:
    """Descriptions, with one more; lists and objects become one that allows both."""
    for index, old in enumerate(different):
        if old["wb_type"] == new["wb_type"] in ("list", "typedDict"):
            both = _joined_lists(old, new) if new["wb_type"] == "list" else _joined_objects(old, new)
            return [*different[:index], both, *different[index + 1 :]]
    return [*different, new]


def _joined_lists(old: Type, new: Type) -> Type:
    old_params, new_params = old["params"], new["params"]
    elements = [params["element_type"] for params in (old_params, new_params)]
    known = [element for element in elements if element["wb_type"] != "unknown"] or elements[:1]
    length = old_params["length"] if old_params["length"] == new_params["length"] else None
    return {"wb_type": "list", "params": {"element_type": _joined(_spread(known)), "length": length}}


def _joined_objects(old: Type, new: Type) -> Type:
    left, right = old["params"]["type_map"], new["params"]["type_map"]
    names = dict.fromkeys([*left, *right])
    joined = {name: _joined(_spread([left.get(name, NONE), right.get(name, NONE)])) for name in names}
    return {"wb_type": "typedDict", "params": {"type_map": joined}}


def _spread(types: Iterable[Type]) -> Iterable[Type]:
    """Descriptions, with unions taken apart."""
    for type_ in types:
        yield from type_["params"]["allowed_types"] if type_["wb_type"] == "union" else [type_]


def _optional(type_: Type) -> Type:
    if type_ in (ANY, NONE):
        return type_
    others = [item for item in _spread([type_]) if item != NONE]
    return {"wb_type": "union", "params": {"allowed_types": [NONE, *others]}}
