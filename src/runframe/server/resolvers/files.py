"""The files of runs."""

from __future__ import annotations

from posixpath import normpath
from typing import Any, Protocol

from ariadne import MutationType, ObjectType

from runframe.server import cursors
from runframe.server.context import Info
from runframe.server.resolvers.connections import connection_of
from runframe.server.store import files, ids, runs, upsert
from runframe.server.store.accounts import permissions

mutation = MutationType()
run_type = ObjectType("Run")
file_type = ObjectType("File")


class StoredFile(Protocol):
    """What is answered as a File: a run's, or an artifact's."""

    @property
    def node_id(self) -> str:
        """The id that clients know the file by."""

    def route(self, method: str) -> str | None:
        """The path for GET or PUT below the base; a whole URL elsewhere; None where there is none."""


@run_type.field("fileCount")
def _resolve_count(run: runs.Run, info: Info) -> int:
    context = info.context
    return files.count(context.connection, run.id)


@run_type.field("files")
def _resolve_files(
    run: runs.Run,
    info: Info,
    names: list[str | None] | None = None,
    after: str | None = None,
    first: int | None = None,
    pattern: str | None = None,
) -> dict[str, Any]:
    context = info.context
    # Programs ask for a file as they saved it: `./notes.txt` is kept as `notes.txt`.
    wanted = [form for name in names or () if name is not None for form in dict.fromkeys((name, normpath(name)))]

    def fetch(cursor: str | None, limit: int) -> tuple[list[files.RunFile], bool]:
        point = cursors.decode(cursor, str)
        last = point[0] if point else None
        return files.page(context.connection, run.id, names=wanted, pattern=pattern, after=last, first=limit)

    page = connection_of(fetch, lambda file: cursors.encode(file.name), after, first)
    return page | {"totalCount": files.count(context.connection, run.id)}


@file_type.field("id")
def _resolve_id(file: StoredFile, _: Info) -> str:
    return file.node_id


@file_type.field("url")
def _resolve_url(file: StoredFile, info: Info, upload: bool | None = False) -> str | None:
    return _url(file, info, "PUT" if upload else "GET")


@file_type.field("directUrl")
def _resolve_direct_url(file: StoredFile, info: Info) -> str | None:
    return _url(file, info, "GET")


@file_type.field("uploadUrl")
def _resolve_upload_url(file: StoredFile, info: Info) -> str | None:
    return _url(file, info, "PUT")


def _url(file: StoredFile, info: Info, method: str) -> str | None:
    route = file.route(method)
    return info.context.signer.url(method, route) if route is not None and route.startswith("/") else route


@mutation.field("createRunFiles")
def _resolve_create(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        project = upsert.ensure_project(connection, context.viewer, input["entityName"], input["projectName"])
        run, _inserted = upsert.ensure_run(connection, project, input["runName"], context.viewer, context.store.grace)
        announced = [files.announce(connection, run.id, name) for name in input["files"]]
    return {"runID": ids.encode("Run", run.id), "uploadHeaders": [], "files": announced}


@mutation.field("markRunFilesUploaded")
def _resolve_mark(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    with context.store.write() as connection:
        project = upsert.ensure_project(connection, context.viewer, input["entityName"], input["projectName"])
        run, _inserted = upsert.ensure_run(connection, project, input["runName"], context.viewer, context.store.grace)
        files.commit(connection, run.id, input["files"])
    return {"success": True}


@mutation.field("deleteFiles")
def _resolve_delete(_: None, info: Info, input: dict[str, Any]) -> dict[str, Any]:
    context = info.context
    numbers = [ids.decode("File", file) for file in input["files"]]
    with context.store.write() as connection:
        found = [file for number in numbers if number is not None and (file := files.by_id(connection, number))]
        for run_id in {file.run_id for file in found}:
            permissions.check_run(connection, context.viewer, run_id)
        deleted = files.delete(connection, [file.id for file in found])
    return {"success": deleted == len(numbers)}


file_type.set_alias("displayName", "name")
file_type.set_alias("sizeBytes", "size")
file_type.set_alias("updatedAt", "updated_at")
file_type.set_alias("createdAt", "created_at")
file_type.set_alias("digest", "md5")

BINDABLES = (mutation, run_type, file_type)
