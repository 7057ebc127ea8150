"""Every GraphQL document that the client sends: one ``.graphql`` file a noun."""

from __future__ import annotations

from runframe.resources.documents.library import document, operations

__all__ = ["document", "operations"]
