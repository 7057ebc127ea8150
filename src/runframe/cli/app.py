"""The command and its subcommands, and what becomes of an error: one line on stderr and an exit status.

| status | meaning |
|---|---|
| 0 | done |
| 1 | done in part: what is missing was said |
| 2 | not done: a wrong call, a wrong key, no answer, no such project, a target that holds something else |
| 130, 143 | ended by Ctrl-C, by SIGTERM |
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, NoReturn

import typer

from runframe import __version__
from runframe.cli import clone, compact, demo, export, imports, listing, serve, users
from runframe.cli.output import say
from runframe.errors import Error

# click's UsageError, wherever this release of typer keeps click.
_Misused: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="runframe",
    help="W&B runs as columns: list them, export them to Parquet, serve them, import offline folders.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("runs")(listing.runs)
app.command("projects")(listing.projects)
app.command("export")(export.export)
app.command("sync")(export.sync)
app.command("clone")(clone.clone)
app.command("serve")(serve.serve)
app.command("import")(imports.import_logs)
app.command("compact")(compact.compact)
app.command("demo")(demo.demo)
app.add_typer(users.app, name="user")


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"runframe {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status.

    Args:
        arguments: the words after `runframe`; those of this process unless given.
    """
    command = typer.main.get_command(app)
    try:
        with _terminable():
            status = command.main(args=arguments, prog_name="runframe", standalone_mode=False)
    except _Misused as error:
        return _misused(error)
    except Error as error:
        say(error.message)
        return 2
    except OSError as error:
        say(_describe(error))
        return 2
    except (typer.Abort, KeyboardInterrupt):
        say("interrupted")
        return 130
    return status if isinstance(status, int) else 0


def _misused(error: Exception) -> int:
    """A call that the command line itself refuses; asking for nothing at all shows the help."""
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(context.get_help() if context else str(error), err=True)
        return 2
    where = context.command_path if context else "runframe"
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    say(f"{message.rstrip('.')} ({where} --help shows what there is)")
    return 2


def _describe(error: OSError) -> str:
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM as an exception, so that whatever was begun is cleaned up as after Ctrl-C."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
