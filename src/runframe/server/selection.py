"""What a GraphQL request selects below the field that is being resolved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from runframe.server.context import Info


def selects(info: Info, names: Iterable[str]) -> bool:
    """Whether a field of one of these names is selected anywhere below."""
    wanted = frozenset(names)
    return any(name in wanted for node in info.field_nodes for name in _names(info, node.selection_set))


def _names(info: Info, selection: SelectionSetNode | None) -> Iterator[str]:
    if selection is None:
        return
    for node in selection.selections:
        if isinstance(node, FieldNode):
            yield node.name.value
            yield from _names(info, node.selection_set)
        elif isinstance(node, InlineFragmentNode):
            yield from _names(info, node.selection_set)
        elif isinstance(node, FragmentSpreadNode):
            yield from _names(info, info.fragments[node.name.value].selection_set)
