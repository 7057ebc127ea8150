"""All rooms of accounts, for the schema."""

from __future__ import annotations

from runframe.server.resolvers.accounts import teams, users

ROOMS = (users, teams)
