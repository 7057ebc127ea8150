"""What a server may be told of a predicate: never so much that a row would be missing.

The server's own meaning of a filter is MongoDB's only in part. It is trusted where every reading of the documentation
agrees: values of declared fields; of config and summary, that a value is there, equal to something or in an order with
a number, by a path of plain keys. The rest (keys with dots, negations inside documents, text in an order, anchored
patterns) is left out, and checked here alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from runframe.filters import RUN_FIELDS, Always, And, Compare, Fields, Nor, Not, Or, Predicate, to_mongo
from runframe.frames.schema import Column, Schema, is_json

_ORDERS: Final = ("$gt", "$gte", "$lt", "$lte")
_MICROSECOND: Final = timedelta(microseconds=1)
_ANCHORS = re.compile(r"[\^$]|\\[AzZbB]")
_NON_FINITE: Final = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def pushable(predicate: Predicate, schema: Schema) -> tuple[Predicate, bool]:
    """The part of a predicate that the server can be told, in the server's names; and whether that is all of it."""
    match predicate:
        case And(parts):
            found = [pushable(part, schema) for part in parts]
            told = tuple(part for part, _ in found if not isinstance(part, Always))
            whole = all(same for _, same in found)
            return (told[0] if len(told) == 1 else And(told)) if told else Always(), whole
        case Or(parts):
            found = [pushable(part, schema) for part in parts]
            if any(isinstance(part, Always) for part, _ in found):
                return Always(), False
            return Or(tuple(part for part, _ in found)), all(same for _, same in found)
        case Not(part):
            return _negated(part, schema)
        case Nor(parts):
            return pushable(And(tuple(Not(part) for part in parts)), schema)
        case Compare():
            return _compared(predicate, schema)
    return Always(), isinstance(predicate, Always)


def _negated(part: Predicate, schema: Schema) -> tuple[Predicate, bool]:
    match part:
        case Not(inner):
            return pushable(inner, schema)
        case And(parts):
            return pushable(Or(tuple(Not(each) for each in parts)), schema)
        case Or(parts):
            return pushable(And(tuple(Not(each) for each in parts)), schema)
        case Nor(parts):
            return pushable(Or(parts), schema)
        case Compare((name, *keys), _, value) if not keys:
            column = schema[name]
            told = None if isinstance(value, datetime) else _plain(part, column)
            return (Always(), False) if told is None else (Not(told), True)
    return Always(), False


def _compared(test: Compare, schema: Schema) -> tuple[Predicate, bool]:
    column = schema[test.path[0]]
    if column.filter is None:
        return Always(), False
    if is_json(column.type):
        told = _inside(test, column)
        return (Always(), False) if told is None else (told, True)
    if isinstance(test.value, datetime):
        return _moment(test, column)
    plain = _plain(test, column)
    return (Always(), False) if plain is None else (plain, True)


def _plain(test: Compare, column: Column) -> Compare | None:
    """A test of a declared field."""
    if column.filter is None or is_json(column.type):
        return None
    if test.op in _ORDERS and isinstance(test.value, str):
        return None
    if test.op == "$regex" and _ANCHORS.search(test.value):
        return None
    values = test.value if isinstance(test.value, list) else [test.value]
    if any(isinstance(value, datetime) for value in values):
        return None
    return replace(test, path=(column.filter,))


def _moment(test: Compare, column: Column) -> tuple[Predicate, bool]:
    """A test of a time: servers keep more of it than the microseconds that we do."""
    assert column.filter is not None
    path, moment = (column.filter,), test.value
    after = moment + _MICROSECOND
    match test.op:
        case "$gt" | "$gte":
            return Compare(path, "$gte", moment), True
        case "$lt":
            return Compare(path, "$lt", moment), True
        case "$lte":
            return Compare(path, "$lt", after), True
        case "$eq":
            return And((Compare(path, "$gte", moment), Compare(path, "$lt", after))), True
    return Always(), False


def _inside(test: Compare, column: Column) -> Compare | None:
    """A test of a value inside a document."""
    assert column.filter is not None
    keys = test.path[1:]
    if any(not key or "." in key or "\\" in key for key in keys):
        return None
    told = replace(test, path=(column.filter, *keys))
    if test.op == "$exists":
        return told if test.value else None
    if column.document == "config" and "value" in keys[1:2]:  # the wrapper's own key
        return None
    if test.op == "$in" or test.op == "$eq":
        values = test.value if test.op == "$in" else [test.value]
        if any(value is None or isinstance(value, (list, Mapping, datetime)) for value in values):
            return None
        spelled = [_spelled(value) for value in values]
        return replace(told, value=spelled if test.op == "$in" else spelled[0])
    if test.op == "$regex":
        return None if _ANCHORS.search(test.value) else told
    if test.op in _ORDERS and isinstance(test.value, (int, float)) and not isinstance(test.value, bool):
        return told if test.value - test.value == 0 else None
    return None


def _spelled(value: Any) -> Any:
    """A value as JSON can carry it."""
    return _NON_FINITE.get(str(value), value) if isinstance(value, float) else value


def as_filter(predicate: Predicate, fields: Fields = RUN_FIELDS) -> dict[str, Any]:
    """The server's form of a pushable predicate."""
    return to_mongo(predicate, fields)


def both(given: Mapping[str, Any], pushed: Mapping[str, Any]) -> str:
    """A filter that was given and one that is pushed down, as one text."""
    if not pushed:
        return json.dumps(given)
    return json.dumps({"$and": [given, pushed]} if given else pushed)
