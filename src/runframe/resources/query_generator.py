"""The filters and orders of reports, from and to what the server is asked with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from runframe.errors import UsageError

SECTIONS = {"config": "config.", "summary": "summary_metrics.", "keys_info": "keys_info.keys.", "tags": "tags."}
"""What a key's section adds to its name; a key of the section `run` is the name alone."""

RUN_COLUMNS = frozenset({"createdAt", "updatedAt", "name", "sweep"})
"""Keys of an order that are a run's own columns, not metrics."""


class QueryError(UsageError, ValueError, KeyError):
    """A key, operator or part of a report that cannot be asked for; the message says what was expected."""

    def __str__(self) -> str:
        return self.message


class QueryGenerator:
    """Translates between the filters and orders of reports and those of `Api.runs`.

    A report's **key** is ``{"section": "config", "name": "lr"}``; the sections are `run`, `config`, `summary`,
    `keys_info` and `tags`. The server's **path** of that key is ``config.lr``. A report's **filter** is a leaf,
    ``{"key": …, "op": "=", "value": …, "disabled": False}``, or a group, ``{"op": "AND", "filters": […]}``.

    Attributes:
        INDIVIDUAL_OP_TO_MONGO, MONGO_TO_INDIVIDUAL_OP: the operators of leaves; ``=`` has none in MongoDB's form.
        GROUP_OP_TO_MONGO, MONGO_TO_GROUP_OP: those of groups.
    """

    INDIVIDUAL_OP_TO_MONGO: ClassVar[dict[str, str]] = {
        "!=": "$ne",
        "<": "$lt",
        "<=": "$lte",
        ">": "$gt",
        ">=": "$gte",
        "IN": "$in",
        "NIN": "$nin",
        "REGEX": "$regex",
    }
    MONGO_TO_INDIVIDUAL_OP: ClassVar[dict[str, str]] = {mongo: op for op, mongo in INDIVIDUAL_OP_TO_MONGO.items()}
    GROUP_OP_TO_MONGO: ClassVar[dict[str, str]] = {"AND": "$and", "OR": "$or"}
    MONGO_TO_GROUP_OP: ClassVar[dict[str, str]] = {mongo: op for op, mongo in GROUP_OP_TO_MONGO.items()}

    @classmethod
    def format_order_key(cls, key: str) -> str | None:
        """An order as the server takes it: ``loss`` becomes ``-summary_metrics.loss``.

        Args:
            key: a metric, or a path that begins with `config`, `summary_metrics` or `tags`; with ``+`` (ascending) or
                ``-`` before it, else ``-``.

        Returns:
            The order; None for `createdAt`, `updatedAt`, `name` and `sweep` alone, as the official client has it.
        """
        sign, path = (key[0], key[1:]) if key[:1] in ("+", "-") else ("-", key)
        first, dot, _ = path.partition(".")
        if dot and first in ("config", "summary_metrics", "tags"):
            return sign + path
        return None if path in RUN_COLUMNS else f"{sign}summary_metrics.{path}"

    def key_to_server_path(self, key: Mapping[str, Any]) -> str:
        """The server's path of a report's key.

        Raises:
            QueryError: (also a ValueError) there is no such section.
        """
        section, name = key["section"], str(key["name"])
        if section == "run":
            return name
        if section not in SECTIONS:
            raise QueryError(f"Invalid key: {dict(key)}; its section must be run, {', '.join(SECTIONS)}")
        return SECTIONS[section] + name

    def server_path_to_key(self, path: str) -> dict[str, str]:
        """The report's key of a server's path."""
        for section, prefix in SECTIONS.items():
            if path.startswith(prefix):
                return {"section": section, "name": path.removeprefix(prefix)}
        return {"section": "run", "name": path}

    def keys_to_order(self, keys: Mapping[str, Any]) -> list[str]:
        """The orders that a report's sorting stands for.

        Args:
            keys: ``{"keys": [{"key": …, "ascending": True}]}``.
        """
        return [("+" if each.get("ascending") else "-") + self.key_to_server_path(each["key"]) for each in keys["keys"]]

    def order_to_keys(self, order: Iterable[str]) -> dict[str, Any]:
        """A report's sorting that stands for some orders; all keys are of the section `run`.

        Raises:
            QueryError: an order has no sign.
        """
        return {"keys": [self._order_to_key(each) for each in order]}

    def _order_to_key(self, order: str) -> dict[str, Any]:
        if order[:1] not in ("+", "-"):
            raise QueryError(f"the order {order!r} must begin with + (ascending) or - (descending)")
        return {"key": {"section": "run", "name": order[1:]}, "ascending": order[0] == "+"}

    def filter_to_mongo(self, filter: Mapping[str, Any]) -> dict[str, Any] | None:
        """A report's filter in MongoDB's form.

        Returns:
            The filter; None for a leaf that says nothing: its name is empty, it is disabled, or it compares with
            nothing at all. Such a None also stands in the list of a group.

        Raises:
            QueryError: (also a KeyError) there is no such operator or section.
        """
        if filter.get("key") is not None:
            return self._leaf_to_mongo(filter)
        if filter.get("filters") is None:
            return None
        operator = self._known(self.GROUP_OP_TO_MONGO, filter["op"])
        return {operator: [self.filter_to_mongo(each) for each in filter["filters"]]}

    def _leaf_to_mongo(self, leaf: Mapping[str, Any]) -> dict[str, Any] | None:
        key, op, value = leaf["key"], leaf["op"], leaf.get("value")
        if key["name"] == "" or leaf.get("disabled") or (value is None and op not in ("=", "!=")):
            return None
        if key["section"] == "tags":
            return self._tags_to_mongo(key["name"], op, value)
        path = self.key_to_server_path(key)
        return {path: value if op == "=" else {self._known(self.INDIVIDUAL_OP_TO_MONGO, op): value}}

    @staticmethod
    def _tags_to_mongo(name: str, op: str, value: Any) -> dict[str, Any]:
        if op == "IN":
            return {"tags": {"$in": value}}
        if value is False:
            return {"$or": [{"tags": None}, {"tags": {"$ne": name}}]}
        return {"tags": name}

    def mongo_to_filter(self, filter: Mapping[str, Any] | None) -> dict[str, Any] | None:
        """A filter in MongoDB's form as a report's.

        Only the first ``$and`` or ``$or`` counts, or, where there is none, the first key with its first operator.

        Raises:
            QueryError: (also a KeyError) reports have no such operator.
        """
        if not filter:
            return None
        for operator, parts in filter.items():
            if operator in self.MONGO_TO_GROUP_OP:
                return {
                    "op": self.MONGO_TO_GROUP_OP[operator],
                    "filters": [self.mongo_to_filter(part) for part in parts],
                }
        path, value = next(iter(filter.items()))
        op = "="
        if isinstance(value, Mapping):
            operator, value = next(iter(value.items()))
            op = self._known(self.MONGO_TO_INDIVIDUAL_OP, operator)
        return {"key": self.server_path_to_key(path), "op": op, "value": value}

    @staticmethod
    def _known(operators: Mapping[str, str], operator: str) -> str:
        if operator not in operators:
            raise QueryError(f"there is no operator {operator!r}: expected {', '.join(operators)}")
        return operators[operator]


def best_order(key: str) -> str:
    """The order of a metric or a run's own column, for the server."""
    found = QueryGenerator.format_order_key(key)
    return found or (key if key[:1] in ("+", "-") else f"-{key}")
