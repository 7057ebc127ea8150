"""A run's summary: a dict-like face on the document, written back only when asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, KeysView, Mapping
from typing import Any

from runframe.resources.values import to_json_value


class MissingKeyError(KeyError, AttributeError):
    """The summary has no such key; answers to `summary[key]` and `summary.key` alike."""


class SummaryPart:
    """An object inside a summary: items by key or by attribute. Writes go to the run's summary.

    `run.summary["loss"] = 1` changes the local copy; `run.summary.update()` or `run.update()` sends all of it.
    """

    _json_dict: dict[str, Any]
    _root: HTTPSummary

    def __init__(self, document: dict[str, Any], root: HTTPSummary) -> None:
        object.__setattr__(self, "_json_dict", document)
        object.__setattr__(self, "_root", root)

    def keys(self) -> KeysView[str]:
        """The keys, in the order of the document."""
        return self._json_dict.keys()

    def values(self) -> Iterator[Any]:
        """The values, in the order of the document."""
        return (self[key] for key in self.keys())

    def items(self) -> Iterator[tuple[str, Any]]:
        """Pairs of key and value, in the order of the document."""
        return ((key, self[key]) for key in self.keys())

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or `default`."""
        try:
            return self[key]
        except MissingKeyError:
            return default

    def update(self, mapping: Mapping[str, Any] | None = None, overwrite: bool = True) -> None:
        """Merges `mapping` in at this level and sends the run's whole summary to the server.

        Args:
            mapping: new values; a dict among them replaces the one that is there.
            overwrite: False keeps what was assigned earlier on this object.

        Raises:
            TypeError: a value has no JSON form; nothing is changed or sent.
            CommError: the server refused it.
        """
        converted = {_stripped(key): to_json_value(value) for key, value in (mapping or {}).items()}
        for key, value in converted.items():
            if overwrite or key not in self._root._assigned_in(self):
                self._json_dict[key] = value
        self._root._send()

    def __getitem__(self, key: str) -> Any:
        key = _stripped(key)
        if key not in self._json_dict:
            raise MissingKeyError(key)
        value = self._json_dict[key]
        return SummaryPart(value, self._root) if isinstance(value, dict) else value

    def __setitem__(self, key: str, value: Any) -> None:
        key = _stripped(key)
        self._json_dict[key] = to_json_value(value)
        self._root._assigned_in(self).add(key)

    def __delitem__(self, key: str) -> None:
        key = _stripped(key)
        if key not in self._json_dict:
            raise MissingKeyError(key)
        del self._json_dict[key]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        del self[name]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and _stripped(key) in self._json_dict

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self._json_dict)

    def __repr__(self) -> str:
        return repr(self._json_dict)


class HTTPSummary(SummaryPart):
    """The summary of a run (named as in the official client).

    Args:
        document: the summary as plain nested dicts; the same object as `run.summary_metrics`, changed in place.
        send: sends the whole document to the server.
    """

    _send: Callable[[], None]

    def __init__(self, document: dict[str, Any], send: Callable[[], None]) -> None:
        super().__init__(document, self)
        object.__setattr__(self, "_send", send)
        object.__setattr__(self, "_assigned", {})

    def _assigned_in(self, part: SummaryPart) -> set[str]:
        """The keys that were assigned on that part, through whichever of its proxies."""
        assigned: dict[int, set[str]] = self._assigned
        return assigned.setdefault(id(part._json_dict), set())


def _stripped(key: str) -> str:
    return key.strip() if isinstance(key, str) else key
