"""What clients called artifacts before a server had named them: values of runs hold such names."""

from __future__ import annotations

import re
import threading
from collections import defaultdict

from runframe.export.clone.ends import End

_SCHEME = "wandb-client-artifact://"
_NAME = re.compile(rf"{_SCHEME}([\w-]+)")


class ClientNames:
    """The names that were found, and what they mean on the source; threads share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: set[str] = set()
        self._meanings: dict[str, list[str]] = defaultdict(list)

    def note(self, text: str) -> bool:
        """Takes the names out of a JSON text; whether it holds any."""
        if _SCHEME not in text:
            return False
        found = _NAME.findall(text)
        with self._lock:
            self._found.update(found)
        return bool(found)

    def resolve(self, source: End) -> None:
        """Asks the source what they mean."""
        for name in sorted(self._found):
            meant = meaning(source, name)
            if meant is not None:
                self._meanings[meant].append(name)

    def of(self, node_id: str) -> list[str]:
        """What clients called a version or a sequence, by the id that the source has for it."""
        return self._meanings.get(node_id, [])


def meaning(end: End, name: str) -> str | None:
    """The id that a server has for what a client called so; None where it knows no such name."""
    found = end.client.query("artifacts", "ClientIDMapping", {"clientID": name}).get("clientIDMapping") or {}
    return found.get("serverID")
