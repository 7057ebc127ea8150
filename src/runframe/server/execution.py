"""GraphQL: documents are parsed and validated once, then executed against the schema."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLSchema, execute_sync, parse, validate
from graphql.language import OperationDefinitionNode, OperationType

from runframe.server.context import Context
from runframe.server.errors import Gone, Refusal

_REMEMBERED = 512
_MAX_TOKENS = 20_000
_log = logging.getLogger("runframe.server")


class Executor:
    """Runs GraphQL documents.

    Args:
        schema: the schema with its resolvers.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._documents: OrderedDict[str, DocumentNode] = OrderedDict()
        self._lock = threading.Lock()

    def prepare(self, text: str) -> DocumentNode:
        """The document of a text, parsed and validated; remembered by its text.

        Raises:
            Refusal: the text is not GraphQL, or asks for what the schema does not have; all of it is named.
        """
        with self._lock:
            document = self._documents.get(text)
            if document is not None:
                self._documents.move_to_end(text)
                return document
        try:
            document = parse(text, max_tokens=_MAX_TOKENS)
        except GraphQLError as error:
            raise Refusal(f"The query is not GraphQL: {error.message}") from error
        except RecursionError as error:
            raise Refusal("The query is nested too deep.") from error
        errors = validate(self.schema, document)
        if errors:
            raise Refusal("\n".join(error.message for error in errors))
        with self._lock:
            self._documents[text] = document
            if len(self._documents) > _REMEMBERED:
                self._documents.popitem(last=False)
        return document

    def execute(
        self, document: DocumentNode, variables: Mapping[str, Any], operation: str | None, context: Context
    ) -> dict[str, Any]:
        """The answer to a request, ready to be sent.

        A resolver that refuses or fails leaves null and an entry in "errors".

        Raises:
            Refusal: the operation is not in the document, or a variable does not fit its type.
            Gone: what the request is about is not there any more.
            sqlite3.OperationalError: the store cannot answer now.
        """
        result = execute_sync(
            self.schema,
            document,
            context_value=context,
            variable_values=dict(variables),
            operation_name=operation or None,
        )
        assert isinstance(result, ExecutionResult)
        if result.data is None and result.errors and all(error.path is None for error in result.errors):
            raise Refusal("\n".join(error.message for error in result.errors))
        for error in result.errors or ():
            if isinstance(error.original_error, Gone):
                raise error.original_error
            if isinstance(error.original_error, sqlite3.OperationalError):
                raise error.original_error  # the store is busy or its disk full: the client may ask again
        answer: dict[str, Any] = {"data": result.data}
        if result.errors:
            answer["errors"] = [_shown(error) for error in result.errors]
        return answer


def is_mutation(document: DocumentNode) -> bool:
    """Whether any operation of the document writes."""
    return any(
        isinstance(node, OperationDefinitionNode) and node.operation is not OperationType.QUERY
        for node in document.definitions
    )


def _shown(error: GraphQLError) -> dict[str, Any]:
    cause = error.original_error
    if cause is None or isinstance(cause, Refusal):
        message = cause.message if isinstance(cause, Refusal) else error.message
    else:
        _log.error("A resolver failed at %s", error.path, exc_info=cause)
        message = f"The server failed: {type(cause).__name__}: {cause}"
    return {"message": message, "path": list(error.path or ())}
