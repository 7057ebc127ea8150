"""A GraphQL document: parsed once, printed once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphql import DocumentNode

__all__ = ["Document"]


class Document:
    """A GraphQL document with one operation, parsed and checked for syntax when it is made.

    Attributes:
        text: the document as it is sent.
        name: the operation's name; "anonymous" where it has none.
        node: the parsed document.
        is_mutation: whether the operation changes something.

    Raises:
        ValueError: the text is not GraphQL, or has not exactly one operation.
    """

    __slots__ = ("encoded", "is_mutation", "name", "node", "text")

    def __init__(self, text: str) -> None:
        from graphql import GraphQLSyntaxError, OperationDefinitionNode, OperationType, parse

        try:
            node = parse(text, no_location=True)
        except GraphQLSyntaxError as error:
            raise ValueError(f"not a GraphQL document: {error.message}\n{text}") from error
        operations = [part for part in node.definitions if isinstance(part, OperationDefinitionNode)]
        if len(operations) != 1:
            raise ValueError(f"a document holds one operation; {len(operations)} were found in:\n{text}")
        self.text = text
        self.node: DocumentNode = node
        name = operations[0].name
        self.name: str = "anonymous" if name is None else name.value
        self.is_mutation: bool = operations[0].operation is OperationType.MUTATION
        called = f'"operationName":{json.dumps(name.value)},' if name is not None else ""
        self.encoded: bytes = f'{{{called}"query":{json.dumps(text)}'.encode()

    def __repr__(self) -> str:
        return f"Document({self.name})"

    def __reduce__(self) -> tuple[type[Document], tuple[str]]:
        return Document, (self.text,)

    def body(self, variables: dict[str, Any] | None) -> bytes:
        """The body of a request: JSON with `query`, `variables` and, where it has one, `operationName`.

        Raises:
            ValueError: a variable is NaN or infinite, for which strict JSON has no form.
            TypeError: a variable has no JSON form at all.
        """
        if not variables:
            return self.encoded + b"}"
        given = json.dumps(variables, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return self.encoded + b',"variables":' + given.encode() + b"}"
