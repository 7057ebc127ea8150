"""Documents that select no more than a scan needs, made from a noun's own document for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListTypeNode,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    print_ast,
    separate_operations,
    visit,
)

from runframe.resources.documents import document
from runframe.wire.documents import Document

KEYS_VARIABLE = "keys"


@lru_cache(maxsize=256)
def projected(
    noun: str,
    operation: str,
    path: tuple[str, ...],
    keep: frozenset[str] | None,
    drop: frozenset[str],
    keyed: str | None = None,
) -> Document:
    """An operation that selects less of each node.

    Args:
        noun: the file that it is in.
        operation: its name.
        path: where the connection is, below the operation.
        keep: the fields of a node that are wanted; None for all.
        drop: the fields of a node that are not.
        keyed: a field of a node that takes ``keys``; the variable is called `KEYS_VARIABLE`.

    Returns:
        The document, under the same name. Where no nodes are found at the path, or nothing is left out, it is the
        operation as it is.
    """
    whole = document(noun, operation)
    if keep is None and not drop and keyed is None:
        return whole
    fragments = {part.name.value: part for part in whole.node.definitions if isinstance(part, FragmentDefinitionNode)}
    root = next(part for part in whole.node.definitions if isinstance(part, OperationDefinitionNode))
    selection = _below(root.selection_set, (*path, "edges", "node"), fragments)
    if selection is None:
        return whole

    def wanted(field: FieldNode) -> bool:
        name = field.name.value
        return name not in drop and (keep is None or name in keep)

    every = list(_fields(selection, fragments))
    fields = [field for field in every if not isinstance(field, FieldNode) or wanted(field)]
    if len(fields) == len(every) and keyed is None:
        return whole
    smaller = SelectionSetNode(selections=tuple(_keyed(field, keyed) for field in fields))
    changed = _replaced(root, selection, smaller, keyed)
    others = tuple(part for part in whole.node.definitions if part is not root)
    made = separate_operations(DocumentNode(definitions=(changed, *others)))[operation]
    return Document(print_ast(_without_unused(made)))


def _without_unused(made: DocumentNode) -> DocumentNode:
    """The document without variables that nothing in it needs any more: servers refuse those."""
    used: set[str] = set()

    class Uses(Visitor):
        def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
            visit(node.value, Names())

        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            for argument in node.arguments or ():
                visit(argument.value, Names())

    class Names(Visitor):
        def enter_variable(self, node: VariableNode, *_: Any) -> None:
            used.add(node.name.value)

    visit(made, Uses())
    definitions = []
    for part in made.definitions:
        if isinstance(part, OperationDefinitionNode):
            kept = tuple(each for each in part.variable_definitions or () if each.variable.name.value in used)
            part = _operation(part, kept, part.selection_set)
        definitions.append(part)
    return DocumentNode(definitions=tuple(definitions))


def _below(
    selection: SelectionSetNode, path: Sequence[str], fragments: dict[str, FragmentDefinitionNode]
) -> SelectionSetNode | None:
    """The selection at a path of fields; None where a step is not a plain field."""
    for step in path:
        found = [
            field
            for field in selection.selections
            if isinstance(field, FieldNode) and (field.alias or field.name).value == step
        ]
        if len(found) != 1 or found[0].selection_set is None:
            return None
        selection = found[0].selection_set
    return selection


def _fields(
    selection: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode]
) -> Iterator[FieldNode | InlineFragmentNode]:
    """The fields of a selection, those of its named fragments among them."""
    for node in selection.selections:
        if isinstance(node, FragmentSpreadNode):
            yield from _fields(fragments[node.name.value].selection_set, fragments)
        elif isinstance(node, (FieldNode, InlineFragmentNode)):
            yield node


def _keyed(node: SelectionNode, keyed: str | None) -> SelectionNode:
    if not isinstance(node, FieldNode) or node.name.value != keyed:
        return node
    variable = VariableNode(name=NameNode(value=KEYS_VARIABLE))
    argument = ArgumentNode(name=NameNode(value="keys"), value=variable)
    return FieldNode(
        alias=node.alias, name=node.name, arguments=(argument,), directives=(), selection_set=node.selection_set
    )


def _replaced(
    root: OperationDefinitionNode, old: SelectionSetNode, new: SelectionSetNode, keyed: str | None
) -> OperationDefinitionNode:
    variables = tuple(root.variable_definitions or ())
    if keyed is not None:
        texts = ListTypeNode(type=NonNullTypeNode(type=NamedTypeNode(name=NameNode(value="String"))))
        variable = VariableNode(name=NameNode(value=KEYS_VARIABLE))
        variables += (VariableDefinitionNode(variable=variable, type=texts, default_value=None, directives=()),)
    return _operation(root, variables, _swapped(root.selection_set, old, new))


def _operation(
    root: OperationDefinitionNode, variables: tuple[VariableDefinitionNode, ...], selection: SelectionSetNode
) -> OperationDefinitionNode:
    return OperationDefinitionNode(
        operation=root.operation,
        name=root.name,
        variable_definitions=variables,
        directives=root.directives,
        selection_set=selection,
    )


def _swapped(selection: SelectionSetNode, old: SelectionSetNode, new: SelectionSetNode) -> SelectionSetNode:
    if selection is old:
        return new
    nodes: list[SelectionNode] = []
    for node in selection.selections:
        if isinstance(node, FieldNode) and node.selection_set is not None:
            inner = _swapped(node.selection_set, old, new)
            node = FieldNode(
                alias=node.alias,
                name=node.name,
                arguments=node.arguments,
                directives=node.directives,
                selection_set=inner,
            )
        nodes.append(node)
    return SelectionSetNode(selections=tuple(nodes))
