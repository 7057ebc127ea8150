"""polars expressions (``pl.col("x") > 1``) as conditions.

An expression is read from its JSON form. What is not known there, polars alone decides, on every batch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import polars as pl
import pyarrow as pa

from runframe.errors import UsageError
from runframe.frames.columns import first_keys
from runframe.frames.predicate import Condition, bind_names
from runframe.frames.schema import Schema, is_json
from runframe.frames.storage import plain_table
from runframe.frames.superset import Every, Meaning, Negated, Opaque, Sign, Some, Term, Test

_ROW = "runframe row"
_SIGNS: Final[Mapping[str, Sign]] = {"Eq": "==", "NotEq": "!=", "Lt": "<", "LtEq": "<=", "Gt": ">", "GtEq": ">="}
_MIRRORED: Final[Mapping[Sign, Sign]] = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
_BOUNDS: Final[Mapping[str, tuple[Sign, Sign]]] = {
    "Both": (">=", "<="),
    "Left": (">=", "<"),
    "Right": (">", "<="),
    "None": (">", "<"),
}


class PolarsCondition(Condition):
    """A polars expression over the columns of a schema and flattened ones.

    Raises:
        UsageError: it names a column that cannot be there, or columns by a pattern.
    """

    def __init__(self, expression: pl.Expr, schema: Schema, types: Mapping[str, Any] | None = None) -> None:
        if expression.meta.has_multiple_outputs():
            raise UsageError(f"the condition {expression} must name its columns, one by one")
        self._expression, self._schema = expression, schema
        self.plain, self.leaves, self.paths = bind_names(expression.meta.root_names(), schema)
        self.keys = first_keys(self.paths)
        self.texts = tuple(name for name in self.plain if is_json(schema[name].type))
        meaning = Meaning(schema, types or {}, nan_is_greatest=True, null_is_in_nothing=False)
        self.superset, self.exact = meaning.superset(_term(expression))

    def typed(self, types: Mapping[str, Any]) -> Condition:
        """The same, knowing the types of flattened columns."""
        return PolarsCondition(self._expression, self._schema, types)

    def holds(self, batch: Any) -> Any:
        """Where polars keeps a row."""
        frame = frame_of(batch).with_row_index(_ROW)
        try:
            kept = frame.filter(self._expression)[_ROW]
        except pl.exceptions.PolarsError as error:
            raise UsageError(f"the condition {self._expression} cannot be applied: {error}") from error
        answer = pl.zeros(frame.height, pl.Boolean, eager=True).scatter(kept, True)
        return answer.to_arrow().cast(pa.bool_())

    def __str__(self) -> str:
        return str(self._expression)


def frame_of(batch: Any) -> pl.DataFrame:
    """A record batch as polars, JSON columns as text."""
    return pl.DataFrame(plain_table(pa.Table.from_batches([batch])))


def _term(expression: pl.Expr) -> Term:
    try:
        return _read(json.loads(expression.meta.serialize(format="json")))
    except (ValueError, LookupError, TypeError, pl.exceptions.PolarsError, pa.ArrowException):
        return Opaque()


def _read(node: Any) -> Term:
    match node:
        case {"Column": str(name)}:
            return Test(name, "==", True)
        case {"BinaryExpr": {"left": left, "op": str(op), "right": right}}:
            return _binary(left, op, right)
        case {"Function": {"input": inputs, "function": function}}:
            return _function(inputs, function)
    return Opaque()


def _binary(left: Any, op: str, right: Any) -> Term:
    if op in ("And", "LogicalAnd"):
        return Every((_read(left), _read(right)))
    if op in ("Or", "LogicalOr"):
        return Some((_read(left), _read(right)))
    match left, right, _SIGNS.get(op):
        case {"Column": str(name)}, {"Literal": literal}, str(sign):
            return Test(name, sign, _constant(literal))
        case {"Literal": literal}, {"Column": str(name)}, str(sign):
            return Test(name, _MIRRORED.get(sign, sign), _constant(literal))
    return Opaque()


def _function(inputs: list[Any], function: Any) -> Term:
    match function, inputs:
        case {"Boolean": "Not"}, [part]:
            return Negated(_read(part))
        case {"Boolean": "AllHorizontal"}, parts:
            return Every(tuple(map(_read, parts)))
        case {"Boolean": "AnyHorizontal"}, parts:
            return Some(tuple(map(_read, parts)))
        case {"Boolean": "IsNull"}, [{"Column": str(name)}]:
            return Test(name, "null")
        case {"Boolean": "IsNotNull"}, [{"Column": str(name)}]:
            return Negated(Test(name, "null"))
        case {"Boolean": {"IsIn": {"nulls_equal": False}}}, [{"Column": str(name)}, {"Literal": literal}]:
            return Test(name, "in", tuple(_constant(literal)))
        case {"Boolean": {"IsBetween": {"closed": closed}}}, [{"Column": str(name)}, low, high]:
            above, below = _BOUNDS[closed]
            return Every((Test(name, above, _constant(low["Literal"])), Test(name, below, _constant(high["Literal"]))))
        case {"StringExpr": {"Contains": {"literal": True}}}, [{"Column": str(name)}, {"Literal": literal}]:
            return Test(name, "contains", _constant(literal))
        case {"StringExpr": "StartsWith" | "EndsWith"}, [{"Column": str(name)}, {"Literal": literal}]:
            return _implied(Test(name, "contains", _constant(literal)))
        case {"ListExpr": {"Contains": _}}, [{"Column": str(name)}, {"Literal": literal}]:
            return Test(name, "has", _constant(literal))
    return Opaque()


def _implied(test: Test) -> Term:
    """Something opaque that is true only where the test is."""
    return Every((test, Opaque()))


def _constant(literal: Any) -> Any:
    """The Python value of a literal.

    Raises:
        ValueError: it has none here; JSON has no NaN and no infinities, for example.
    """
    match literal:
        case {"Dyn": {"Int": int(value)}} | {"Dyn": {"Float": float(value)}} | {"Dyn": {"Str": str(value)}}:
            return value
        case {"Dyn": {"Float": int(value)}}:
            return float(value)
        case {"Scalar": {"List": data}}:
            with pa.ipc.open_stream(bytes(data)) as reader:
                return reader.read_all().column(0).to_pylist()
        case {"Scalar": {"Datetime": [int(count), str(unit), zone]}}:
            if zone is None or unit != "Microseconds":
                raise ValueError(literal)
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=count)
        case {"Scalar": {"String": str(value)}} | {"Scalar": {"Boolean": bool(value)}}:
            return value
        case {"Scalar": dict(typed)} if len(typed) == 1:
            [(kind, value)] = typed.items()
            if kind.startswith(("Int", "UInt", "Float")) and isinstance(value, (int, float)):
                return float(value) if kind.startswith("Float") else value
    raise ValueError(literal)
