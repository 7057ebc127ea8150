"""The filters and orders that clients send, as SQL over the runs table."""

from __future__ import annotations

from typing import Any

from runframe import extjson
from runframe.filters import FilterError, from_mongo
from runframe.server.errors import Refusal
from runframe.server.store import filter_sql, order_sql
from runframe.server.store.fragments import Fragment
from runframe.server.store.run_columns import run_columns
from runframe.server.store.states import Grace


def condition(filters: str | None, grace: Grace) -> Fragment:
    """The condition that a filter document states; all runs where there is none.

    Raises:
        Refusal: the text is no filter; the message names the key or operator that is not known.
    """
    try:
        return filter_sql.where(from_mongo(_document(filters)), run_columns(grace))
    except (FilterError, RecursionError) as error:
        raise Refusal(f"filters: {error}.") from error


def order(text: str | None, grace: Grace) -> order_sql.Order:
    """The order that a text like ``+created_at`` or ``-summary_metrics.loss`` asks for.

    Raises:
        Refusal: runs have no such key, or it has no order.
    """
    try:
        return order_sql.order(text, run_columns(grace), "r.id")
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
