"""A page of a connection: edges with cursors, and whether more follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from runframe.server.errors import Refusal

MAX_PAGE = 1000
_DEFAULT_PAGE = 50

Node = TypeVar("Node")


def page_size(first: int | None, default: int = _DEFAULT_PAGE) -> int:
    """How many nodes a page holds: what was asked for, at the most `MAX_PAGE`.

    Raises:
        Refusal: a negative number was asked for.
    """
    if first is None:
        return default
    if first < 0:
        raise Refusal(f"first is {first}, expected a number from 0 on.")
    return min(first, MAX_PAGE)


def connection_of(
    fetch: Callable[[str | None, int], tuple[list[Node], bool]],
    cursor_of: Callable[[Node], str],
    after: str | None,
    first: int | None,
    *,
    node_of: Callable[[Node], Any] = lambda node: node,
) -> dict[str, Any]:
    """A connection's page.

    Args:
        fetch: gives the nodes behind a cursor (or from the beginning), so many at the most, and whether more follow.
        cursor_of: the cursor of a node.
        after: the cursor from the request; the official client sends an empty one too.
        first: the page size from the request.
        node_of: what is answered of a fetched node.
    """
    nodes, more = fetch(after or None, page_size(first))
    edges = [{"node": node_of(node), "cursor": cursor_of(node)} for node in nodes]
    more = more and bool(edges)  # a page of none has no cursor to go on from
    return {"edges": edges, "pageInfo": {"endCursor": edges[-1]["cursor"] if edges else None, "hasNextPage": more}}
