"""Making things as they were on another server: what no other operation can set."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from runframe.server.errors import Refusal
from runframe.server.store import runs, times
from runframe.server.store.artifacts import collections, memberships, versions
from runframe.server.store.artifacts.collections import Collection
from runframe.server.store.artifacts.versions import Artifact
from runframe.server.store.states import STATES

_MOST = (1 << 31) - 1
_TIMES = {"createdAt": "created_at", "updatedAt": "updated_at", "heartbeatAt": "heartbeat_at"}

Table = Literal["projects", "runs", "sweeps", "views", "artifacts", "artifact_collections"]


def given_times(fields: Mapping[str, Any]) -> dict[str, str]:
    """The columns that the times among some fields stand for.

    Raises:
        Refusal: a time is none.
    """
    found = {column: (name, fields.get(name)) for name, column in _TIMES.items()}
    return {column: _time(value, name) for column, (name, value) in found.items() if value is not None}


def set_columns(connection: sqlite3.Connection, table: Table, number: int, values: Mapping[str, Any]) -> None:
    """Set columns of a row, and none that were not asked for."""
    if values:
        assignments = ", ".join(f"{column} = ?" for column in values)
        connection.execute(f"UPDATE {table} SET {assignments} WHERE id = ?", (*values.values(), number))


def replay_run(connection: sqlite3.Connection, run_id: int, fields: Mapping[str, Any]) -> None:
    """Set a run's times, its state and the times of its files.

    Raises:
        Refusal: a time or state is none.
    """
    values: dict[str, Any] = dict(given_times(fields))
    state = fields.get("state")
    if state is not None:
        if state not in STATES:
            raise Refusal(f"state is {state!r}, expected one of {', '.join(sorted(STATES))}.")
        # What was said to go on is silent since its last heartbeat, and so on.
        values |= {"state": "running" if state == "preempting" else state, "preempting": int(state == "preempting")}
    if fields.get("exitcode") is not None:
        values["exit_code"] = fields["exitcode"]
    runs.change(connection, run_id, values, touch=False)
    connection.executemany(
        "UPDATE files SET updated_at = ? WHERE run_id = ? AND name = ?",
        [(_time(file["updatedAt"], "updatedAt"), run_id, file["name"]) for file in fields.get("files") or ()],
    )


def replay_artifact(connection: sqlite3.Connection, artifact: Artifact, fields: Mapping[str, Any]) -> None:
    """Set a version's times, its hash, the run that made it, the names that clients had for it, and its numbers.

    Raises:
        Refusal: a time is none, there is no such run, the version is not in a collection, or its number there is
            another version's.
    """
    for name in fields.get("clientIDs") or ():
        _name(connection, artifact, name.get("clientID"), name.get("sequenceClientID"))
    for membership in fields.get("memberships") or ():
        _number(connection, artifact, membership)
    values: dict[str, Any] = dict(given_times(fields))
    if fields.get("runName"):
        values["run_id"] = _maker(connection, artifact, fields["runName"])
    if fields.get("commitHash"):
        values["commit_hash"] = fields["commitHash"]
    set_columns(connection, "artifacts", artifact.id, values)


def _name(connection: sqlite3.Connection, artifact: Artifact, version: str | None, sequence: str | None) -> None:
    if version:
        versions.name_for_client(connection, artifact.id, version, sequence)
    elif sequence:
        # A sequence is known by what the clients of its versions called it.
        versions.name_for_client(connection, artifact.id, f"{sequence}:latest", sequence)


def _number(connection: sqlite3.Connection, artifact: Artifact, wanted: Mapping[str, Any]) -> None:
    """Give a version the number that it is to have in a collection."""
    collection, index = _collection(connection, artifact, wanted["artifactCollectionName"]), wanted["versionIndex"]
    found = memberships.find(connection, collection.id, artifact.id)
    if found is None:
        raise Refusal(f"The artifact is {artifact.state} and not in {collection.name!r}: it has no number there.", 404)
    if not 0 <= index <= _MOST:
        raise Refusal(f"versionIndex is {index}, expected a number from 0 on.")
    if index != found.version_index:
        _renumber(connection, collection, found, index)
        if collection.id == artifact.sequence_id:
            set_columns(connection, "artifacts", artifact.id, {"version_index": index})
    if wanted.get("createdAt") is not None:
        moment = _time(wanted["createdAt"], "createdAt")
        connection.execute("UPDATE artifact_memberships SET created_at = ? WHERE id = ?", (moment, found.id))


def _renumber(
    connection: sqlite3.Connection, collection: Collection, found: memberships.Membership, index: int
) -> None:
    try:
        connection.execute("UPDATE artifact_memberships SET version_index = ? WHERE id = ?", (index, found.id))
        connection.execute(
            "UPDATE artifact_aliases SET alias = ? WHERE membership_id = ? AND alias = ?",
            (f"v{index}", found.id, f"v{found.version_index}"),
        )
    except sqlite3.IntegrityError as error:
        raise Refusal(f"{collection.name}:v{index} is another version already.", 409) from error
    # The number that was just given out is free again; the next one follows the highest.
    free = collection.next_index - (found.version_index == collection.next_index - 1)
    connection.execute(
        "UPDATE artifact_collections SET next_index = ? WHERE id = ?", (max(free, index + 1), collection.id)
    )


def _maker(connection: sqlite3.Connection, artifact: Artifact, name: str) -> int:
    sequence = collections.by_id(connection, artifact.sequence_id)
    assert sequence is not None
    row = connection.execute(
        "SELECT id FROM runs WHERE project_id = ? AND name = ?", (sequence.project_id, name)
    ).fetchone()
    if row is None:
        raise Refusal(f"There is no run {name!r} in the artifact's project.", 404)
    return int(row["id"])


def _collection(connection: sqlite3.Connection, artifact: Artifact, name: str) -> Collection:
    sequence = collections.by_id(connection, artifact.sequence_id)
    assert sequence is not None
    found = collections.find(connection, sequence.project_id, name)
    if found is None:
        raise Refusal(f"There is no artifact collection {name!r} in the artifact's project.", 404)
    return found


def _time(value: Any, name: str) -> str:
    try:
        return times.stored(datetime.fromisoformat(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise Refusal(f"{name} is {value!r}, expected an ISO-8601 time.") from error
