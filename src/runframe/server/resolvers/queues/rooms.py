"""All rooms of launch queues, for the schema."""

from __future__ import annotations

from runframe.server.resolvers.queues import items, launch_agents, queues

ROOMS = (queues, items, launch_agents)
