"""All rooms of views, for the schema."""

from __future__ import annotations

from runframe.server.resolvers.views import charts, views

ROOMS = (views, charts)
