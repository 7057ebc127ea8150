"""The ``.graphql`` files beside this module, one document an operation.

A file holds several operations and the fragments that they share. A request carries one operation, so each is cut out
with the fragments that it uses, and parsed once in the life of the process.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from graphql import parse, print_ast, separate_operations

from runframe.wire.documents import Document

FOLDER = Path(__file__).parent


def document(noun: str, operation: str) -> Document:
    """The document of one operation: ``document("runs", "Run")``.

    Raises:
        KeyError: the file of that noun holds no such operation.
    """
    return operations(noun)[operation]


@cache
def operations(noun: str) -> dict[str, Document]:
    """All operations of one file, by name.

    Raises:
        FileNotFoundError: there is no file of that noun.
    """
    text = (FOLDER / f"{noun}.graphql").read_text(encoding="utf-8")
    return {name: Document(print_ast(cut)) for name, cut in separate_operations(parse(text)).items()}
