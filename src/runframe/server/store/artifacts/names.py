"""What collections, types, aliases and tags may be called, and names with a version: ``collection:alias``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from runframe.server.errors import Refusal

LATEST = "latest"
_MAX_LENGTH = 128
_VERSION = re.compile(r"v(0|[1-9][0-9]*)", re.ASCII)
_PLAIN = re.compile(r"[^/:\x00-\x1f]+")
_TAG = re.compile(r"[-\w]+( +[-\w]+)*")


def is_version(alias: str) -> bool:
    """Whether an alias is a version's number, such as ``v3``: the server gives these, nobody can move them."""
    return _VERSION.fullmatch(alias) is not None


def check(kind: str, name: str) -> str:
    """The name, if a collection or type may be called so.

    Raises:
        Refusal: it is empty or longer than 128, or holds a slash, a colon or a control character.
    """
    if len(name) > _MAX_LENGTH or _PLAIN.fullmatch(name) is None:
        raise Refusal(
            f"{name!r} cannot be the name of an artifact {kind}: "
            f"expected 1 to {_MAX_LENGTH} characters, no '/', no ':'."
        )
    return name


def check_alias(alias: str) -> str:
    """The alias, if users may give it.

    Raises:
        Refusal: it is empty or longer than 128, holds a slash or a colon, or is a version's number.
    """
    if len(alias) > _MAX_LENGTH or _PLAIN.fullmatch(alias) is None:
        raise Refusal(f"{alias!r} cannot be an alias: expected 1 to {_MAX_LENGTH} characters, no '/', no ':'.")
    if is_version(alias):
        raise Refusal(f"{alias!r} cannot be given as an alias: it is the number of a version.")
    return alias


def check_tags(tags: Iterable[str]) -> list[str]:
    """The tags, each once.

    Raises:
        Refusal: one is no row of words (letters, digits, ``_``, ``-``) with spaces between them, or is too long.
    """
    unique = list(dict.fromkeys(tags))
    for tag in unique:
        if len(tag) > _MAX_LENGTH or _TAG.fullmatch(tag) is None:
            raise Refusal(f"Invalid tag {tag!r}: expected words of letters, digits, '_' and '-' with spaces between.")
    return unique


def split(name: str) -> tuple[str, str | None]:
    """A collection's name and the alias behind the first colon; None where there is no colon."""
    collection, colon, alias = name.partition(":")
    return collection, alias if colon else None
