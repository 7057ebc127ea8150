"""All rooms of sweeps, for the schema."""

from __future__ import annotations

from runframe.server.resolvers.sweeps import agents, runs, sweeps

ROOMS = (sweeps, agents, runs)
