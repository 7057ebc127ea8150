"""The fields that filters and orders on versions and collections may name, and where the store keeps them.

The names are those that the official client's filters use, ``tag``, ``alias`` and ``version`` among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runframe import extjson
from runframe.filters import Fields, FilterError, from_mongo
from runframe.server.errors import Refusal
from runframe.server.store import filter_sql, order_sql
from runframe.server.store.fragments import FieldSQL, Fragment

VERSION_FIELDS = Fields(
    "artifact versions",
    {
        "state": "text",
        "version": "text",
        "version_index": "number",
        "digest": "text",
        "description": "text",
        "size": "number",
        "file_count": "number",
        "history_step": "number",
        "commit_hash": "text",
        "tags": "list",
        "aliases": "list",
        "created_at": "time",
        "updated_at": "time",
        "metadata": "document",
    },
    {"tag": "tags", "alias": "aliases", "artifact_size": "size", "artifact_created_at": "created_at"},
)

COLLECTION_FIELDS = Fields(
    "artifact collections",
    {
        "name": "text",
        "type": "text",
        "description": "text",
        "tags": "list",
        "created_at": "time",
        "updated_at": "time",
    },
    {"tag": "tags"},
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A noun's fields and where they are kept.

    Attributes:
        fields: the names.
        columns: canonical names to SQL.
        row_id: the SQL of the row's unique integer.
        default_order: what a request without an order gets.
    """

    fields: Fields
    columns: Mapping[str, FieldSQL]
    row_id: str
    default_order: str

    def condition(self, filters: str | None) -> Fragment:
        """The condition that a filter document states.

        Raises:
            Refusal: the text is no filter; the message names the key or operator that is not known.
        """
        try:
            return filter_sql.where(from_mongo(_document(filters), self.fields), self.columns, self.fields)
        except (FilterError, RecursionError) as error:
            raise Refusal(f"filters: {error}.") from error

    def order(self, text: str | None) -> order_sql.Order:
        """The order that a text like ``+created_at`` asks for.

        Raises:
            Refusal: the noun has no such key, or it has no order.
        """
        try:
            return order_sql.order(text or self.default_order, self.columns, self.row_id, self.fields)
        except FilterError as error:
            raise Refusal(f"order: {error}.") from error


def _document(filters: str | None) -> Any:
    if not filters:
        return None
    try:
        document = extjson.loads(filters)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"filters is not JSON: {error}.") from error
    if document is not None and not isinstance(document, dict):
        raise Refusal(f"filters is {type(document).__name__}, expected a JSON object.")
    return document


def _listed(column: str, source: str) -> FieldSQL:
    return FieldSQL(f"(SELECT json_group_array({column}) FROM {source})", "list", nullable=False)


#: For a query in which the artifacts table is ``a`` and memberships are ``m``.
VERSIONS = Vocabulary(
    VERSION_FIELDS,
    {
        "state": FieldSQL("a.state", "text", nullable=False),
        "version": FieldSQL("('v' || m.version_index)", "text", nullable=False),
        "version_index": FieldSQL("m.version_index", "number", nullable=False),
        "digest": FieldSQL("a.digest", "text", nullable=False),
        "description": FieldSQL("a.description", "text"),
        "size": FieldSQL("a.size", "number", nullable=False),
        "file_count": FieldSQL("a.file_count", "number", nullable=False),
        "history_step": FieldSQL("a.history_step", "number"),
        "commit_hash": FieldSQL("a.commit_hash", "text", nullable=False),
        "tags": _listed("t.name", "artifact_tags x JOIN tags t ON t.id = x.tag_id WHERE x.artifact_id = a.id"),
        "aliases": _listed("l.alias", "artifact_aliases l WHERE l.membership_id = m.id"),
        "created_at": FieldSQL("a.created_at", "time", nullable=False),
        "updated_at": FieldSQL("a.updated_at", "time", nullable=False),
        "metadata": FieldSQL("a.metadata", "document"),
    },
    "m.id",
    "-version_index",
)

#: For a query in which the collections table is ``c``.
COLLECTIONS = Vocabulary(
    COLLECTION_FIELDS,
    {
        "name": FieldSQL("c.name", "text", nullable=False),
        "type": FieldSQL("(SELECT y.name FROM artifact_types y WHERE y.id = c.type_id)", "text", nullable=False),
        "description": FieldSQL("c.description", "text"),
        "tags": _listed("t.name", "collection_tags x JOIN tags t ON t.id = x.tag_id WHERE x.collection_id = c.id"),
        "created_at": FieldSQL("c.created_at", "time", nullable=False),
        "updated_at": FieldSQL("c.updated_at", "time", nullable=False),
    },
    "c.id",
    "+created_at",
)
