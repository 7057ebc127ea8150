"""What every object of the server shares: its fields as attributes.

A field of the node that the server sent is an attribute in two spellings, ``run.createdAt`` and ``run.created_at``.
Assigning makes an ordinary instance attribute, which wins over the field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runframe.progress import notebook_shell


class Node:
    """An object made from one node of an answer.

    Copies, deep copies and pickles work; a copy has fields of its own and the same connection.
    """

    def __init__(self, attrs: Mapping[str, Any]) -> None:
        self._attrs: dict[str, Any] = dict(attrs)

    def display(self, height: int = 420, hidden: bool = False) -> bool:
        """Shows the object's page in a notebook; see `to_html`.

        Returns:
            Whether it was shown: False outside notebooks, and for objects that have no page.
        """
        page = self.to_html(height, hidden)
        if page is None or notebook_shell() is None:
            return False
        from IPython import display

        display.display(display.HTML(page))  # type: ignore[no-untyped-call]
        return True

    def to_html(self, *args: Any, **kwargs: Any) -> str | None:
        """The HTML that shows the object; None where it has no page."""
        return None

    def snake_to_camel(self, string: str) -> str:
        """The field that a Python name stands for: ``created_at`` is ``createdAt``."""
        return camel_case(string)

    def __getattr__(self, name: str) -> Any:
        # Only called when ordinary look-up failed. Unpickling asks before there are fields at all.
        attrs = self.__dict__.get("_attrs")
        if attrs is None or name.startswith("__"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        for key in (camel_case(name), name):
            if key in attrs and key != "user":
                return attrs[key]
        raise AttributeError(f"{repr(self)!r} object has no attribute {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_attrs": dict(self._attrs)}

    def __dir__(self) -> list[str]:
        attrs = self.__dict__.get("_attrs", {})
        spellings = (word for key in attrs for word in (key, snake_case(key)))
        return sorted({*super().__dir__(), *(word for word in spellings if word.isidentifier())})


def camel_case(name: str) -> str:
    """The field that a Python name stands for: ``created_at`` is ``createdAt``."""
    joined = "".join(part.title() for part in name.split("_"))
    return joined[:1].lower() + joined[1:]


def snake_case(field: str) -> str:
    """The Python name of a field: ``createdAt`` is ``created_at``."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in field)
