"""Options that several subcommands share, and the `Api` that they open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from runframe.api import Api

BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="The server: an address, or local:DIR for a folder. Else WANDB_BASE_URL, then the settings files.",
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option("--api-key", metavar="KEY", help="The key. Else WANDB_API_KEY, then netrc; local:DIR needs none."),
]
StoreDir = Annotated[
    Path, typer.Option("--dir", metavar="DIR", help="The folder of the local store; made where there is none.")
]


def connect(base_url: str | None, api_key: str | None) -> Api:
    """The `Api` of one command; settings that are not given are resolved as `Api()` does it.

    Raises:
        SettingsError: a setting is missing or malformed.
        AuthenticationError: the key is missing or malformed.
    """
    from runframe.api import Api

    return Api({"base_url": base_url} if base_url else None, api_key=api_key)
