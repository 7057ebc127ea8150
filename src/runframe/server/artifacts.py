"""The bytes of artifacts over HTTP: manifests and files, behind signed URLs or for who has a key."""

from __future__ import annotations

import mimetypes

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import Response

from runframe.server import auth
from runframe.server.errors import Refusal
from runframe.server.storage import attachment, check_signature, receive, send
from runframe.server.store.artifacts import contents, manifests, versions
from runframe.server.store.artifacts.contents import Content
from runframe.server.store.artifacts.manifests import ManifestRow
from runframe.server.store.artifacts.versions import Artifact
from runframe.server.store.blobs import Blob, BlobWriter
from runframe.server.store.store import Store

#: What clients make of a manifest's entry when they have no signed URL for it: newer ones first.
HANDLER_PATHS = (
    "/artifactsV2/{region}/{entity}/{project}/{collection}/{artifact}/{birth}/{digest}/{name:path}",
    "/artifactsV2/{region}/{entity}/{project}/{collection}/{birth}/{digest}/{name:path}",
    "/artifactsV2/{region}/{entity}/{birth}/{digest}",
    "/artifacts/{entity}/{digest}",
)


class ArtifactStorage:
    """The endpoints.

    Args:
        store: the store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    async def upload_file(self, request: Request) -> Response:
        """PUT /storage/artifact-files/{number}/{digest}: the bytes that have this hex MD5."""
        check_signature(self._store, request)
        artifact = await to_thread.run_sync(self._pending, request.path_params["number"])
        md5 = contents.from_hex(request.path_params["digest"])
        return await receive(self._store, request, lambda writer: self._keep_file(writer, artifact.id, md5))

    def _keep_file(self, writer: BlobWriter, artifact_id: int, md5: str | None) -> Blob:
        _compare("file", writer.md5, md5)
        blob = writer.finish()
        with self._store.write() as connection:
            contents.keep(connection, blob, artifact_id)
        return blob

    async def upload_manifest(self, request: Request) -> Response:
        """PUT /storage/artifact-manifests/{number}: the JSON of a manifest that was announced."""
        check_signature(self._store, request)
        row = await to_thread.run_sync(self._manifest, request.path_params["number"])
        return await receive(self._store, request, lambda writer: self._keep_manifest(writer, row))

    def _keep_manifest(self, writer: BlobWriter, row: ManifestRow) -> Blob:
        if row.digest:
            _compare("manifest", writer.md5, row.digest)
        blob = writer.finish()
        if blob.sha256 == row.sha256:  # it came before: the answer was lost on the way
            return blob
        with self._store.write() as connection:
            artifact = versions.by_id(connection, row.artifact_id)
            if artifact is None or artifact.state != versions.PENDING:
                raise Refusal("The artifact is committed or deleted: its manifest stays as it is.", 409)
            manifests.fill(connection, row.id, blob)
        return blob

    async def download_manifest(self, request: Request) -> Response:
        """GET /storage/artifacts/{number}/wandb_manifest.json: the manifest of a committed version."""
        check_signature(self._store, request)
        artifact = await to_thread.run_sync(self._artifact, request.path_params["number"])
        if artifact.manifest_sha256 is None or artifact.manifest_size is None:
            raise Refusal(f"The artifact is {artifact.state}: it has no manifest.", 404)
        return await send(
            self._store,
            request,
            artifact.manifest_sha256,
            artifact.manifest_size,
            "application/json",
            attachment("wandb_manifest.json", artifact.updated_at),
        )

    async def download_file(self, request: Request) -> Response:
        """GET /storage/artifact-contents/{digest}/{name}: the bytes that have this hex MD5."""
        check_signature(self._store, request)
        return await self._send_content(request)

    async def handle(self, request: Request) -> Response:
        """GET /artifactsV2/… and /artifacts/…: the same bytes, for who has a key (API reference 2, section 5.4)."""
        header = request.headers.get("authorization")
        await to_thread.run_sync(self._authorized, header)
        return await self._send_content(request)

    async def _send_content(self, request: Request) -> Response:
        digest, name = request.path_params["digest"], request.path_params.get("name", "")
        content = await to_thread.run_sync(self._content, digest)
        media_type = mimetypes.guess_type(name, strict=False)[0] or "application/octet-stream"
        headers = attachment(name or digest, content.created_at)
        return await send(self._store, request, content.sha256, content.size, media_type, headers)

    def _authorized(self, header: str | None) -> None:
        with self._store.read() as connection:
            auth.viewer(connection, header)

    def _content(self, digest: str) -> Content:
        md5 = contents.from_hex(digest)
        with self._store.read() as connection:
            found = None if md5 is None else contents.find(connection, md5)
        if found is None:
            raise Refusal(f"There is no artifact file with the MD5 {digest!r}.", 404)
        return found

    def _artifact(self, number: int) -> Artifact:
        with self._store.read() as connection:
            found = versions.by_id(connection, number)
        if found is None:
            raise Refusal("There is no such artifact.", 404)
        return found

    def _pending(self, number: int) -> Artifact:
        found = self._artifact(number)
        if found.state == versions.DELETED:
            raise Refusal("The artifact was deleted: nothing can be added to it.", 409)
        return found

    def _manifest(self, number: int) -> ManifestRow:
        with self._store.read() as connection:
            found = manifests.by_id(connection, number)
        if found is None:
            raise Refusal("There is no such manifest.", 404)
        return found


def _compare(what: str, md5: str, expected: str | None) -> None:
    if md5 != expected:
        raise Refusal(f"The {what} that came has the MD5 {md5}, but was announced with {expected}.")
