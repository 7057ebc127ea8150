"""The scalars of the schema."""

from __future__ import annotations

from typing import Any

from ariadne import ScalarType
from graphql import ValueNode, value_from_ast_untyped

from runframe.server.store import documents

json_value = ScalarType("JSON")
json_string = ScalarType("JSONString")
int64 = ScalarType("Int64")
duration = ScalarType("Duration")
date_time = ScalarType("DateTime")


@json_value.serializer
def _serialize_json(value: Any) -> Any:
    """JSON values go out as they are; strict JSON has no non-finite numbers."""
    return documents.strict(value)


@json_string.value_parser
def _parse_json_string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"expected a string that holds JSON, got {type(value).__name__}.")
    return value


@json_string.literal_parser
def _parse_json_string_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> str:
    text: str = _parse_json_string(value_from_ast_untyped(node, variables))
    return text


def _parse_int(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"expected an integer, got {value!r}.")
    return value


def _parse_int_literal(node: ValueNode, variables: dict[str, Any] | None = None) -> int:
    return _parse_int(value_from_ast_untyped(node, variables))


for _scalar in (int64, duration):
    _scalar.set_value_parser(_parse_int)
    _scalar.set_literal_parser(_parse_int_literal)

BINDABLES = (json_value, json_string, int64, duration, date_time)
