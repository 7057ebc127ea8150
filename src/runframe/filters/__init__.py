"""One small predicate tree, from and to a Mongo dict.

A filter arrives as the dict that `Api.runs` documents, becomes a tree here, and leaves as SQL (the server), as a Mongo
dict (another server) or as a yes or no (`matches`).
"""

from runframe.filters.fields import RUN_FIELDS, Fields, Kind, lookup_in, resolve, resolve_entry, value_at
from runframe.filters.meaning import compare, instant, matches
from runframe.filters.mongo import from_mongo, to_mongo
from runframe.filters.patterns import pattern
from runframe.filters.tree import (
    MISSING,
    Always,
    And,
    Compare,
    FilterError,
    Nor,
    Not,
    Op,
    Or,
    Predicate,
)

__all__ = [
    "MISSING",
    "RUN_FIELDS",
    "Always",
    "And",
    "Compare",
    "Fields",
    "FilterError",
    "Kind",
    "Nor",
    "Not",
    "Op",
    "Or",
    "Predicate",
    "compare",
    "from_mongo",
    "instant",
    "lookup_in",
    "matches",
    "pattern",
    "resolve",
    "resolve_entry",
    "to_mongo",
    "value_at",
]
