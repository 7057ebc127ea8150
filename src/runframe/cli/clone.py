"""`runframe clone`: a project, or one run, replayed into another server."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runframe.cli.options import connect
from runframe.errors import UsageError
from runframe.settings import Settings

if TYPE_CHECKING:
    from runframe.api import Api

_OF_THE_ENVIRONMENT = ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE")

From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="URL",
        help="The server that it is on: an address, or local:DIR. Else WANDB_BASE_URL, then the settings files.",
    ),
]
To = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="URL",
        help="The server that it goes to: an address, or local:DIR (made). Else the same one.",
    ),
]
FromKey = Annotated[
    str | None,
    typer.Option("--from-key", metavar="KEY", envvar="RUNFRAME_FROM_KEY", help="Its key. Else as other commands do."),
]
ToKey = Annotated[
    str | None,
    typer.Option("--to-key", metavar="KEY", envvar="RUNFRAME_TO_KEY", help="Its key. Else as other commands do."),
]


def clone(
    source: Annotated[
        str, typer.Argument(metavar="SRC", help="entity/project, or entity/project/run. May be SERVER::entity/project.")
    ],
    target: Annotated[
        str | None,
        typer.Argument(metavar="[DST]", help="entity/project there; the same as SRC unless given. Or SERVER::…."),
    ] = None,
    from_: From = None,
    to: To = None,
    from_key: FromKey = None,
    to_key: ToKey = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Delete runs there that are other runs with the same ids.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> int:
    """Replay a project, or one run, into another server; say what did not survive. May be stopped and started again."""
    source_url, path = _place(source, from_, "--from")
    target_url, wanted = _place(target or "", to, "--to")
    if not path:
        raise UsageError(f"{source!r} names no project: entity/project or entity/project/run was expected")
    entity, project = _project(wanted)
    _make_store(target_url)
    with (
        _open(source_url, from_key, target_url, "from") as here,
        _open(target_url or source_url, to_key or (None if target_url else from_key), source_url, "to") as there,
    ):
        report = here.clone(
            path, to=there, project=project, entity=entity, overwrite=overwrite, progress=False if quiet else None
        )
    typer.echo(json.dumps(report.to_dict(), indent=2, ensure_ascii=False) if as_json else str(report))
    return 0 if report.complete else 1


def _place(text: str, server: str | None, option: str) -> tuple[str | None, str]:
    """The server and the path that an argument and its option name.

    Raises:
        UsageError: both name a server.
    """
    before, colons, path = text.partition("::")
    if not colons:
        is_server = text.startswith(("local:", "http://", "https://"))
        before, path = (text, "") if is_server else ("", text)
    if before and server:
        raise UsageError(f"{option} {server} and {text!r} both name a server: leave one of them out")
    return before or server, path


def _project(text: str) -> tuple[str | None, str | None]:
    """Entity and project of the target; None for those of the source."""
    parts = [part for part in text.split("/") if part]
    if len(parts) > 2:
        raise UsageError(f"{text!r} is no project: entity/project or project was expected; runs keep their ids")
    if not parts:
        return None, None
    return (None, parts[0]) if len(parts) == 1 else (parts[0], parts[1])


def _open(url: str | None, key: str | None, other: str | None, which: str) -> Api:
    """One end. The key of the environment goes to the server of the environment alone where there are two servers.

    Raises:
        UsageError: there is no key for it.
    """
    if not key and url and other and not (_is_local(url) or _is_local(other)):
        environ = {name: value for name, value in os.environ.items() if name not in _OF_THE_ENVIRONMENT}
        # A key that cannot be missed: only the address is asked for.
        own = Settings.resolve(api_key="A" * 40, environ=environ).base_url
        if url.rstrip("/") != own:
            try:
                key = Settings.resolve({"base_url": url}, environ=environ).api_key
            except UsageError:
                raise UsageError(
                    f"no API key for {url}: give --{which}-key, set RUNFRAME_{which.upper()}_KEY, or add it to netrc "
                    f"(WANDB_API_KEY is taken for {own})"
                ) from None
    return connect(url, key)


def _make_store(url: str | None) -> None:
    """A store in the folder that a clone goes to, where there is none yet."""
    folder = Path(url.removeprefix("local:")).expanduser() if url and _is_local(url) else None
    if folder is not None and not folder.exists():
        from runframe.server import open_local

        open_local(folder).close()


def _is_local(url: str) -> bool:
    return url.startswith("local:")
