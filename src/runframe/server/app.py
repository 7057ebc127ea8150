"""The ASGI app: its routes, and who may use them."""

from __future__ import annotations

from typing import Any

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runframe.server import auth, bodies, stream
from runframe.server.answers import Endpoint, JSONAnswer, answering, unrouted
from runframe.server.artifacts import HANDLER_PATHS, ArtifactStorage
from runframe.server.context import Context
from runframe.server.errors import Refusal
from runframe.server.execution import Executor, is_mutation
from runframe.server.resolvers.schema import schema
from runframe.server.storage import Storage
from runframe.server.store import users
from runframe.server.store.store import Store
from runframe.server.urls import Signer


def create_app(store: Store) -> Starlette:
    """The app over a store."""
    service, storage, artifacts = _Service(store), Storage(store), ArtifactStorage(store)
    routes = [
        _route("/", GET=service.about),
        _route("/graphql", POST=service.graphql),
        _route("/files/{entity}/{project}/{run}/file_stream", POST=service.file_stream),
        _route("/storage/files/{number:int}", GET=storage.download, PUT=storage.upload),
        _route("/storage/history/{number:int}/{digest}.parquet", GET=storage.download_export),
        _route("/storage/artifact-files/{number:int}/{digest}", PUT=artifacts.upload_file),
        _route("/storage/artifact-manifests/{number:int}", PUT=artifacts.upload_manifest),
        _route("/storage/artifact-contents/{digest}/{name:path}", GET=artifacts.download_file),
        _route("/storage/artifacts/{number:int}/wandb_manifest.json", GET=artifacts.download_manifest),
        *(_route(path, GET=artifacts.handle) for path in HANDLER_PATHS),
    ]
    return Starlette(routes=routes, exception_handlers={HTTPException: unrouted})


def _route(path: str, **endpoints: Endpoint) -> Route:
    """One route for all methods of a path, so that a refusal names all of them; GET answers HEAD too."""

    async def endpoint(request: Request) -> Response:
        return await endpoints["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, answering(endpoint), methods=list(endpoints))


class _Service:
    """The endpoints that ask for a key."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._executor = Executor(schema())

    async def about(self, request: Request) -> Response:
        """GET /: what this is; the one answer that asks for no key."""
        return JSONAnswer({"name": "runframe", "graphql": f"{base_url(request)}/graphql"})

    async def graphql(self, request: Request) -> Response:
        """POST /graphql."""
        user = await self._viewer(request)
        text, variables, operation = _graphql_request(await bodies.read_json(request))
        shared = request.headers.get("x-wandb-use-async-filestream", "").lower() == "true"
        signer = Signer(self._store.url_secret, base_url(request))

        def execute() -> dict[str, Any]:
            document = self._executor.prepare(text)
            with self._store.read(snapshot=not is_mutation(document)) as connection:
                context = Context(self._store, connection, user, signer, shared)
                return self._executor.execute(document, variables, operation, context)

        return JSONAnswer(await to_thread.run_sync(execute))

    async def file_stream(self, request: Request) -> Response:
        """POST /files/{entity}/{project}/{run}/file_stream."""
        user = await self._viewer(request)
        body = await bodies.read_json(request)
        entity, project, run = (request.path_params[name] for name in ("entity", "project", "run"))
        client = request.headers.get("x-wandb-async-client-id")
        return JSONAnswer(
            await to_thread.run_sync(stream.take, self._store, user, (entity, project, run), body, client)
        )

    async def _viewer(self, request: Request) -> users.User:
        """Who asks. The body of a stranger is not read."""
        header = request.headers.get("authorization")

        def find() -> users.User:
            with self._store.read() as connection:
                return auth.viewer(connection, header)

        return await to_thread.run_sync(find)


def _graphql_request(body: Any) -> tuple[str, dict[str, Any], str | None]:
    """The text, variables and operation name of a GraphQL request.

    Raises:
        Refusal: the body is no GraphQL request.
    """
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Refusal("The body is no GraphQL request, expected a JSON object with a text 'query'.")
    variables, operation = body.get("variables") or {}, body.get("operationName")
    if not isinstance(variables, dict):
        raise Refusal(f"variables is {type(variables).__name__}, expected a JSON object.")
    if operation is not None and not isinstance(operation, str):
        raise Refusal(f"operationName is {type(operation).__name__}, expected a text.")
    return body["query"], variables, operation


def base_url(request: Request) -> str:
    """Scheme, host and path prefix under which the client reached the server."""
    return str(request.base_url).rstrip("/")
