"""Arrow expressions (``pc.field("x") > 1``) as conditions: how pyarrow and DuckDB say what rows they want."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from runframe.errors import UsageError
from runframe.frames.columns import first_keys
from runframe.frames.predicate import Condition, bind_names
from runframe.frames.schema import Schema, is_json
from runframe.frames.storage import plain_table
from runframe.frames.superset import Every, Meaning, Negated, Opaque, Sign, Some, Term, Test

_ROW = "runframe row"
_UNKNOWN = re.compile(r"No match for FieldRef\.Name\((.*?)\) in ", re.DOTALL)
_ENTRY = re.compile(r"^(call|field_ref|literal|options|end|nested_field_ref): '(.*)'$", re.MULTILINE)
_SIGNS: Final[Mapping[str, Sign]] = {
    "equal": "==",
    "not_equal": "!=",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
}
_MIRRORED: Final[Mapping[Sign, Sign]] = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}


class ArrowCondition(Condition):
    """An Arrow expression over the columns of a schema and flattened ones."""

    def __init__(self, expression: Any, schema: Schema, types: Mapping[str, Any] | None = None) -> None:
        self._expression, self._schema = expression, schema
        self.plain, self.leaves, self.paths = bind_names(_names(expression), schema)
        self.keys = first_keys(self.paths)
        self.texts = tuple(name for name in self.plain if is_json(schema[name].type))
        meaning = Meaning(schema, types or {}, nan_is_greatest=False, null_is_in_nothing=True)
        self.superset, self.exact = meaning.superset(_term(expression))

    def typed(self, types: Mapping[str, Any]) -> Condition:
        """The same, knowing the types of flattened columns."""
        return ArrowCondition(self._expression, self._schema, types)

    def holds(self, batch: Any) -> Any:
        """Where Arrow keeps a row."""
        table = plain_table(pa.Table.from_batches([batch]))
        rows = pa.array(range(batch.num_rows), pa.int64())
        try:
            kept = table.append_column(_ROW, rows).filter(self._expression)[_ROW]
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
            raise UsageError(f"the condition {self._expression} cannot be applied: {error}") from error
        return pc.is_in(rows, value_set=kept.combine_chunks())

    def __str__(self) -> str:
        return str(self._expression)


def _names(expression: Any) -> list[str]:
    """The columns that an expression refers to. Arrow tells one at a time, by missing it."""
    names: list[str] = []
    while True:
        empty = pa.table({name: pa.nulls(0) for name in names})
        try:
            empty.filter(expression)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, KeyError) as error:
            found = _UNKNOWN.search(str(error))
            if found is None or found[1] in names:
                return names + [name for name in _referred(expression) if name not in names]
            names.append(found[1])
        else:
            return names


def _referred(expression: Any) -> list[str]:
    """The names in an expression's serialised form: for types that the empty table does not have."""
    return list(dict.fromkeys(value for kind, value in _entries(expression)[0] if kind == "field_ref"))


def _entries(expression: Any) -> tuple[list[tuple[str, str]], Any]:
    """An expression as Arrow writes it down: calls in prefix order, and a batch that holds the constants."""
    data = expression.__reduce__()[1][0]
    with pa.ipc.open_file(data) as reader:
        batch = reader.get_batch(0) if reader.num_record_batches else None
        text = reader.schema.to_string(show_schema_metadata=True, truncate_metadata=False)
    _, _, metadata = text.partition("-- schema metadata --\n")
    return [(found[1], found[2]) for found in _ENTRY.finditer(metadata)], batch


class _Malformed(Exception):
    """The written form is not what was expected."""


def _term(expression: Any) -> Term:
    """What the expression says; what it says in other words than ours is opaque, whole."""
    try:
        entries, constants = _entries(expression)
        return _read(iter(entries), constants)
    except (_Malformed, StopIteration, ValueError, IndexError, pa.ArrowInvalid):
        return Opaque()


class _Name(str):
    """A column's name."""

    __slots__ = ()


def _read(entries: Iterator[tuple[str, str]], constants: Any) -> Term:
    return _as_term(_operand(*next(entries), entries, constants))


def _operand(kind: str, value: str, entries: Iterator[tuple[str, str]], constants: Any) -> Any:
    """A column's name, a constant (in a list of one), or the term of a call."""
    if kind == "field_ref":
        return _Name(value)
    if kind == "literal":
        return [constants.column(int(value))[0].as_py()]
    if kind != "call":
        raise _Malformed(kind)
    operands: list[Any] = []
    options: Any = None
    for kind, inner in entries:
        if kind == "end":
            return _call(value, operands, options)
        if kind == "options":
            options = constants.column(int(inner))[0].as_py()
        else:
            operands.append(_operand(kind, inner, entries, constants))
    raise _Malformed(value)


def _call(name: str, operands: list[Any], options: Any) -> Term:
    match name, operands:
        case ("and_kleene" | "and", [left, right]):
            return Every((_as_term(left), _as_term(right)))
        case ("or_kleene" | "or", [left, right]):
            return Some((_as_term(left), _as_term(right)))
        case ("invert", [part]):
            return Negated(_as_term(part))
        case ("is_valid", [_Name() as column]):
            return Negated(Test(str(column), "null"))
        case ("is_null", [_Name() as column]) if not options["nan_is_null"]:
            return Test(str(column), "null")
        case ("is_in", [_Name() as column]) if options["value_set"] is not None:
            values = tuple(options["value_set"])
            return Test(str(column), "in", values) if None not in values else Opaque()
        case ("if_else", [Negated(Test(column, "null")), Test() as then, [None]]) if then.name == column:
            return replace(then, null_stays=True)  # DuckDB's IN
        case ("match_substring", [_Name() as column]) if not options["ignore_case"]:
            return Test(str(column), "contains", _text(options["pattern"]))
    sign = _SIGNS.get(name)
    match operands:
        case [_Name() as column, [value]] if sign is not None and value is not None:
            return Test(str(column), sign, value)
        case [[value], _Name() as column] if sign is not None and value is not None:
            return Test(str(column), _MIRRORED.get(sign, sign), value)
    return Opaque()


def _as_term(operand: Any) -> Term:
    if isinstance(operand, _Name):
        return Test(str(operand), "==", True)
    if isinstance(operand, list):
        return Opaque()
    term: Term = operand
    return term


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
