r"""Column names from the paths of JSON leaves, and back.

Steps are joined by dots. A dot inside a step is written ``\.``, a backslash ``\\``. What JSON allows and a column's
name does not, NUL and half a surrogate pair, is written by its code: ``\{0000}``, ``\{d800}``. So every name can be
turned back into its path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

_SPECIAL = re.compile(r"[\\.\x00\ud800-\udfff]")
_SPECIAL_IN_FIELD = re.compile(r"[\\\x00\ud800-\udfff]")
_TOKEN = re.compile(r"\\\{([0-9a-f]{4})\}|\\(.)|(\.)|([^\\.]+)", re.DOTALL)


def join_path(path: Iterable[str]) -> str:
    r"""The column name of a path: ``("config", "a.b", "c")`` gives ``config.a\.b.c``."""
    return ".".join(_SPECIAL.sub(_escaped, step) for step in path)


def field_name(key: str) -> str:
    """The name of a struct's field: the key, with a dot as it is and all else as in `join_path`."""
    return _SPECIAL_IN_FIELD.sub(_escaped, key)


def split_name(name: str) -> tuple[str, ...]:
    r"""The path of a column name: ``config.a\.b.c`` gives ``("config", "a.b", "c")``.

    A backslash before any other character stands for that character; one at the very end stands for itself.
    """
    steps = [""]
    for code, character, dot, plain in _TOKEN.findall(name):
        if dot:
            steps.append("")
        else:
            steps[-1] += (chr(int(code, 16)) if code else "") + character + plain
    if (len(name) - len(name.rstrip("\\"))) % 2:
        steps[-1] += "\\"
    return tuple(steps)


def path_json(path: Iterable[str]) -> bytes:
    """The path as a JSON list: what a flattened field's metadata holds under ``runframe.path``."""
    return json.dumps(list(path)).encode()


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    return "\\" + character if character in ".\\" else f"\\{{{ord(character):04x}}}"
