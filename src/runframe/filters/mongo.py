"""Predicates from and to Mongo-style dicts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from runframe.filters.fields import RUN_FIELDS, Fields, Kind
from runframe.filters.meaning import instant
from runframe.filters.messages import near, show
from runframe.filters.patterns import pattern
from runframe.filters.tree import GROUPS, OPERATORS, Always, And, Compare, FilterError, Nor, Not, Op, Or, Predicate

_ORDERING: Final = ("$gt", "$gte", "$lt", "$lte")
_DEEPEST: Final = 100  # MongoDB's own limit on nesting


def from_mongo(document: Mapping[str, Any] | None, fields: Fields = RUN_FIELDS) -> Predicate:
    """The predicate of a Mongo-style dict; `None` and `{}` match everything.

    In the lists of `$and`, `$or` and `$nor`, null stands for no condition (W&B's own report code sends it). An empty
    `$or` matches nothing.

    Raises:
        FilterError: the document cannot be understood; the message names the key or operator, what was expected, and
            names that are near.
    """
    if document is None:
        return Always()
    try:
        return _document(document, fields, "the filter", 0)
    except RecursionError:
        raise FilterError("the filter holds a value that is nested too deeply") from None


def to_mongo(predicate: Predicate, fields: Fields = RUN_FIELDS) -> dict[str, Any]:
    """The Mongo dict of a predicate: `from_mongo` makes an equal one of it. Only JSON values; times as ISO 8601."""
    match predicate:
        case Always():
            return {}
        case And(parts):
            return {"$and": [to_mongo(part, fields) for part in parts]}
        case Or(parts):
            return {"$or": [to_mongo(part, fields) for part in parts]}
        case Nor(parts):
            return {"$nor": [to_mongo(part, fields) for part in parts]}
        case Not(Compare(path, op, value)):
            return {fields.key(path): {"$not": {op: _json(value)}}}
        case Not(part):
            return {"$nor": [to_mongo(part, fields)]}
        case Compare(path, "$eq", value) if not isinstance(value, Mapping):
            return {fields.key(path): _json(value)}
        case Compare(path, op, value):
            return {fields.key(path): {op: _json(value)}}
    raise TypeError(f"not a predicate: {predicate!r}")


def _document(document: Any, fields: Fields, where: str, depth: int) -> Predicate:
    if not isinstance(document, Mapping):
        raise FilterError(f"{where} must be a dict like {{'state': 'finished'}}, not {show(document)}")
    if depth > _DEEPEST:
        raise FilterError(f"{where} is nested deeper than {_DEEPEST} levels")
    parts: list[Predicate] = []
    for key, value in document.items():
        if not isinstance(key, str):
            raise FilterError(f"the keys of {where} must be text, not {show(key)}")
        if key == "$not":
            parts.append(Not(_document(value, fields, "'$not'", depth + 1)))
        elif key.startswith("$"):
            parts.append(_group(key, value, fields, depth))
        else:
            parts.append(_conditions(key, value, fields, depth))
    return _all(parts)


def _group(key: str, value: Any, fields: Fields, depth: int) -> Predicate:
    if key not in GROUPS:
        hint = (
            f"; it belongs below a field, like {{'state': {{'{key}': …}}}}" if key in OPERATORS else near(key, GROUPS)
        )
        raise FilterError(
            f"unknown operator '{key}' where a field is expected{hint} Accepted here: {', '.join(GROUPS)}"
        )
    if not isinstance(value, (list, tuple)):
        raise FilterError(f"'{key}' takes a list of dicts, not {show(value)}")
    given = tuple(_document(part, fields, f"each item of '{key}'", depth + 1) for part in value if part is not None)
    return {"$and": And, "$or": Or, "$nor": Nor}[key](given)


def _conditions(key: str, value: Any, fields: Fields, depth: int) -> Predicate:
    path = fields.path(key)
    kind = fields.kinds[path[0]]
    signed = [name for name in value if isinstance(name, str) and name[:1] == "$"] if isinstance(value, Mapping) else []
    if not signed:
        return Compare(path, "$eq", _constant(key, "$eq", value, kind))
    if depth > _DEEPEST:
        raise FilterError(f"'{key}' is nested deeper than {_DEEPEST} levels")
    parts: list[Predicate] = []
    for op, constant in value.items():
        if op == "$not":
            if not isinstance(constant, Mapping) or not any(str(name)[:1] == "$" for name in constant):
                raise FilterError(f"'$not' on '{key}' takes operators, like {{'$gt': 1}}, not {show(constant)}")
            parts.append(Not(_conditions(key, constant, fields, depth + 1)))
        elif op in OPERATORS:
            parts.append(Compare(path, op, _constant(key, op, constant, kind)))
        else:
            accepted = (*OPERATORS, "$not")
            raise FilterError(
                f"unknown operator {op!r} on '{key}'{near(str(op), accepted)}. Accepted: {', '.join(accepted)}"
            )
    return _all(parts)


def _constant(key: str, op: Op, value: Any, kind: Kind) -> Any:
    """The checked constant of one condition."""
    where = f"'{op}' on '{key}'"
    if op in ("$in", "$nin"):
        if not isinstance(value, (list, tuple)):
            raise FilterError(f"{where} takes a list, not {show(value)}")
        return [_plain(where, item, kind) for item in value]
    if op == "$exists":
        if value not in (True, False):
            raise FilterError(f"{where} takes true or false, not {show(value)}")
        return bool(value)
    if op == "$regex":
        if kind == "time":
            raise FilterError(f"{where}: a time is compared with $gt, $gte, $lt, $lte, not matched as text")
        if not isinstance(value, str):
            raise FilterError(f"{where} takes a pattern as text, not {show(value)}")
        try:
            pattern(_plain(where, value, kind))
        except FilterError as error:
            raise FilterError(f"{where}: {error}") from None
        return value
    if op in _ORDERING and (value is None or isinstance(value, (list, tuple, Mapping))):
        raise FilterError(f"{where} takes a number or text, not {show(value)}")
    return _plain(where, value, kind)


def _plain(where: str, value: Any, kind: Kind) -> Any:
    """A JSON value as it is, or an instant for a time."""
    if kind == "time" and value is not None:
        moment = instant(value)
        if moment is None:
            raise FilterError(f"{where} takes a time in ISO 8601, like '2024-05-31T12:00:00Z', not {show(value)}")
        return moment
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise FilterError(f"{where}: the text {value!r} is not valid Unicode") from None
    elif isinstance(value, (list, tuple)):
        return [_plain(where, item, kind) for item in value]
    elif isinstance(value, Mapping):
        if not all(isinstance(name, str) for name in value):
            raise FilterError(f"{where}: the keys of {show(value)} must be text")
        return {_plain(where, name, "text"): _plain(where, item, kind) for name, item in value.items()}
    elif not isinstance(value, (bool, int, float, type(None))):
        raise FilterError(f"{where} takes a JSON value (text, number, bool, null, list, object), not {show(value)}")
    return value


def _all(parts: list[Predicate]) -> Predicate:
    if not parts:
        return Always()
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return [_json(item) for item in value] if isinstance(value, list) else value
