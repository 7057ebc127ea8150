"""HTTP and GraphQL: everything that goes over the wire, and nothing of what it means."""

from .documents import Document
from .http import Limits
from .pages import Connection, Page, Pages, Tally
from .session import Session
from .transfer import Download

__all__ = ["Connection", "Document", "Download", "Limits", "Page", "Pages", "Session", "Tally"]
