"""Arrow's extension types taken down to what they are stored as, for engines that know no ``arrow.json``."""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def plain_type(type_: Any) -> Any:
    """The type with every ``arrow.json`` in it, nested ones too, replaced by the text type it is stored as."""
    if isinstance(type_, pa.BaseExtensionType):
        return plain_type(type_.storage_type)
    if pa.types.is_struct(type_):
        return pa.struct([plain_field(field) for field in type_])
    if pa.types.is_list(type_):
        return pa.list_(plain_field(type_.value_field))
    if pa.types.is_large_list(type_):
        return pa.large_list(plain_field(type_.value_field))
    return type_


def plain_field(field: Any) -> Any:
    """The field with its type taken down; name, nullability and metadata stay."""
    return field.with_type(plain_type(field.type))


def plain_schema(schema: Any) -> Any:
    """The schema with all its types taken down."""
    return pa.schema([plain_field(field) for field in schema], metadata=schema.metadata)


def plain_array(array: Any) -> Any:
    """The array with its type taken down; the buffers are shared, not copied."""
    type_ = array.type
    plain = plain_type(type_)
    if plain == type_:
        return array
    if isinstance(type_, pa.BaseExtensionType):
        return plain_array(array.storage)
    validity, *rest = array.buffers()
    if pa.types.is_struct(type_):
        children = [plain_array(array.field(index)) for index in range(type_.num_fields)]
        mask = array.is_null() if array.null_count else None
        return pa.StructArray.from_arrays(children, fields=list(plain), mask=mask)
    own = rest[0] if pa.types.is_list(type_) or pa.types.is_large_list(type_) else None
    return pa.Array.from_buffers(
        plain, len(array), [validity, own], array.null_count, array.offset, children=[plain_array(array.values)]
    )


def plain_table(table: Any) -> Any:
    """The table with all its types taken down."""
    schema = plain_schema(table.schema)
    if schema.equals(table.schema):
        return table
    columns = [
        pa.chunked_array([plain_array(chunk) for chunk in column.chunks], type=field.type)
        for column, field in zip(table.columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(columns, schema=schema)
