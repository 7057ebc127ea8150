"""What an object needs of its `Api`: documents go out, data come back, links are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from runframe import __version__
from runframe.errors import ServerError, UsageError
from runframe.resources.documents import document
from runframe.settings import Settings
from runframe.wire.documents import Document
from runframe.wire.pages import Connection, Pages
from runframe.wire.session import Session

USER_AGENT = f"W&B Public Client {__version__} (runframe)"
"""Servers look at how it begins."""


class Client:
    """The connection of one `Api`, as its objects hold it: also `Api.client`.

    It copies as itself (so that copies of a run share its connection) and pickles as its settings.

    Attributes:
        session: sends requests and moves files.
        settings: the settings of the `Api`, the same dict.
        app_url: what links begin with; ends with ``/``.
        open_api: makes another `Api` with the same settings and the same key; None without an `Api`.
    """

    def __init__(self, session: Session, app_url: str, settings: dict[str, Any]) -> None:
        self.session = session
        self.app_url = app_url
        self.settings = settings
        self.open_api: Callable[[], Any] | None = None
        self._viewer_entity: str | None = None
        self._features: frozenset[str] | None = None
        self._arguments: dict[str, dict[str, set[str]]] = {}

    def execute(
        self, document: Any, variable_values: Mapping[str, Any] | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Sends a GraphQL document of your own and returns the answer's `data`.

        Args:
            document: its text, what `gql.gql(…)` makes of it, or a parsed `graphql` document.
            variable_values: its variables.
            timeout: accepted for code written against the official client; the `Api`'s own timeout holds.

        Raises:
            CommError: the server refused it, or could not be reached.
        """
        return self.session.execute(_as_document(document), variable_values)

    def query(self, noun: str, operation: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Sends one of the package's own documents and returns the answer's `data`."""
        return self.session.execute(document(noun, operation), variables)

    def submit(
        self, noun: str, operation: str, variables: Mapping[str, Any], *, retry_timeouts: bool = True
    ) -> Future[dict[str, Any]]:
        """Sends one of the package's own documents; the answer comes later (`wait`).

        With `retry_timeouts=False` an answer that does not come in time is an error at once: what is asked for can be
        asked for in smaller parts.
        """
        return self.session.submit(document(noun, operation), variables, retry_timeouts=retry_timeouts)

    def send(self, document: Document, variables: Mapping[str, Any]) -> Future[dict[str, Any]]:
        """Sends a document that was made from one of the package's own; see `submit`. Not retried after a timeout."""
        return self.session.submit(document, variables, retry_timeouts=False)

    def takes_keys(self, type_name: str, field: str) -> bool:
        """Whether the server can send single keys of a document: asked for once; False where it doesn't say."""
        known = self._arguments.get(type_name)
        if known is None:
            try:
                found = self.query("account", "FieldArguments", {"type": type_name}).get("__type") or {}
            except ServerError:
                found = {}
            known = self._arguments[type_name] = {
                each["name"]: {argument["name"] for argument in each["args"]} for each in found.get("fields") or ()
            }
        return "keys" in known.get(field, ())

    def wait(self, answer: Future[dict[str, Any]]) -> dict[str, Any]:
        """The `data` of an answer that `submit` asked for.

        Raises:
            CommError: the server refused it, or could not be reached.
            UsageError: the session was closed meanwhile.
        """
        try:
            return answer.result()
        except CancelledError:
            raise UsageError(f"the connection with {self.session.base_url} was closed during a request") from None
        except BaseException:
            # Ctrl-C: what nobody waits for is not left running.
            answer.cancel()
            raise

    def pages(self, noun: str, operation: str, variables: Mapping[str, Any], connection: Connection) -> Pages:
        """The pages of a connection that one of the package's own documents asks for."""
        return self.session.pages(document(noun, operation), variables, connection)

    def read(self, url: str) -> bytes:
        """The content behind a file's URL."""
        return self.session.read(url)

    def download(self, url: str, target: Path, *, md5: str | None = None, size: int | None = None) -> Path:
        """Fetches a file to `target`: whole and checked, or not at all."""
        return self.session.download(url, target, md5=md5, size=size)

    def read_range(self, url: str, start: int, stop: int | None = None) -> tuple[bytes, int, int]:
        """Some bytes behind a file's URL, where they begin, and the size of the whole; see `Session.read_range`."""
        return self.session.read_range(url, start, stop)

    def default_entity(self) -> str | None:
        """The entity that is set, else that of whoever the key belongs to, which is asked for once."""
        if given := self.settings.get("entity"):
            return str(given)
        if self._viewer_entity is None:
            viewer = self.query("account", "Viewer", {}).get("viewer") or {}
            self._viewer_entity = viewer.get("entity")
        return self._viewer_entity

    def has_feature(self, name: str) -> bool:
        """Whether the server says that it can do something, such as ``MARK_RUN_FILES_UPLOADED``; asked for once."""
        if self._features is None:
            info = self.query("account", "ServerFeatures", {}).get("serverInfo") or {}
            known = [feature for feature in info.get("features") or [] if feature]
            self._features = frozenset(feature["name"] for feature in known if feature.get("isEnabled"))
        return name in self._features

    def link(self, *parts: str) -> str:
        """The address of a page, each part percent-encoded."""
        return self.app_url + "/".join(quote(part, safe="") for part in parts)

    def __copy__(self) -> Client:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Client:
        return self

    def __repr__(self) -> str:
        return f"<Client {self.app_url}>"


class Connected(Protocol):
    """What has a connection, as an `Api` does."""

    @property
    def client(self) -> Client:
        """The connection."""
        ...


def connect(settings: Settings, options: dict[str, Any], open_app: Callable[[], Any] | None = None) -> Client:
    """A connection to the server that the settings name; nothing is sent yet.

    Args:
        settings: where the server is, and with which key.
        options: the settings by name, as the `Api` shows them.
        open_app: opens the in-process server, where there is one.
    """
    session = Session(
        settings.base_url,
        api_key=settings.api_key,
        timeout=settings.timeout,
        user_agent=USER_AGENT,
        headers=settings.headers,
        proxies=settings.proxies,
        open_app=open_app,
    )
    return Client(session, settings.app_url, options)


def connect_from_environment() -> Client:
    """A connection to the server that the environment and the settings files name.

    Raises:
        UsageError: they name no server that can be reached without an `Api`, or no key.
    """
    settings = Settings.resolve()
    if settings.local_directory is not None:
        raise UsageError(f"{settings.base_url} can only be opened by an Api: pass api=Api()")
    return connect(settings, dict(settings.options))


def _as_document(given: Any) -> Document:
    if isinstance(given, Document):
        return given
    if isinstance(given, str):
        return Document(given)
    from graphql import print_ast

    # gql 4 wraps the parsed document in a request, gql 3 does not.
    return Document(print_ast(getattr(given, "document", given)))
