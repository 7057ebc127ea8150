"""JSON that clients send as text."""

from __future__ import annotations

from typing import Any

from runframe import extjson
from runframe.server.errors import Refusal


def value_of(text: str, what: str) -> Any:
    """The value of a JSON text.

    Args:
        text: the text.
        what: what it is, for the message.

    Raises:
        Refusal: it is not JSON.
    """
    try:
        return extjson.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refusal(f"{what} is not JSON: {error}.") from error


def object_of(text: str, what: str) -> dict[str, Any]:
    """The object of a JSON text.

    Args:
        text: the text.
        what: what it is, for the message.

    Raises:
        Refusal: it is not JSON, or no object.
    """
    value = value_of(text, what)
    if not isinstance(value, dict):
        raise Refusal(f"{what} is {type(value).__name__}, expected a JSON object.")
    return value
