"""The schema with its resolvers."""

from __future__ import annotations

from functools import cache
from importlib.resources import files as package_files

from ariadne import make_executable_schema
from graphql import GraphQLSchema

from runframe.server.resolvers import account, alerts, automations, files, history, projects, replay, runs, scalars
from runframe.server.resolvers.accounts.rooms import ROOMS as ACCOUNT_ROOMS
from runframe.server.resolvers.artifacts.rooms import ROOMS as ARTIFACT_ROOMS
from runframe.server.resolvers.queues.rooms import ROOMS as QUEUE_ROOMS
from runframe.server.resolvers.sweeps.rooms import ROOMS as SWEEP_ROOMS
from runframe.server.resolvers.views.rooms import ROOMS as VIEW_ROOMS


@cache
def schema_text() -> str:
    """The SDL of the protocol: the files of ``server/schema``, one a noun, in the order of their names."""
    folder = package_files("runframe.server") / "schema"
    nouns = sorted((file for file in folder.iterdir() if file.name.endswith(".graphql")), key=lambda file: file.name)
    return "\n".join(noun.read_text(encoding="utf-8") for noun in nouns)


@cache
def schema() -> GraphQLSchema:
    """The executable schema; the same object at each call."""
    nouns = (*ARTIFACT_ROOMS, *ACCOUNT_ROOMS, *SWEEP_ROOMS, *VIEW_ROOMS, *QUEUE_ROOMS)
    rooms = (account, projects, runs, history, files, alerts, automations, replay, *nouns)
    return make_executable_schema(
        schema_text(), *scalars.BINDABLES, *(item for room in rooms for item in room.BINDABLES)
    )
